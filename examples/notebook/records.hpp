// SPDX-License-Identifier: BSL-1.0
// What the two programs of "Server process, over the network" share.
#pragma once

#include <troupe/state/list.hpp>

#include <string>

/// A name and a score.
struct record {
  std::string name;
  int score;
};

using record_list = troupe::held::list<record>;

/// The environment variable with the key.
constexpr auto key_variable = "RECORDS_KEY";
