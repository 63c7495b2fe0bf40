// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/os/descriptor.hpp>
#include <troupe/state/network/handshake.hpp>

#include <caf/actor_system.hpp>
#include <caf/io/network/default_multiplexer.hpp>
#include <caf/io/network/stream_impl.hpp>
#include <caf/io/scribe.hpp>
#include <caf/openssl/session.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace troupe::network {

/// Forgets what OpenSSL has noted about other sessions in this thread. CAF's
/// session does not, and would take the failure of one for that of the next: a
/// stranger without the key could end the connections of those who have it.
void forget_errors() noexcept;

/// How a stream of CAF's reads and writes: through a TLS session.
class tls_policy {
public:
  tls_policy(caf::openssl::session_ptr session,
             std::unique_ptr<handshake> shown) noexcept
    : session_(std::move(session)), shown_(std::move(shown)) {
  }

  caf::io::network::rw_state read_some(std::size_t& count,
                                       caf::io::network::native_socket fd,
                                       void* into, std::size_t size) {
    forget_errors();
    const auto result = session_->read_some(count, fd, into, size);
    if (count > 0 && !has_key_) {
      has_key_ = true;
      shown_->succeeded();
    }
    return result;
  }

  caf::io::network::rw_state write_some(std::size_t& count,
                                        caf::io::network::native_socket fd,
                                        const void* from, std::size_t size) {
    forget_errors();
    return session_->write_some(count, fd, from, size);
  }

  bool must_read_more(caf::io::network::native_socket fd,
                      std::size_t threshold) {
    return session_->must_read_more(fd, threshold);
  }

private:
  caf::openssl::session_ptr session_;
  std::unique_ptr<handshake> shown_;
  bool has_key_ = false;
};

/// A connection of a broker that speaks TLS. CAF's own is hidden, and tells
/// nobody when the other end has shown its certificate.
class tls_scribe final : public caf::io::scribe {
public:
  tls_scribe(caf::io::network::default_multiplexer& loop, os::descriptor fd,
             caf::openssl::session_ptr session,
             std::unique_ptr<handshake> shown);

  void configure_read(caf::io::receive_policy::config config) override;
  void ack_writes(bool enable) override;
  caf::byte_buffer& wr_buf() override;
  caf::byte_buffer& rd_buf() override;
  void graceful_shutdown() override;
  void flush() override;
  [[nodiscard]] std::string addr() const override;
  [[nodiscard]] std::uint16_t port() const override;
  void add_to_loop() override;
  void remove_from_loop() override;

private:
  bool launched_ = false;
  caf::io::network::stream_impl<tls_policy> stream_;
};

} // namespace troupe::network
