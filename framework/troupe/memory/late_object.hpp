// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/memory/object.hpp>
#include <troupe/memory/reference.hpp>

#include <atomic>
#include <cstddef>

namespace troupe::memory {

/// Where an object names another one that it owns and that is made when it is
/// first needed, by whoever needs it first. Part of a payload; zero: not made.
///
///     0    named   id of the object that is, or is about to be, owned
///     8    ready   the same once whoever reads it may use it; then it never
///                  changes before `give_up`
///
/// # What a crash leaves
/// Nothing, or an object that is named, and then perhaps owned. Whoever comes
/// next goes on with it; if it has ended with its maker, another is made.
/// docs/design/memory.md argues each death.
struct late_object {
  // `named`: seq_cst in `claim`, and in `find_owned`, which looks at the flags
  // of the object after that. `ready`: release in `set_ready`, acquire in
  // `find`.
  std::atomic<object_id> named;
  std::atomic<object_id> ready;

  /// The payload of the object; nullptr as long as it is not ready.
  /// @pre the caller holds the object that this is a part of, or goes on for a
  ///      dead process that does
  [[nodiscard]] std::byte* find() const noexcept;

  /// The same for an object that may not be ready, but is owned already: for
  /// the `dispose` of the object that this is a part of.
  [[nodiscard]] std::byte* find_owned(object_kind kind) const noexcept;

  /// Owns the object that is named, or one that `make` makes: the same for all
  /// who call this. It is not `ready` yet.
  /// Throws `limit_reached`, and what `make` throws.
  /// @pre the caller holds the object that this is a part of
  [[nodiscard]] reference claim(object_kind kind,
                                reference (*make)(const void* context),
                                const void* context = nullptr);

  /// May be used from now on.
  void set_ready() noexcept;

  /// Owns it no longer; for `dispose`. May be called again.
  void give_up() noexcept;
};

static_assert(sizeof(late_object) == 16);

} // namespace troupe::memory
