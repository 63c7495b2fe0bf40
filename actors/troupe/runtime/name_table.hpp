// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/base/align.hpp>
#include <troupe/memory/reference.hpp>
#include <troupe/os/robust_mutex.hpp>
#include <troupe/os/wait_word.hpp>

#include <atomic>
#include <cstdint>

namespace troupe::names {

/// One name and its actor.
///
///     0    state    1: the rest stands     (stored last)
///     4    length   bytes of the name
///     8    process  packed slot_id of the actor's process
///     16   actor    actor id
///     24   type     hash of the handle's type
///     32   text
///     256
struct name_entry {
  // release in `set`, behind the rest, and where a name is erased; acquire in
  // `lives`. The mutex orders it as well, but for who is killed in between:
  // that leaves 0.
  std::atomic<std::uint32_t> state;
  std::uint32_t length;
  std::uint64_t process;
  std::uint64_t actor;
  std::uint64_t type;
  char text[224];
};

static_assert(sizeof(name_entry) == 256);

/// The names of a run: one object of its memory, made at first need, which
/// lives as long as the run.
///
///     0     mutex    held while entries change or are read
///     64    changes  counted up with every new name; sleep on it
///     128   entries
struct name_table {
  static constexpr std::size_t size = 1024;

  alignas(64) os::robust_mutex mutex;
  // release behind a new name; acquire by who waits for one, before it looks.
  alignas(64) os::wait_word changes;
  alignas(cache_line) name_entry entries[size];
};

static_assert(sizeof(name_table) == 128 + name_table::size * 256);
// As much as the run's memory promises.
static_assert(alignof(name_table) <= cache_line);

/// Returns the table of the run; makes it if there is none.
/// Throws `limit_reached`, `os_failure`.
[[nodiscard]] name_table& the_table();

/// Returns the table of the run, or nullptr if there is none.
/// Throws `limit_reached`.
[[nodiscard]] name_table* find_table();

} // namespace troupe::names
