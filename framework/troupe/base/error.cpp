// SPDX-License-Identifier: BSL-1.0
#include <troupe/base/error.hpp>

#include <cerrno>
#include <system_error>

namespace troupe {

namespace {

std::string sentence(std::string_view attempted, std::string_view reason,
                     std::string_view advice) {
  std::string text{attempted};
  text.append(": ").append(reason);
  if (!advice.empty())
    text.append("; ").append(advice);
  return text;
}

template <errc... Codes>
[[noreturn]] void
throw_one_of(errc code, std::string_view attempted, std::string_view reason) {
  (((code == Codes) ? throw error_of<Codes>(attempted, reason) : void()), ...);
  throw error(code, attempted, reason);
}

} // namespace

error::error(errc code, std::string_view attempted, std::string_view reason,
             std::string_view advice, int os_error)
  : std::runtime_error(sentence(attempted, reason, advice)),
    code_(code),
    os_error_(os_error) {
}

void throw_error(errc code, std::string_view attempted,
                 std::string_view reason) {
  using enum errc;
  throw_one_of<invalid_argument, invalid_state, stale_handle, limit_reached,
               malformed_bytes, closed, peer_died, process_died, timed_out,
               unknown_function, not_owner, would_deadlock, broken_barrier,
               not_authentic, connection_lost, cancelled, unknown_message_type,
               unknown_name, machine_lost>(code, attempted, reason);
}

os_failure::os_failure(std::string_view attempted, std::string_view advice)
  : os_failure(attempted, advice, errno) {
}

os_failure::os_failure(std::string_view attempted, std::string_view advice,
                       int os_error)
  : error_of(attempted, std::generic_category().message(os_error), advice,
             os_error) {
}

} // namespace troupe
