// SPDX-License-Identifier: BSL-1.0
#include <troupe/process/links.hpp>

#include <troupe/base/error.hpp>
#include <troupe/os/child.hpp>

#include <array>
#include <sstream>

namespace troupe::hosting {

const char* const summons_variable = "TROUPE_SUMMONS";

links& links::current() {
  // Never destroyed: the life-line must outlive every static object.
  static auto& value = *new links;
  return value;
}

std::string write_summons(const summons& text) {
  auto& memory = memory::run_memory::current();
  const auto& own = links::current();
  const auto& identity = memory.header().identity;
  std::ostringstream out;
  out << (text.part == role::fork_server ? 1 : 2) << ' ' << memory.file() << ' '
      << own.life_line.get() << ' ' << own.requests_reader.get() << ' '
      << own.requests.get() << ' ' << text.slot.packed() << ' ' << identity[0]
      << ' ' << identity[1];
  return out.str();
}

std::vector<int> inherited(role part) {
  const auto& own = links::current();
  std::vector<int> result{memory::run_memory::current().file(),
                          own.life_line.get(), own.requests.get()};
  if (part == role::fork_server)
    result.push_back(own.requests_reader.get());
  return result;
}

summons answer_summons() {
  const auto text = os::take_environment(summons_variable);
  if (!text)
    return {};
  std::istringstream in{*text};
  int part = 0;
  std::array<int, 4> fds{-1, -1, -1, -1};
  std::uint64_t slot = 0;
  std::array<std::uint64_t, 2> identity{};
  in >> part;
  for (auto& fd : fds)
    in >> fd;
  in >> slot >> identity[0] >> identity[1];
  if (!in || part < 1 || part > 2)
    throw malformed_bytes(std::string{"join a run by "} + summons_variable,
                          "its text is not one that Troupe writes",
                          "do not set that variable");
  auto& own = links::current();
  const auto take = [](int fd) {
    os::set_inheritable(fd, false);
    return os::descriptor{fd};
  };
  auto& memory = memory::run_memory::attach(take(fds[0]));
  if (memory.header().identity != identity)
    throw malformed_bytes(std::string{"join a run by "} + summons_variable,
                          "the inherited memory is another run's",
                          "do not set that variable");
  own.life_line = take(fds[1]);
  own.requests = take(fds[3]);
  own.requests_identity = os::identity_of(own.requests.get());
  own.freshly_executed = true;
  if (part == 1) {
    own.requests_reader = take(fds[2]);
    return {role::fork_server, {}};
  }
  return {role::host, memory::slot_id::unpacked(slot)};
}

} // namespace troupe::hosting
