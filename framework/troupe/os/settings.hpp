// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/os/descriptor.hpp>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace troupe::os {

/// What a process hands on to a program that it executes, besides environment,
/// signal mask and rights: working directory, umask, limits, nice value,
/// processors, ignored signals, standard output and error, and which other
/// descriptors stay open.
class settings {
public:
  /// Notes those of the calling process. Keeps the working directory, standard
  /// output and standard error open. Throws `os_failure`.
  settings();

  /// Returns what `apply` reads in the new program: words with blanks between.
  /// `mark` is from `lineage_mark`.
  [[nodiscard]] std::string text(std::uint64_t mark) const;

  /// Descriptors that the new program must get for `apply`.
  [[nodiscard]] std::vector<int> kept() const;

  /// Which descriptor becomes which; -1: that one is closed.
  [[nodiscard]] std::vector<std::pair<int, int>> streams() const;

  /// Descriptors that would stay open over an exec now, and would not have
  /// then.
  [[nodiscard]] std::vector<int> opened_since() const;

  /// Gives the calling process what `text` says, touching only what differs.
  /// Returns nullptr, or the name of what the system refused, with `errno`.
  /// Allocates nothing: it may run before static initialisation.
  [[nodiscard]] static const char* apply(const char* text) noexcept;

private:
  descriptor directory_;
  descriptor output_;
  descriptor error_;
  std::vector<int> inheritable_;
  std::uint64_t umask_;
  std::uint64_t nice_;
  std::uint64_t ignored_;
  /// Soft and hard, in the order of the system's numbers.
  std::vector<std::uint64_t> limits_;
  std::vector<std::uint64_t> processors_;
};

} // namespace troupe::os
