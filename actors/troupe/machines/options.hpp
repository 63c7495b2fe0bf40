// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/network/address.hpp>

#include <chrono>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::machines {

/// What the command line says about machines.
struct options {
  /// `--troupe.listen=`: this program leads, and others join it there.
  std::optional<network::address> listen;

  /// `--troupe.join=`: this program is a machine of the one that leads there.
  std::optional<network::address> join;

  /// `--troupe.name=`: of a machine. Unsaid: the name of the computer, with a
  /// number behind it where there is one of that name.
  std::optional<std::string> name;

  /// `--troupe.labels=a,b`: of a machine.
  std::vector<std::string> labels;

  /// `--troupe.key-file=`; unsaid: the key is in the variable TROUPE_KEY.
  std::optional<std::string> key_file;

  /// `--troupe.join-timeout=`: how many seconds a machine tries to find the
  /// lead.
  std::chrono::seconds join_timeout{60};

  /// `--troupe.silence=`, in seconds: a machine of which nothing comes for one
  /// and a half times as long is lost. The shorter of both ends counts.
  std::chrono::milliseconds silence{10'000};

  /// `--troupe.output=here`: what a machine's processes print stays there.
  bool output_stays = false;
};

inline constexpr std::size_t longest_name = 63;
inline constexpr std::size_t most_labels = 32;

/// Whether `text` may be a machine's name or a label: letters, digits, and
/// `. _ - : = /` inside, at most `longest_name` of them.
[[nodiscard]] bool is_name(std::string_view text) noexcept;

/// Reads options, each "--troupe.NAME=VALUE". Throws `invalid_argument`.
[[nodiscard]] options read_options(std::span<const std::string_view> from);

} // namespace troupe::machines
