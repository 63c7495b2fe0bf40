// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/network/handshake.hpp>
#include <troupe/network/wakeful_loop.hpp>
#include <troupe/os/descriptor.hpp>

#include <caf/actor_system.hpp>
#include <caf/io/network/default_multiplexer.hpp>
#include <caf/io/network/stream.hpp>
#include <caf/io/scribe.hpp>
#include <caf/openssl/session.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace troupe::network {

/// Forgets what OpenSSL has noted about other sessions in this thread. CAF's
/// session does not, and would take the failure of one for that of the next: a
/// stranger without the key could end the connections of those who have it.
void forget_errors() noexcept;

/// How a stream of CAF's reads and writes: through a TLS session.
///
/// CAF's session makes three system calls besides each that reads or writes, and
/// BASP reads every message in two pieces. So this one reads whole records, and
/// does not ask for another behind one that ends early: the loop will tell.
class tls_policy {
public:
  tls_policy(caf::openssl::session_ptr session,
             std::unique_ptr<handshake> shown)
    : session_(std::move(session)), shown_(std::move(shown)), record_(longest) {
  }

  caf::io::network::rw_state read_some(std::size_t& count,
                                       caf::io::network::native_socket fd,
                                       void* into, std::size_t size);

  caf::io::network::rw_state write_some(std::size_t& count,
                                        caf::io::network::native_socket fd,
                                        const void* from, std::size_t size) {
    forget_errors();
    return session_->write_some(count, fd, from, size);
  }

  bool must_read_more(caf::io::network::native_socket, std::size_t threshold) {
    return end_ - begin_ >= threshold;
  }

  /// Whether the other end has shown the key.
  [[nodiscard]] bool has_key() const noexcept {
    return has_key_;
  }

  void announced_too_much(std::uint64_t size) noexcept {
    if (shown_)
      shown_->announced_too_much(size);
  }

private:
  /// Of a record, says TLS.
  static constexpr std::size_t longest = 16U << 10;

  caf::openssl::session_ptr session_;
  std::unique_ptr<handshake> shown_;
  bool has_key_ = false;
  /// The record that was read last, and what of it is not taken yet.
  std::vector<std::byte> record_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

/// A stream of CAF's that speaks TLS.
class tls_stream final : public caf::io::network::stream {
public:
  tls_stream(caf::io::network::default_multiplexer& loop,
             caf::io::network::native_socket fd, tls_policy policy)
    : stream(loop, fd), policy_(std::move(policy)) {
  }

  void handle_event(caf::io::network::operation which) override {
    handle_event_impl(which, policy_);
  }

  [[nodiscard]] tls_policy& policy() noexcept {
    return policy_;
  }

  /// Whether `write_now` may do something.
  [[nodiscard]] bool can_write_now() const noexcept {
    return !state_.writing && !state_.ack_writes && policy_.has_key();
  }

  /// Writes what is to be written. CAF's stream asks the system first when it
  /// may, which takes longer than to try. What is left, and failures, are for
  /// that way.
  void write_now();

private:
  tls_policy policy_;
};

/// A connection of a broker that speaks TLS. CAF's own is hidden, and tells
/// nobody when the other end has shown its certificate.
class tls_scribe final : public caf::io::scribe, public turn_writer {
public:
  tls_scribe(wakeful_loop& loop, os::descriptor fd,
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

  void write_now() override;

private:
  bool launched_ = false;
  wakeful_loop& loop_;
  /// `write_now` will be called.
  bool will_write_ = false;
  tls_stream stream_;
};

} // namespace troupe::network
