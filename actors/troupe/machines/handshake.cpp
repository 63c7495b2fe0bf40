// SPDX-License-Identifier: BSL-1.0
#include <troupe/machines/handshake.hpp>

#include <troupe/base/error.hpp>
#include <troupe/machines/options.hpp>
#include <troupe/os/command_line.hpp>
#include <troupe/os/program_build.hpp>

#include <algorithm>
#include <type_traits>

namespace troupe::machines {

namespace {

constexpr std::string_view introduction_magic{"machine\n"};
constexpr std::string_view verdict_magic{"verdict\n"};

#if defined(__x86_64__)
constexpr std::string_view own_architecture{"x86-64"};
#elif defined(__aarch64__)
constexpr std::string_view own_architecture{"AArch64"};
#else
constexpr std::string_view own_architecture{"unknown"};
#endif

[[noreturn]] void refuse(std::string_view why) {
  throw malformed_bytes("read the handshake of a machine", why);
}

class writer {
public:
  template <class Number>
    requires std::is_unsigned_v<Number>
  void number(Number value) {
    for (std::size_t i = 0; i < sizeof value; ++i)
      to_.push_back(static_cast<std::byte>(value >> (8 * i)));
  }

  void letters(std::string_view text) {
    for (const char each : text)
      to_.push_back(static_cast<std::byte>(each));
  }

  void text(std::string_view from) {
    const auto kept = from.substr(0, longest_text);
    number(static_cast<std::uint16_t>(kept.size()));
    letters(kept);
  }

  [[nodiscard]] bytes take() noexcept {
    return std::move(to_);
  }

private:
  bytes to_;
};

class reader {
public:
  explicit reader(bytes_view from) noexcept : from_(from) {
  }

  template <class Number>
  [[nodiscard]] Number number() {
    Number value = 0;
    const auto part = take(sizeof value);
    for (std::size_t i = 0; i < sizeof value; ++i)
      value = static_cast<Number>(
        value
        | static_cast<Number>(std::to_integer<Number>(part[i]) << (8 * i)));
    return value;
  }

  /// What people are shown: nothing that changes a terminal.
  [[nodiscard]] std::string text() {
    const auto size = number<std::uint16_t>();
    if (size > longest_text)
      refuse("a text has " + std::to_string(size) + " bytes");
    std::string made;
    for (const auto each : take(size))
      made += std::to_integer<char>(each);
    if (std::any_of(made.begin(), made.end(), [](char each) {
          return static_cast<unsigned char>(each) < 0x20 || each == 0x7F;
        }))
      refuse("a text has a control character");
    return made;
  }

  void expect(std::string_view letters) {
    const auto part = take(letters.size());
    if (!std::equal(letters.begin(), letters.end(), part.begin(),
                    [](char ours, std::byte theirs) {
                      return static_cast<std::byte>(ours) == theirs;
                    }))
      refuse("it does not begin as one of ours");
  }

  void finish() const {
    if (!from_.empty())
      refuse(std::to_string(from_.size()) + " bytes are left over");
  }

private:
  [[nodiscard]] bytes_view take(std::size_t size) {
    if (size > from_.size())
      refuse("it ends too early");
    const auto part = from_.first(size);
    from_ = from_.subspan(size);
    return part;
  }

