// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/base/deadline.hpp>

#include <atomic>
#include <cstdint>

namespace troupe::os {

/// A word in shared memory on which processes sleep (a futex). As of each
/// atomic, its declaration says whose release pairs with whose acquire: the
/// system calls below promise no order.
using wait_word = std::atomic<std::uint32_t>;

static_assert(wait_word::is_always_lock_free);

/// Sleeps while `word` holds `expected`, at most until `limit`.
///
/// Returns false only when the limit has passed. True means "look again": the
/// word has changed, somebody called `wake`, or a signal came.
/// @blocks on whoever changes the word and calls `wake`
[[nodiscard]] bool wait(const wait_word& word, std::uint32_t expected,
                        deadline limit) noexcept;

/// Wakes at most `count` sleepers of `word`, in any process.
/// Returns how many it woke. The word may be unmapped memory of a dead object:
/// then nobody is woken.
int wake(const wait_word& word, int count) noexcept;

/// Wakes every sleeper of `word`.
int wake_all(const wait_word& word) noexcept;

} // namespace troupe::os
