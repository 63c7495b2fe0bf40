// SPDX-License-Identifier: BSL-1.0
#include <troupe/calls/exception_cause.hpp>

#include <algorithm>

namespace troupe::calls {

namespace {

constexpr char end_of_type = '\x1f';
constexpr char end_of_cause = '\x1e';

constexpr bool continues_character(char byte) noexcept {
  return (static_cast<unsigned char>(byte) & 0xC0U) == 0x80U;
}

/// No character of UTF-8 has more bytes behind its first.
constexpr std::size_t most_continuing = 3;

void append(std::string& to, std::string_view part) {
  for (const char byte : part)
    to += byte == '\0' || byte == end_of_type || byte == end_of_cause ? ' '
                                                                      : byte;
}

} // namespace

std::string text_of(std::string_view type, std::string_view text) {
  std::string result{type};
  if (!text.empty())
    result.append(": ").append(text);
  return result;
}

std::string text_of(const std::vector<exception_cause>& causes) {
  std::string result;
  for (const auto& each : causes)
    result += ", caused by " + text_of(each.type, each.text);
  return result;
}

std::string pack(const std::vector<exception_cause>& causes, std::size_t most) {
  std::size_t wanted = 0;
  for (const auto& each : causes)
    wanted += each.type.size() + each.text.size() + 2;
  const auto share = wanted <= most || causes.empty() ? most
                                                      : most / causes.size();
  std::string result;
  for (const auto& each : causes) {
    if (share < 3)
      break;
    const auto type = beginning_of(each.type, share - 2);
    append(result, type);
    result += end_of_type;
    append(result, beginning_of(each.text, share - 2 - type.size()));
    result += end_of_cause;
  }
  return result;
}

std::vector<exception_cause> unpack(std::string_view packed) {
  std::vector<exception_cause> result;
  while (!packed.empty() && result.size() < most_causes) {
    const auto all = packed.substr(0, packed.find(end_of_cause));
    packed.remove_prefix(std::min(packed.size(), all.size() + 1));
    const auto type = all.substr(0, all.find(end_of_type));
    const auto text = all.substr(std::min(all.size(), type.size() + 1));
    result.push_back({std::string{type}, std::string{text}});
  }
  return result;
}

std::string_view beginning_of(std::string_view text,
                              std::size_t most) noexcept {
  if (text.size() <= most)
    return text;
  auto size = most;
  for (std::size_t i = 0;
       i < most_continuing && size > 0 && continues_character(text[size]); ++i)
    --size;
  // Bytes that are no text are cut anywhere.
  return text.substr(0, continues_character(text[size]) ? most : size);
}

std::string_view end_of(std::string_view text, std::size_t most) noexcept {
  if (text.size() <= most)
    return text;
  text.remove_prefix(text.size() - most);
  std::size_t skipped = 0;
  while (skipped < std::min(most_continuing, text.size())
         && continues_character(text[skipped]))
    ++skipped;
  const bool no_text = skipped < text.size()
                       && continues_character(text[skipped]);
  return no_text ? text : text.substr(skipped);
}

} // namespace troupe::calls
