// SPDX-License-Identifier: BSL-1.0
#pragma once

namespace troupe::machines {

/// Has `troupe::program` give this library the options `--troupe.…`. That is
/// all that a program pays which includes <troupe/machines/machines.hpp> and is
/// started without them.
bool take_options() noexcept;

/// In each program that includes this header, before `main`.
inline const bool takes_options = take_options();

} // namespace troupe::machines
