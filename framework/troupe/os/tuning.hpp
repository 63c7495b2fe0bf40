// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/os/spin.hpp>

#include <chrono>
#include <cstdint>

#ifdef TROUPE_TUNING_SWITCHES
#  include <cstdlib>
#  include <cstring>
#endif

/// What makes waiting and copying fast, and could as well be otherwise: each
/// value in one place. docs/performance/tuning.md has what each gains, by which
/// benchmark, on which machine. What gains less than a fifth there is not kept.
///
/// In a build with -DTROUPE_TUNING_SWITCHES=ON each heuristic has a switch:
/// those named in the environment's TROUPE_WITHOUT are off. Nothing installed
/// has them.
namespace troupe::tuning {

#ifdef TROUPE_TUNING_SWITCHES
/// Whether the heuristic of that name is in use.
inline bool uses(const char* heuristic) noexcept {
  const char* const without = std::getenv("TROUPE_WITHOUT");
  return without == nullptr || std::strstr(without, heuristic) == nullptr;
}
#  define TROUPE_TUNED inline const
#else
constexpr bool uses(const char* /*heuristic*/) noexcept {
  return true;
}
#  define TROUPE_TUNED inline constexpr
#endif

// Locks: the owner leaves soon, and a sleep costs a hundred times more --------

/// A contended `mutex`, before its thread stands in line.
TROUPE_TUNED os::spin_policy mutex{uses("mutex_spin") ? 2000U : 0U,
                                   uses("mutex_gap") ? 64U : 1U, 16};
/// A thread in line that was woken, while another has taken the `mutex` before
/// it.
TROUPE_TUNED os::spin_policy overtaken{256, 1, 16};
/// The short locks inside of mutexes, semaphores and conditions.
TROUPE_TUNED os::spin_policy robust_lock{200, 1, 16};
/// A semaphore's unit, a condition's notification.
TROUPE_TUNED os::spin_policy unit{200, 1, 16};
TROUPE_TUNED os::spin_policy notification{200, 1, 16};
/// The robust mutex of the system. Never yields: on a busy machine that costs a
/// whole slice of time.
TROUPE_TUNED os::spin_policy robust_mutex{64, 1, 0};

// Mailboxes: what is waited for may come at once or never ---------------------

/// A hand-over to a thread that spins takes 0.2 us, to one that sleeps 20 to
/// 60: so a spin of that long never costs much more than it saves.
inline constexpr std::chrono::microseconds longest_spin{50};
/// Pauses between two looks, unless an answer is expected.
TROUPE_TUNED unsigned most_pauses = uses("pauses") ? 32 : 1;
TROUPE_TUNED bool expects_answers = uses("answers");
/// Of 2 to the power of so many waits one spins, where spins come to nothing.
TROUPE_TUNED unsigned most_failures = uses("rarer_spins") ? 6 : 0;
/// So many turns of a spin lie between two yields, where spins may yield at
/// all.
TROUPE_TUNED bool yields = uses("yields");
inline constexpr unsigned fewest_turns_to_yield = 16;
inline constexpr unsigned most_turns_to_yield = 1024;

/// Threads that have woken each other on one processor so often move.
TROUPE_TUNED bool moves_threads = uses("moves");
inline constexpr std::uint32_t wakes_to_move = 8;
/// How long one stays where it has moved to, first and at most.
inline constexpr std::chrono::milliseconds shortest_stay{1};
inline constexpr std::chrono::milliseconds longest_stay{500};

/// The next call of a client, and the answer of a state: both come within a
/// microsecond or two where both run.
TROUPE_TUNED os::spin_policy next_call{uses("looks") ? 200U : 0U, 1, 0};
TROUPE_TUNED os::spin_policy next_answer{uses("looks") ? 100U : 0U, 1, 0};

/// Room in the ring to another process, whose hub may be just behind.
TROUPE_TUNED os::spin_policy ring_room{2000, 1, 16};

/// A reader that has found little several times in a row waits so long before
/// it looks again: see mailbox/reader_back_off.hpp.
TROUPE_TUNED bool backs_off = uses("back_off");
inline constexpr std::chrono::nanoseconds back_off{2'400};

#undef TROUPE_TUNED

} // namespace troupe::tuning
