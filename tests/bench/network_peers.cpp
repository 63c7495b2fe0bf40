// SPDX-License-Identifier: BSL-1.0
#include "network_peers.hpp"

#include "bare.hpp"
#include "suite.hpp"

#include <troupe/network/credentials.hpp>
#include <troupe/network/key.hpp>
#include <troupe/os/descriptor.hpp>
#include <troupe/os/tcp.hpp>

#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include <fcntl.h>
#include <openssl/ssl.h>
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
  troupe::os::descriptor here;
  troupe::os::descriptor there;

  tcp_ends() {
    const std::string loopback = "127.0.0.1";
    const auto listening = troupe::os::listen_tcp(loopback, 0);
    here = troupe::os::connect_tcp(loopback,
                                   troupe::os::local_port(listening.get()),
                                   troupe::deadline::never());
    there = troupe::os::tcp_acceptor{listening.get()}.accept();
    require(bool{there});
    for (const auto* end : {&here, &there})
      troupe::os::send_without_delay(end->get());
  }
};

/// Reads and writes sleep.
void make_blocking(const tcp_ends& of) {
  for (const auto* end : {&of.here, &of.there})
    require(
      ::fcntl(end->get(), F_SETFL, ::fcntl(end->get(), F_GETFL) & ~O_NONBLOCK)
      == 0);
}

void read_all(int from, std::vector<char>& into) {
  for (std::size_t got = 0; got < into.size();) {
    const auto more = ::read(from, into.data() + got, into.size() - got);
    require(more > 0);
    got += static_cast<std::size_t>(more);
  }
}

void write_all(int to, const std::vector<char>& from) {
  for (std::size_t gone = 0; gone < from.size();) {
    const auto more = ::write(to, from.data() + gone, from.size() - gone);
    require(more > 0);
    gone += static_cast<std::size_t>(more);
  }
}

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
    session with{context, ends.there.get()};
    for (long i = 0; i < count; ++i) {
      with.read(message);
      with.write(message);
    }
  }};
  const tls_context context{shown, tls_context::role::client};
  session with{context, ends.here.get()};
  const auto start = clock_type::now();
  for (long i = 0; i < count; ++i) {
    with.write(message);
    with.read(message);
  }
  return static_cast<double>(count) / seconds_since(start);
}

double tcp_ping_pong(long count, std::size_t size) {
  const tcp_ends ends;
  make_blocking(ends);
  std::vector<char> message(size, 'x');
  const fork_of_this other{[&] {
    for (long i = 0; i < count; ++i) {
      read_all(ends.there.get(), message);
      write_all(ends.there.get(), message);
    }
  }};
  const auto start = clock_type::now();
  for (long i = 0; i < count; ++i) {
    write_all(ends.here.get(), message);
    read_all(ends.here.get(), message);
  }
  return seconds_since(start) * 1e6 / static_cast<double>(count);
}

double tls_one_way(long count, std::size_t size) {
  const auto shown = std::make_shared<const troupe::network::credentials>(
    troupe::network::key::random());
  const tcp_ends ends;
  make_blocking(ends);
  std::vector<char> message(size, 'x');
  std::vector<char> done(1);
  const fork_of_this other{[&] {
    const tls_context context{shown, tls_context::role::server};
    session with{context, ends.there.get()};
    for (long i = 0; i < count; ++i)
      with.read(message);
    with.write(done);
  }};
  const tls_context context{shown, tls_context::role::client};
  session with{context, ends.here.get()};
  const auto start = clock_type::now();
  for (long i = 0; i < count; ++i)
    with.write(message);
  with.read(done);
  return static_cast<double>(count) / seconds_since(start);
}

} // namespace bench::peers
