// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/machines/options.hpp>
#include <troupe/machines/output_pipes.hpp>
#include <troupe/network/key.hpp>

namespace troupe::machines {

/// How the root of a machine ends.
enum exit_code : int {
  /// The lead has ended, or this machine was asked to end and has left.
  ended = 0,
  /// The lead is lost.
  lead_lost = 1,
  /// It could not join: another key, build or version, the name taken, nobody
  /// there.
  refused = 3,
};

/// Joins the lead that `said` names, runs what it starts here, and ends this
/// process when that is over. By the root of a run, which has it from then on.
///
/// SIGTERM and Ctrl-C, where the program has not set them otherwise, ask the
/// machine to leave: it begins nothing new, finishes what runs, and ends. A
/// second one ends it at once.
[[noreturn]] void work_for_lead(const options& said, const network::key& shared,
                                output_pipes output);

} // namespace troupe::machines
