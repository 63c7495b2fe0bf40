// SPDX-License-Identifier: BSL-1.0
#include "network_peers.hpp"

#include "bare.hpp"
#include "suite.hpp"

#include <troupe/network/credentials.hpp>
#include <troupe/network/key.hpp>

#include <cstdlib>
#include <memory>
#include <vector>

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

namespace bench::peers {

namespace {

using troupe::network::tls_context;

void require(bool good) {
  if (!good)
    std::abort();
}

/// One connection over loopback: the end that connected, and the other one.
struct tcp_ends {
  int here = ::socket(AF_INET, SOCK_STREAM, 0);
  int there = -1;

  tcp_ends() {
    const int listener = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof at;
    auto* const address = reinterpret_cast<sockaddr*>(&at);
    require(::bind(listener, address, size) == 0 && ::listen(listener, 1) == 0
            && ::getsockname(listener, address, &size) == 0
            && ::connect(here, address, size) == 0);
    there = ::accept(listener, nullptr, nullptr);
    ::close(listener);
    for (const int end : {here, there}) {
      const int on = 1;
      require(::setsockopt(end, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0
              && ::fcntl(end, F_SETFL, O_NONBLOCK) == 0);
    }
  }
  tcp_ends(const tcp_ends&) = delete;
  tcp_ends& operator=(const tcp_ends&) = delete;
  ~tcp_ends() {
    ::close(here);
    ::close(there);
  }
};

class session {
public:
  session(const tls_context& with, int socket) : ssl_(SSL_new(with.get())) {
    require(ssl_ != nullptr && SSL_set_fd(ssl_, socket) == 1);
    if (with.as() == tls_context::role::client)
      SSL_set_connect_state(ssl_);
    else
      SSL_set_accept_state(ssl_);
    retry([this] { return SSL_do_handshake(ssl_); });
  }
  session(const session&) = delete;
  session& operator=(const session&) = delete;
  ~session() {
    SSL_free(ssl_);
  }

  void read(std::vector<char>& into) {
    for (std::size_t got = 0; got < into.size();)
      got += static_cast<std::size_t>(retry([&] {
        return SSL_read(ssl_, into.data() + got,
                        static_cast<int>(into.size() - got));
      }));
  }

  void write(const std::vector<char>& from) {
    retry([&] {
      return SSL_write(ssl_, from.data(), static_cast<int>(from.size()));
    });
  }

private:
  template <class Work>
  int retry(Work work) {
    for (;;) {
      const int result = work();
      if (result > 0)
        return result;
      const int cause = SSL_get_error(ssl_, result);
      require(cause == SSL_ERROR_WANT_READ || cause == SSL_ERROR_WANT_WRITE);
    }
  }

  SSL* ssl_;
};

} // namespace

double tls_ping_pong(long count, std::size_t size) {
  const auto shown = std::make_shared<const troupe::network::credentials>(
    troupe::network::key::random());
  const tcp_ends ends;
  std::vector<char> message(size, 'x');
  const fork_of_this other{[&] {
    const tls_context context{shown, tls_context::role::server};
    session with{context, ends.there};
    for (long i = 0; i < count; ++i) {
      with.read(message);
      with.write(message);
    }
  }};
  const tls_context context{shown, tls_context::role::client};
  session with{context, ends.here};
  const auto start = clock_type::now();
  for (long i = 0; i < count; ++i) {
    with.write(message);
    with.read(message);
  }
  return static_cast<double>(count) / seconds_since(start);
}

} // namespace bench::peers
