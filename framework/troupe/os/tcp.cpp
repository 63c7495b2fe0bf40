// SPDX-License-Identifier: BSL-1.0
#include <troupe/os/tcp.hpp>

#include <troupe/base/error.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <memory>

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace troupe::os {

namespace {

/// Connections that nobody has accepted yet: as many as the system allows
/// (/proc/sys/net/core/somaxconn). One too many waits a second for its next
/// try.
constexpr int backlog = 65'535;

struct free_list {
  void operator()(addrinfo* list) const noexcept {
    ::freeaddrinfo(list);
  }
};
using addresses = std::unique_ptr<addrinfo, free_list>;

std::string name_of(const std::string& host, std::uint16_t port) {
  const auto number = std::to_string(port);
  return host.find(':') == std::string::npos ? host + ':' + number
                                             : '[' + host + "]:" + number;
}

addresses resolve(const std::string& host, std::uint16_t port, int flags,
                  const std::string& attempted) {
  addrinfo wanted{};
  wanted.ai_family = AF_UNSPEC;
  wanted.ai_socktype = SOCK_STREAM;
  wanted.ai_flags = flags | AI_NUMERICSERV;
  addrinfo* list = nullptr;
  const auto number = std::to_string(port);
  const int failed = ::getaddrinfo(host.c_str(), number.c_str(), &wanted,
                                   &list);
  if (failed == EAI_SYSTEM)
    throw os_failure(attempted);
  if (failed != 0)
    throw invalid_argument(attempted, ::gai_strerror(failed));
  return addresses{list};
}

descriptor open_socket(const addrinfo& at) {
  return descriptor{::socket(at.ai_family,
                             at.ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK,
                             at.ai_protocol)};
}

void set(int fd, int level, int option, int value) noexcept {
  ::setsockopt(fd, level, option, &value, sizeof value);
}

/// Returns 0 or the errno of the failure; ETIMEDOUT at the limit.
int connect_to(int fd, const addrinfo& at, deadline limit) {
  if (::connect(fd, at.ai_addr, at.ai_addrlen) == 0)
    return 0;
  if (errno != EINPROGRESS && errno != EINTR)
    return errno;
  for (;;) {
    pollfd polled{fd, POLLOUT, 0};
    int milliseconds = -1;
    if (!limit.is_never())
      milliseconds = static_cast<int>(std::min<std::chrono::milliseconds::rep>(
        std::chrono::ceil<std::chrono::milliseconds>(limit.left()).count(),
        INT_MAX));
    const int count = ::poll(&polled, 1, milliseconds);
    if (count > 0)
      break;
    if (count == 0 && limit.passed())
      return ETIMEDOUT;
    if (count < 0 && errno != EINTR)
      return errno;
  }
  int result = 0;
  socklen_t size = sizeof result;
  if (::getsockopt(fd, SOL_SOCKET, SO_ERROR, &result, &size) != 0)
    return errno;
  return result;
}

} // namespace

descriptor listen_tcp(const std::string& host, std::uint16_t port) {
  const auto attempted = "listen at " + name_of(host, port);
  const auto list = resolve(host, port, AI_PASSIVE, attempted);
  int refused = 0;
  for (const auto* at = list.get(); at != nullptr; at = at->ai_next) {
    auto fd = open_socket(*at);
    if (fd) {
      set(fd.get(), SOL_SOCKET, SO_REUSEADDR, 1);
      if (::bind(fd.get(), at->ai_addr, at->ai_addrlen) == 0
          && ::listen(fd.get(), backlog) == 0)
        return fd;
    }
    refused = errno;
  }
  throw os_failure(attempted, {}, refused);
}

descriptor connect_tcp(const std::string& host, std::uint16_t port,
                       deadline limit) {
  const auto attempted = "connect to " + name_of(host, port);
  const auto list = resolve(host, port, 0, attempted);
  int refused = 0;
  for (const auto* at = list.get(); at != nullptr; at = at->ai_next) {
    auto fd = open_socket(*at);
    refused = fd ? connect_to(fd.get(), *at, limit) : errno;
    if (refused == 0)
      return fd;
  }
  if (refused == ETIMEDOUT && limit.passed())
    throw timed_out(attempted, "nobody has answered");
  throw os_failure(attempted, {}, refused);
}

tcp_acceptor::tcp_acceptor(int listening)
  : listening_(listening), spare_(::open("/dev/null", O_RDONLY | O_CLOEXEC)) {
}

descriptor tcp_acceptor::accept() noexcept {
  constexpr int flags = SOCK_CLOEXEC | SOCK_NONBLOCK;
  descriptor taken{::accept4(listening_, nullptr, nullptr, flags)};
  if (!taken && (errno == EMFILE || errno == ENFILE)) {
    spare_.reset();
    descriptor{::accept4(listening_, nullptr, nullptr, flags)}.reset();
    spare_ = descriptor{::open("/dev/null", O_RDONLY | O_CLOEXEC)};
  }
  return taken;
}

std::uint16_t local_port(int fd) noexcept {
  sockaddr_storage at{};
  socklen_t size = sizeof at;
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&at), &size) != 0)
    return 0;
  if (at.ss_family == AF_INET6)
    return ntohs(reinterpret_cast<const sockaddr_in6&>(at).sin6_port);
  return ntohs(reinterpret_cast<const sockaddr_in&>(at).sin_port);
}

std::string name_of_peer(int fd) {
  sockaddr_storage at{};
  socklen_t size = sizeof at;
  std::array<char, NI_MAXHOST> host{};
  std::array<char, NI_MAXSERV> port{};
  auto* const name = reinterpret_cast<sockaddr*>(&at);
  if (::getpeername(fd, name, &size) != 0
      || ::getnameinfo(name, size, host.data(), host.size(), port.data(),
                       port.size(), NI_NUMERICHOST | NI_NUMERICSERV)
           != 0)
    return "somebody";
  const std::string text{host.data()};
  return text.find(':') == std::string::npos ? text + ':' + port.data()
                                             : '[' + text + "]:" + port.data();
}

void send_without_delay(int fd) noexcept {
  set(fd, IPPROTO_TCP, TCP_NODELAY, 1);
}

void send_little_ahead(int fd, unsigned size) noexcept {
  set(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, static_cast<int>(size));
}

namespace {

transfer transfer_of(ssize_t count) noexcept {
  using enum transfer::outcome;
  if (count >= 0)
    return {some, static_cast<std::size_t>(count)};
  return {errno == EAGAIN || errno == EINTR ? would_wait : failed, 0};
}

} // namespace

transfer receive_some(int fd, bytes_span into) noexcept {
  const auto count = ::recv(fd, into.data(), into.size(), MSG_DONTWAIT);
  if (count == 0 && !into.empty())
    return {transfer::outcome::ended, 0};
  return transfer_of(count);
}

transfer send_some(int fd, bytes_view from) noexcept {
  return transfer_of(
    ::send(fd, from.data(), from.size(), MSG_DONTWAIT | MSG_NOSIGNAL));
}

void shut_down(int fd) noexcept {
  ::shutdown(fd, SHUT_RDWR);
}

} // namespace troupe::os
