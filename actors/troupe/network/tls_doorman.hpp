// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/network/gate.hpp>
#include <troupe/network/wakeful_loop.hpp>
#include <troupe/os/tcp.hpp>

#include <caf/io/doorman.hpp>
#include <caf/io/network/acceptor_impl.hpp>
#include <caf/io/network/default_multiplexer.hpp>

#include <memory>
#include <string>

namespace troupe::network {

/// How an acceptor of CAF's accepts.
class accept_policy {
public:
  explicit accept_policy(int listening) : from_(listening) {
  }

  bool try_accept(caf::io::network::native_socket& taken,
                  caf::io::network::native_socket) {
    taken = from_.accept().release();
    return taken >= 0;
  }

private:
  os::tcp_acceptor from_;
};

/// Accepts connections that the gate lets in, and makes them speak TLS.
class tls_doorman final : public caf::io::doorman {
public:
  tls_doorman(wakeful_loop& loop, os::descriptor listening,
              std::shared_ptr<gate> at, std::chrono::milliseconds silence);

  bool new_connection() override;
  void graceful_shutdown() override;
  void launch() override;
  [[nodiscard]] std::string addr() const override;
  [[nodiscard]] std::uint16_t port() const override;
  void add_to_loop() override;
  void remove_from_loop() override;

private:
  caf::io::network::acceptor_impl<accept_policy> acceptor_;
  wakeful_loop& loop_;
  std::shared_ptr<gate> gate_;
  std::chrono::milliseconds silence_;
};

} // namespace troupe::network
