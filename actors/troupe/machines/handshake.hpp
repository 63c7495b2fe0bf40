// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/base/bytes.hpp>
#include <troupe/calls/entry.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// What a machine and its lead say to each other before anything else, when
/// both have shown the key. Whoever reads it does not know yet whether the
/// other end is the same program: numbers are little-endian, and all is
/// checked.
namespace troupe::machines {

/// Raised whenever a machine and a lead of two versions could no longer
/// understand each other, although they are the same program otherwise.
inline constexpr std::uint32_t handshake_version = 1;

using library_build = calls::entry::library_build;

/// A program, as far as others must be the same.
struct program_build {
  std::string architecture;
  /// The file name of the program, for texts.
  std::string name;
  std::string build;
  /// Those that have functions for other processes, by name.
  std::vector<library_build> libraries;

  /// That of the calling process, with the libraries that it has loaded so far.
  [[nodiscard]] static program_build own();

  friend bool operator==(const program_build&, const program_build&) = default;
};

/// What a machine says first.
///
///     0   "machine\n"                                          8 bytes
///     8   version                                              4
///     12  processors                                           4
///     16  memory                                               8
///     24  whether the name was given, zero                     4
///     28  labels, libraries: how many                          2 + 2
///     32  texts, each behind its length (2): architecture, program, build, name,
///         labels; libraries, each behind its module (8)
struct introduction {
  std::uint32_t version = handshake_version;
  std::uint32_t processors = 0;
  std::uint64_t memory = 0;
  program_build program;
  /// Wished; the lead's answer says which it is.
  std::string name;
  bool name_was_given = false;
  std::vector<std::string> labels;

  friend bool operator==(const introduction&, const introduction&) = default;
};

/// Why a machine may not join.
enum class refusal : std::uint32_t {
  none = 0,
  other_version = 1,
  other_architecture = 2,
  other_build = 3,
  name_taken = 4,
  lead_is_ending = 5,
};

/// What the lead answers.
///
///     0   "verdict\n"                                          8 bytes
///     8   version                                              4
///     12  refusal                                              4
///     16  the machine's number                                 8
///     24  its name, or why it is refused, behind the length    2 + size
struct verdict {
  std::uint32_t version = handshake_version;
  refusal why = refusal::none;
  std::uint64_t number = 0;
  std::string text;

  friend bool operator==(const verdict&, const verdict&) = default;
};

/// Longer texts are cut where they are written, and malformed where they are
/// read.
inline constexpr std::size_t longest_text = 512;
/// Of more, those that are last by name are not compared.
inline constexpr std::size_t most_libraries = 512;

[[nodiscard]] bytes to_bytes(const introduction& from);
[[nodiscard]] bytes to_bytes(const verdict& from);

/// Read what came, whatever it is. Of another version only that is read. Throw
/// `malformed_bytes`.
[[nodiscard]] introduction read_introduction(bytes_view from);
[[nodiscard]] verdict read_verdict(bytes_view from);

/// Compares what joins with what leads.
struct comparison {
  refusal why = refusal::none;
  /// What is said to the machine: "it runs another build of …".
  std::string to_machine;
  /// The same, seen from the lead.
  std::string to_lead;
};
[[nodiscard]] comparison compare(const introduction& joins,
                                 const program_build& leads);

} // namespace troupe::machines
