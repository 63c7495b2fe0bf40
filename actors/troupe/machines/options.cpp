// SPDX-License-Identifier: BSL-1.0
#include <troupe/machines/options.hpp>

#include <troupe/base/error.hpp>
#include <troupe/process/option_taker.hpp>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <set>

namespace troupe::machines {

namespace {

[[noreturn]] void refuse(std::string_view option, std::string_view reason,
                         std::string_view advice) {
  throw invalid_argument("take the option " + std::string{option}, reason,
                         advice);
}

network::address read_address(std::string_view option, std::string_view text) {
  try {
    return network::address::parse(text);
  } catch (const invalid_argument& failure) {
    refuse(option, failure.what(), {});
  }
}

std::string read_name(std::string_view option, std::string_view text) {
  if (!is_name(text))
    refuse(option,
           "\"" + std::string{text} + "\" is no name: it has 1 to "
             + std::to_string(longest_name)
             + " letters, digits, and . _ - : = / inside",
           "choose another name");
  return std::string{text};
}

std::vector<std::string> read_labels(std::string_view option,
                                     std::string_view text) {
  std::vector<std::string> labels;
  while (!text.empty()) {
    const auto end = std::min(text.find(','), text.size());
    labels.push_back(read_name(option, text.substr(0, end)));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  if (labels.size() > most_labels)
    refuse(option, "there are more than " + std::to_string(most_labels),
           "leave some out");
  return labels;
}

/// Seconds, also parts of one.
std::chrono::milliseconds read_time(std::string_view option,
                                    std::string_view text) {
  double seconds = 0;
  const auto [end, failed]
    = std::from_chars(text.data(), text.data() + text.size(), seconds);
  constexpr double most = 86'400;
  if (failed != std::errc{} || end != text.data() + text.size()
      || !(seconds > 0.0 && seconds <= most))
    refuse(option, "that is no number of seconds above 0, a day at most",
           "write 10, or 0.5");
  return std::chrono::milliseconds{std::lround(std::ceil(seconds * 1000))};
}

} // namespace

bool is_name(std::string_view text) noexcept {
  const auto is_plain = [](char each) {
    return (each >= 'a' && each <= 'z') || (each >= 'A' && each <= 'Z')
           || (each >= '0' && each <= '9');
  };
  const auto fits = [&](char each) {
    return is_plain(each)
           || std::string_view{"._-:=/"}.find(each) != std::string_view::npos;
  };
  return !text.empty() && text.size() <= longest_name && is_plain(text.front())
         && is_plain(text.back())
         && std::all_of(text.begin(), text.end(), fits);
}

options read_options(std::span<const std::string_view> from) {
  options made;
  std::set<std::string_view> seen;
  for (const auto option : from) {
    const auto equals = std::min(option.find('='), option.size());
    const auto name = option.substr(0, equals);
    const auto what
      = name.substr(std::min(hosting::option_prefix.size(), name.size()));
    if (equals == option.size())
      refuse(option, "it has no value", std::string{name} + "=VALUE");
    if (!seen.insert(name).second)
      refuse(option, "it stands there twice", "say it once");
    const auto value = option.substr(equals + 1);
    if (what == "listen")
      made.listen = read_address(option, value);
    else if (what == "join")
      made.join = read_address(option, value);
    else if (what == "name")
      made.name = read_name(option, value);
    else if (what == "labels")
      made.labels = read_labels(option, value);
    else if (what == "key-file")
      made.key_file = std::string{value};
    else if (what == "join-timeout")
      made.join_timeout
        = std::chrono::ceil<std::chrono::seconds>(read_time(option, value));
    else if (what == "silence")
      made.silence = read_time(option, value);
    else if (what == "output" && (value == "here" || value == "lead"))
      made.output_stays = value == "here";
    else if (what == "output")
      refuse(option, "output goes to the lead, or stays here",
             "write --troupe.output=lead or --troupe.output=here");
    else
      refuse(option, "there is no such option",
             "there are listen, join, name, labels, key-file, join-timeout, "
             "silence and output");
  }
  if (made.listen && made.join)
    refuse("--troupe.join", "with --troupe.listen this program leads",
           "say one of them");
  if (!made.listen && !made.join && !from.empty())
    refuse(from.front(),
           "it says something about a machine, and this program "
           "neither leads nor joins",
           "add --troupe.listen=HOST:PORT or --troupe.join=HOST:PORT");
  if (made.join && made.join->port() == 0)
    refuse("--troupe.join", "nobody listens at port 0",
           "write the port that the lead has");
  return made;
}

} // namespace troupe::machines
