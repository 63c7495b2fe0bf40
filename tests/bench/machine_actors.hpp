// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "suite.hpp"

#include <troupe/machines/machine.hpp>

namespace bench {

/// Must be called before `troupe::program` is made.
void use_balls();

/// What is said to an actor on a machine, beside what a bare socket, a bare
/// stream of TLS and CAF's middleman need for the same; turn by turn.
void measure_actors(suite& suite, const troupe::machine& machine);

} // namespace bench
