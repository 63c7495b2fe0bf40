// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <span>
#include <string_view>

namespace troupe::hosting {

/// The library that takes the options `--troupe.…` of the command line, where
/// the program has one. They are the root's: other processes of the run, which
/// have the same command line, do not look at them.
struct option_taker {
  /// Called before anything of the run is made, with all that begin with
  /// `option_prefix` and stand before the first argument "--"; also with none.
  /// Throws `invalid_argument` and what else keeps it from doing what they say.
  void (*prepare)(std::span<const std::string_view> options);

  /// The run is there. Does not return where this program works for another.
  void (*begin)();

  /// The run is about to end, by the thread that ends it.
  void (*end)() noexcept;
};

inline constexpr std::string_view option_prefix{"--troupe."};

/// From now on `program` has `by` take the options. To be called before `main`;
/// the last one counts.
void take_options(const option_taker& by) noexcept;

/// Who takes them; nullptr: nobody.
[[nodiscard]] const option_taker* taker_of_options() noexcept;

/// Whether `argument` is one of the options.
[[nodiscard]] bool is_option(std::string_view argument) noexcept;

} // namespace troupe::hosting
