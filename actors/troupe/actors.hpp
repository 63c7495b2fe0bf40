// SPDX-License-Identifier: BSL-1.0
#pragma once

// All public headers of troupe::actors, and those of troupe::core, for those
// who begin. A program that has grown compiles faster with the single ones:
// docs/reference/headers.md.

#include <troupe/core.hpp>
#include <troupe/pool/child_spec.hpp>
#include <troupe/pool/pool_actor.hpp>
#include <troupe/pool/supervisor.hpp>
#include <troupe/runtime/actor_system.hpp>
#include <troupe/runtime/host.hpp>
#include <troupe/runtime/names.hpp>
#include <troupe/runtime/spawn.hpp>
#include <troupe/state/state_actor.hpp>
#include <troupe/sync/barrier_actor.hpp>
#include <troupe/sync/condition_actor.hpp>
#include <troupe/sync/event_actor.hpp>
#include <troupe/sync/mutex_actor.hpp>
#include <troupe/sync/semaphore_actor.hpp>
#include <troupe/transport/bundle.hpp>
#include <troupe/transport/caf_error.hpp>
#include <troupe/transport/dead_letters.hpp>
#include <troupe/transport/handle_coding.hpp>
#include <troupe/transport/type_table.hpp>