  bytes_view from_;
};

std::string short_form(const std::string& build) {
  constexpr std::size_t enough = 16;
  return build.size() > enough ? build.substr(0, enough) + "…" : build;
}

/// A library that both have, in two builds. A program may have loaded several
/// of one name, from several folders.
const library_build* differing_library(const program_build& one,
                                       const program_build& other) {
  for (const auto& each : one.libraries) {
    const auto has_name = [&](const library_build& candidate) {
      return candidate.name == each.name;
    };
    const auto& theirs = other.libraries;
    if (std::any_of(theirs.begin(), theirs.end(), has_name)
        && std::find(theirs.begin(), theirs.end(), each) == theirs.end())
      return &each;
  }
  return nullptr;
}

} // namespace

program_build program_build::own() {
  program_build made;
  made.architecture = own_architecture;
  const auto words = os::command_line();
  if (!words.empty())
    made.name = words.front().substr(words.front().rfind('/') + 1);
  made.build = os::build_of_program();
  made.libraries = calls::entry::libraries();
  if (made.libraries.size() > most_libraries)
    made.libraries.resize(most_libraries);
  return made;
}

bytes to_bytes(const introduction& from) {
  writer to;
  to.letters(introduction_magic);
  to.number(from.version);
  to.number(from.processors);
  to.number(from.memory);
  to.number(std::uint32_t{from.name_was_given});
  to.number(static_cast<std::uint16_t>(from.labels.size()));
  to.number(static_cast<std::uint16_t>(from.program.libraries.size()));
  to.text(from.program.architecture);
  to.text(from.program.name);
  to.text(from.program.build);
  to.text(from.name);
  for (const auto& each : from.labels)
    to.text(each);
  for (const auto& each : from.program.libraries) {
    to.number(each.module);
    to.text(each.name);
  }
  return to.take();
}

bytes to_bytes(const verdict& from) {
  writer to;
  to.letters(verdict_magic);
  to.number(from.version);
  to.number(static_cast<std::uint32_t>(from.why));
  to.number(from.number);
  to.text(from.text);
  return to.take();
}

introduction read_introduction(bytes_view from) {
  reader in{from};
  introduction made;
  in.expect(introduction_magic);
  made.version = in.number<std::uint32_t>();
  if (made.version != handshake_version)
    return made;
  made.processors = in.number<std::uint32_t>();
  made.memory = in.number<std::uint64_t>();
  const auto given = in.number<std::uint32_t>();
  if (given > 1)
    refuse("a byte that must be zero is not");
  made.name_was_given = given == 1;
  const auto labels = in.number<std::uint16_t>();
  const auto libraries = in.number<std::uint16_t>();
  if (labels > most_labels || libraries > most_libraries)
    refuse("it has announced " + std::to_string(labels) + " labels and "
           + std::to_string(libraries) + " libraries");
  made.program.architecture = in.text();
  made.program.name = in.text();
  made.program.build = in.text();
  made.name = in.text();
  for (std::uint16_t i = 0; i < labels; ++i)
    made.labels.push_back(in.text());
  for (std::uint16_t i = 0; i < libraries; ++i) {
    library_build each;
    each.module = in.number<std::uint64_t>();
    each.name = in.text();
    made.program.libraries.push_back(std::move(each));
  }
  in.finish();
  if (!is_name(made.name)
      || !std::all_of(made.labels.begin(), made.labels.end(), is_name))
    refuse("its name, or a label, is none");
  if (made.processors == 0)
    refuse("it has no processor");
  return made;
}

verdict read_verdict(bytes_view from) {
  reader in{from};
  verdict made;
  in.expect(verdict_magic);
  made.version = in.number<std::uint32_t>();
  const auto why = in.number<std::uint32_t>();
  if (why > static_cast<std::uint32_t>(refusal::lead_is_ending))
    refuse("there is no refusal " + std::to_string(why));
  made.why = static_cast<refusal>(why);
  made.number = in.number<std::uint64_t>();
  made.text = in.text();
  in.finish();
  if (made.why == refusal::none && !is_name(made.text))
    refuse("the name that it gives is none");
  return made;
}

comparison compare(const introduction& joins, const program_build& leads) {
  const auto& there = joins.program;
  if (joins.version != handshake_version) {
    const auto theirs = std::to_string(joins.version);
    const auto ours = std::to_string(handshake_version);
    return {refusal::other_version,
            "it speaks version " + ours + " of the handshake, and this "
              + theirs + "; use the same version of Troupe",
            "it speaks version " + theirs + " of the handshake, and this "
              + ours};
  }
  if (there.architecture != leads.architecture)
    return {refusal::other_architecture,
            "it runs on " + leads.architecture + ", and this on "
              + there.architecture + "; join from a machine of the same kind",
            "it runs on " + there.architecture + ", and this on "
              + leads.architecture};
  if (there.build != leads.build) {
    const auto theirs = short_form(there.build);
    const auto ours = short_form(leads.build);
    return {refusal::other_build,
            "it runs another build of " + leads.name + " (" + ours
              + ", and this is " + theirs + "); copy the program",
            "it runs another build of " + there.name + " (" + theirs
              + ", and this is " + ours + "); copy the program there"};
  }
  if (const auto* library = differing_library(there, leads))
    return {refusal::other_build,
            "it has another build of " + library->name + "; copy the library",
            "it has another build of " + library->name
              + "; copy the library there"};
  return {};
}

} // namespace troupe::machines
