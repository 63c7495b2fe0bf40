// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/base/align.hpp>
#include <troupe/base/deadline.hpp>
#include <troupe/memory/reference.hpp>
#include <troupe/os/wait_word.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace troupe::mailbox {

/// The head of an object that carries a letter; the body follows.
///
///     0    turn      how many letters it has carried, the present one included
///     128  body
///
/// A letter's share of `in_flight` is ended once, by who took it. Should that
/// one be killed, whoever mends the mailbox asks `is_carried` whether it did.
struct alignas(cache_line) large_letter {
  std::atomic<std::uint64_t> turn;

  /// Whether the object at `where` still carries its letter number `number`.
  /// Only for who has that letter in hand: nobody else may end its share.
  [[nodiscard]] static bool is_carried(memory::offset where,
                                       std::uint64_t number) noexcept;
};

static_assert(sizeof(large_letter) == 128);

/// The objects of this process's last large letters, to be used again: their
/// memory is there in large pages, and mapped by who reads them. And a run that
/// sends large letters for ever does not use up its address space.
///
/// One is used again when no message carries it: the letter in it has been
/// taken, and its reader is done with it, since it decodes before it takes. The
/// mailbox names each letter once, so no name of the old one is left.
///
/// # Bounds
/// At most `most_objects` of `most_bytes` together, and none while living
/// objects reserve an eighth of what the run may use. They go back when the
/// process has waited for `idle`, when memory is short, and with the process.
///
/// # What a crash leaves
/// Nothing: they are handles like all others.
class spare_letters {
public:
  static constexpr std::size_t most_objects = 2;
  static constexpr std::uint64_t most_bytes = 160 << 20;
  static constexpr std::chrono::milliseconds idle{200};

  /// Returns a `large_letter`, an object of kind `letter`, with room for `size`
  /// bytes of body, its memory taken and its turn begun. Throws `limit_reached`, `std::bad_alloc`.
  [[nodiscard]] static memory::reference take(std::uint64_t size);

  /// Has it back, put into a mailbox or not.
  static void keep(memory::reference letter) noexcept;

  /// `os::wait`, for who has nothing else to do: gives the objects back when it
  /// has slept for `idle`, and returns true then as if it had been woken.
  [[nodiscard]] static bool wait(const os::wait_word& word,
                                 std::uint32_t expected,
                                 deadline limit) noexcept;

  static void give_back() noexcept;

private:
  static inline constinit std::atomic<bool> any_{false};
};

} // namespace troupe::mailbox
