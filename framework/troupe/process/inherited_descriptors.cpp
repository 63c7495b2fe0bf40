// SPDX-License-Identifier: BSL-1.0
#include <troupe/process/inherited_descriptors.hpp>

#include <troupe/base/error.hpp>
#include <troupe/os/child.hpp>
#include <troupe/os/environment.hpp>
#include <troupe/os/settings.hpp>
#include <troupe/process/server_process.hpp>

#include <array>
#include <cstdlib>
#include <optional>
#include <sstream>
#include <utility>

namespace troupe::hosting {

const char* const bootstrap_variable = "TROUPE_SUMMONS";

inherited_descriptors& inherited_descriptors::current() {
  // Never destroyed: the life-line must outlive every static object.
  static auto& value = *new inherited_descriptors;
  return value;
}

std::string write_bootstrap(const bootstrap& text, int report,
                            std::uint32_t number, const std::string& settings) {
  auto& memory = memory::run_memory::current();
  const auto& own = inherited_descriptors::current();
  const auto& identity = memory.header().identity;
  std::ostringstream out;
  out << (text.part == role::fork_server ? 1 : 2) << ' ' << memory.file() << ' '
      << own.life_line.get() << ' ' << own.requests_reader.get() << ' '
      << own.requests.get() << ' ' << report << ' ' << text.slot.packed() << ' '
      << identity[0] << ' ' << identity[1] << ' ' << number << ';' << settings;
  return out.str();
}

std::uint64_t lineage() {
  return memory::run_memory::current().header().identity[0];
}

std::vector<int> inherited(role part) {
  const auto& own = inherited_descriptors::current();
  std::vector<int> result{memory::run_memory::current().file(),
                          own.life_line.get(), own.requests.get()};
  if (part == role::fork_server)
    result.push_back(own.requests_reader.get());
  return result;
}

namespace {

/// The text of the variable; never destroyed.
std::optional<std::string>& taken_bootstrap() {
  static auto& text = *new std::optional<std::string>;
  return text;
}

constexpr int named_descriptors = 5;

/// What the variable says until `program` removes it. To programs that are
/// executed meanwhile it means nothing.
constexpr const char* taken = "taken";

/// Takes the variable out of the environment and what it says for a fork server
/// into account, before any static object of the program is made and any code
/// of the user runs.
[[gnu::constructor(101)]] void take_bootstrap() {
  auto text = os::take_environment(bootstrap_variable, taken);
  if (!text || *text == taken)
    return;
  // What an executed program would inherit otherwise.
  char* at = text->data();
  std::array<int, named_descriptors> fds{};
  std::strtol(at, &at, 10);
  for (auto& fd : fds) {
    fd = static_cast<int>(std::strtol(at, &at, 10));
    os::close_on_exec(fd);
  }
  const auto settings = text->find(';');
  if (settings != std::string::npos && settings + 1 < text->size())
    if (const char* refused
        = os::settings::apply(text->data() + settings + 1)) {
      report_failure(fds.back(), refused);
      os::exit_at_once(1);
    }
  taken_bootstrap() = std::move(text);
}

[[noreturn]] void refuse_bootstrap(const char* reason) {
  throw malformed_bytes(std::string{"join a run by "} + bootstrap_variable,
                        reason,
                        "do not set that variable, and close no descriptors "
                        "before troupe::program");
}

} // namespace

bootstrap answer_bootstrap() {
  os::forget_environment(bootstrap_variable);
  const auto text = std::exchange(taken_bootstrap(), std::nullopt);
  if (!text)
    return {};
  std::istringstream in{*text};
  int part = 0;
  std::array<int, named_descriptors> fds{-1, -1, -1, -1, -1};
  std::uint64_t slot = 0;
  std::array<std::uint64_t, 2> identity{};
  auto& own = inherited_descriptors::current();
  in >> part;
  for (auto& fd : fds)
    in >> fd;
  std::uint32_t number = 0;
  in >> slot >> identity[0] >> identity[1] >> number;
  if (!in || part < 1 || part > 2)
    refuse_bootstrap("its text is not one that Troupe writes");
  const bool is_server = part == 1;
  if (!os::is_own_file(fds[0], true) || !os::is_own_file(fds[1], false)
      || !os::is_own_file(fds[3], false)
      || (is_server
          && (!os::is_own_file(fds[2], false)
              || !os::is_own_file(fds[4], false))))
    refuse_bootstrap(
      "a descriptor that it names is closed, or of another user");
  auto& memory = memory::run_memory::attach(os::descriptor{fds[0]});
  if (memory.header().identity != identity)
    refuse_bootstrap("the inherited memory is another run's");
  own.life_line = os::descriptor{fds[1]};
  own.requests = os::descriptor{fds[3]};
  own.requests_identity = os::identity_of(own.requests.get());
  own.rights = os::rights::of_this_thread();
  own.freshly_executed = true;
  if (!is_server) {
    own.held_signals = number;
    return {role::host, memory::slot_id::unpacked(slot)};
  }
  own.server_number = number;
  own.requests_reader = os::descriptor{fds[2]};
  own.server_report = os::descriptor{fds[4]};
  return {role::fork_server, {}};
}

} // namespace troupe::hosting
