// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/base/bytes.hpp>
#include <troupe/network/credentials.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include <openssl/ssl.h>

namespace troupe::network {

/// A session of TLS between two buffers: it makes no system call.
///
///     bytes that came ─▶ fill ─▶ session ─▶ read
///     write ─▶ session ─▶ out ─▶ bytes to send
class tls_stream {
public:
  enum class outcome : std::uint8_t {
    done,
    /// More has to come first.
    more,
    /// The other end has ended the session, in order.
    ended,
    /// This end or the other does not accept the certificate.
    wrong_key,
    /// What came is no TLS, or has been changed on its way.
    failed,
  };

  /// Throws `invalid_state`.
  explicit tls_stream(const tls_context& with);
  tls_stream(const tls_stream&) = delete;
  tls_stream& operator=(const tls_stream&) = delete;
  ~tls_stream();

  /// Where bytes that came may be put; `filled` says how many.
  [[nodiscard]] bytes_span room() noexcept;
  void filled(std::size_t size) noexcept;

  [[nodiscard]] outcome handshake() noexcept;

  /// Deciphers some of what came. Reads on `done` only.
  [[nodiscard]] outcome read(bytes_span into, std::size_t& size) noexcept;

  /// Enciphers all of it into `out`. Returns false where the session is over.
  [[nodiscard]] bool write(bytes_view from);

  /// Says that the session ends.
  void end() noexcept;

  /// Bytes to send, and how many of them have been sent.
  [[nodiscard]] bytes_view out() const noexcept;
  void sent(std::size_t size) noexcept;

  /// What OpenSSL says of the last failure.
  [[nodiscard]] const std::string& reason() const noexcept {
    return reason_;
  }

private:
  struct io;

  [[nodiscard]] outcome outcome_of(int result) noexcept;

  /// Room for some records at once.
  static constexpr std::size_t room_size = 128U << 10;

  std::unique_ptr<std::byte[]> in_;
  std::size_t in_begin_ = 0;
  std::size_t in_end_ = 0;
  bytes out_;
  std::size_t out_begin_ = 0;
  std::string reason_;
  SSL* session_ = nullptr;
};

} // namespace troupe::network
