// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>
#include <string>

namespace troupe::os {

/// Where a function's code is, in words that every process with the same
/// image understands: which loaded module, in which build, and how far into it.
/// Two processes that have loaded different builds of a library, because it was
/// replaced on disk meanwhile, have no location of it in common.
struct code_location {
  /// A hash of the module's file name in the upper 16 bits, 0 for the program
  /// itself; a hash of its build in the lower 48.
  std::uint64_t module = 0;
  std::uint64_t offset = 0;

  [[nodiscard]] constexpr bool is_in_library() const noexcept {
    return module >> 48 != 0;
  }

  friend bool operator==(const code_location&, const code_location&) noexcept
    = default;
};

/// Returns where the code at `address` is.
///
/// The build is known by the id that the linker has written into the module
/// (`--build-id`, which distributions' compilers ask for); without one, by all
/// that the module has mapped without leave to write, which is read whole, once
/// in a process. The file on disk says nothing: it may be another one by now.
[[nodiscard]] code_location locate(const void* address) noexcept;

/// Returns the file name of the library that holds the code at `address`; empty
/// for the program itself.
[[nodiscard]] std::string library_of(const void* address);

/// What the calling process has of the module that a location names.
enum class module_presence { absent, other_build, same_build };

struct module_match {
  module_presence presence = module_presence::absent;
  /// The library's file name; empty for the program itself, or if absent.
  std::string name;
};

/// Looks for the module of `location` in the calling process.
[[nodiscard]] module_match find_module(const code_location& location);

} // namespace troupe::os
