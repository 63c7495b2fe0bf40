// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/base/bytes.hpp>
#include <troupe/base/deadline.hpp>
#include <troupe/os/descriptor.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

/// Stream sockets. None blocks, all are closed on exec.
namespace troupe::os {

/// Listens at `host`, a number or a name of this machine; port 0: any free one.
/// Throws `os_failure`, `invalid_argument` for a name that nobody knows.
/// @blocks on the resolver, for a name
[[nodiscard]] descriptor listen_tcp(const std::string& host,
                                    std::uint16_t port);

/// Connects to `host`, trying each of its numbers. Throws `os_failure`,
/// `timed_out`, `invalid_argument` for a name that nobody knows.
/// @blocks on the resolver, for a name, and on the other end, until `limit`
[[nodiscard]] descriptor connect_tcp(const std::string& host,
                                     std::uint16_t port, deadline limit);

/// Takes a connection that waits; none: nobody waits. Where this process has no
/// descriptor left, the one that waits is closed, so that it is not found again
/// and again.
class tcp_acceptor {
public:
  /// `listening` stays its owner's.
  explicit tcp_acceptor(int listening);
  [[nodiscard]] descriptor accept() noexcept;

private:
  int listening_;
  descriptor spare_;
};

/// The port that a socket is bound to.
[[nodiscard]] std::uint16_t local_port(int fd) noexcept;

/// The other end of a connection: "127.0.0.1:4242", "[::1]:4242".
[[nodiscard]] std::string name_of_peer(int fd);

/// Has what is written leave at once, however little it is.
void send_without_delay(int fd) noexcept;

/// Lets at most so many bytes wait in the kernel that it has not sent: what is
/// more urgent and comes later then waits for these only.
void send_little_ahead(int fd, unsigned size) noexcept;

/// What became of a transfer that does not wait.
struct transfer {
  enum class outcome : std::uint8_t {
    /// `size` bytes were moved.
    some,
    /// Nothing could be moved now.
    would_wait,
    /// The other end has closed the connection, in order.
    ended,
    /// The connection is broken.
    failed,
  };

  outcome what = outcome::failed;
  std::size_t size = 0;
};

/// Takes what has come. Does not wait.
[[nodiscard]] transfer receive_some(int fd, bytes_span into) noexcept;

/// Sends as much as the kernel takes. Does not wait, and raises no SIGPIPE.
[[nodiscard]] transfer send_some(int fd, bytes_view from) noexcept;

/// Ends a connection whose descriptor is somebody else's to close.
void shut_down(int fd) noexcept;

} // namespace troupe::os
