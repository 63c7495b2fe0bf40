// SPDX-License-Identifier: BSL-1.0
#include <troupe/network/tls_stream.hpp>

#include <troupe/base/error.hpp>

#include <algorithm>
#include <cstring>
#include <new>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/sslerr.h>

namespace troupe::network {

/// The session's ends, as OpenSSL's BIO.
struct tls_stream::io {
  static tls_stream& of(BIO* bio) noexcept {
    return *static_cast<tls_stream*>(BIO_get_data(bio));
  }

  static int read(BIO* bio, char* into, int size) {
    auto& from = of(bio);
    BIO_clear_retry_flags(bio);
    const auto count = std::min(static_cast<std::size_t>(size),
                                from.in_end_ - from.in_begin_);
    if (count == 0) {
      BIO_set_retry_read(bio);
      return -1;
    }
    std::memcpy(into, from.in_.get() + from.in_begin_, count);
    from.in_begin_ += count;
    if (from.in_begin_ == from.in_end_)
      from.in_begin_ = from.in_end_ = 0;
    return static_cast<int>(count);
  }

  static int write(BIO* bio, const char* from, int size) {
    const auto* const begin = reinterpret_cast<const std::byte*>(from);
    BIO_clear_retry_flags(bio);
    try {
      of(bio).out_.insert(of(bio).out_.end(), begin, begin + size);
    } catch (const std::bad_alloc&) {
      return -1;
    }
    return size;
  }

  static long control(BIO*, int command, long, void*) {
    return command == BIO_CTRL_FLUSH ? 1 : 0;
  }

  static const BIO_METHOD* method() {
    static const auto* const made = [] {
      auto* const all = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "troupe");
      if (all != nullptr) {
        BIO_meth_set_read(all, read);
        BIO_meth_set_write(all, write);
        BIO_meth_set_ctrl(all, control);
      }
      return all;
    }();
    return made;
  }
};

tls_stream::tls_stream(const tls_context& with)
  : in_(std::make_unique_for_overwrite<std::byte[]>(room_size)),
    session_(SSL_new(with.get())) {
  auto* const bio = io::method() == nullptr ? nullptr : BIO_new(io::method());
  if (session_ == nullptr || bio == nullptr) {
    BIO_free(bio);
    SSL_free(session_);
    throw invalid_state("begin a session of TLS", "OpenSSL refused to");
  }
  BIO_set_data(bio, this);
  BIO_set_init(bio, 1);
  SSL_set_bio(session_, bio, bio);
  if (with.as() == tls_context::role::client)
    SSL_set_connect_state(session_);
  else
    SSL_set_accept_state(session_);
}

tls_stream::~tls_stream() {
  SSL_free(session_);
}

bytes_span tls_stream::room() noexcept {
  // What is left of a record moves to the front.
  if (in_begin_ > 0) {
    std::memmove(in_.get(), in_.get() + in_begin_, in_end_ - in_begin_);
    in_end_ -= in_begin_;
    in_begin_ = 0;
  }
  return {in_.get() + in_end_, room_size - in_end_};
}

void tls_stream::filled(std::size_t size) noexcept {
  in_end_ += size;
}

tls_stream::outcome tls_stream::outcome_of(int result) noexcept {
  switch (SSL_get_error(session_, result)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE: return outcome::more;
    case SSL_ERROR_ZERO_RETURN: return outcome::ended;
    default: break;
  }
  const auto failed = ERR_peek_last_error();
  const auto* const why = ERR_reason_error_string(failed);
  reason_ = why == nullptr ? "no reason" : why;
  switch (ERR_GET_REASON(failed)) {
    case SSL_R_CERTIFICATE_VERIFY_FAILED:
    case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE:
    case SSL_R_BAD_SIGNATURE:
    case SSL_R_TLSV1_ALERT_UNKNOWN_CA:
    case SSL_R_TLSV1_ALERT_DECRYPT_ERROR:
    case SSL_R_TLSV1_ALERT_ACCESS_DENIED:
    case SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED:
    case SSL_R_SSLV3_ALERT_BAD_CERTIFICATE:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN:
    case SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE: return outcome::wrong_key;
    default: return outcome::failed;
  }
}

// Each failure leaves an entry in the thread's queue of errors, which the next
// session of the thread must not take for its own.

tls_stream::outcome tls_stream::handshake() noexcept {
  ERR_clear_error();
  const int result = SSL_do_handshake(session_);
  const auto came_to = result == 1 ? outcome::done : outcome_of(result);
  ERR_clear_error();
  return came_to;
}

tls_stream::outcome tls_stream::read(bytes_span into,
                                     std::size_t& size) noexcept {
  ERR_clear_error();
  const int result = SSL_read_ex(session_, into.data(), into.size(), &size);
  if (result == 1)
    return outcome::done;
  size = 0;
  const auto came_to = outcome_of(result);
  ERR_clear_error();
  return came_to;
}

bool tls_stream::write(bytes_view from) {
  ERR_clear_error();
  std::size_t size = 0;
  return SSL_write_ex(session_, from.data(), from.size(), &size) == 1
         && size == from.size();
}

void tls_stream::end() noexcept {
  ERR_clear_error();
  static_cast<void>(SSL_shutdown(session_));
  ERR_clear_error();
}

bytes_view tls_stream::out() const noexcept {
  return bytes_view{out_}.subspan(out_begin_);
}

void tls_stream::sent(std::size_t size) noexcept {
  out_begin_ += size;
  if (out_begin_ == out_.size()) {
    out_.clear();
    out_begin_ = 0;
  }
}

} // namespace troupe::network
