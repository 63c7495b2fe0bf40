// SPDX-License-Identifier: BSL-1.0
#include <troupe/state/network/tls_scribe.hpp>

#include <utility>

#include <openssl/err.h>

namespace troupe::network {

namespace io = caf::io::network;

void forget_errors() noexcept {
  ERR_clear_error();
}

tls_scribe::tls_scribe(io::default_multiplexer& loop, os::descriptor fd,
                       caf::openssl::session_ptr session,
                       std::unique_ptr<handshake> shown)
  : scribe(io::conn_hdl_from_socket(fd.get())),
    // The stream closes it.
    stream_(loop, fd.release(), std::move(session), std::move(shown)) {
}

void tls_scribe::configure_read(caf::io::receive_policy::config config) {
  stream_.configure_read(config);
  if (std::exchange(launched_, true))
    return;
  stream_.start(this);
  // TLS may have to write before there is anything to say.
  stream_.force_empty_write(this);
}

void tls_scribe::ack_writes(bool enable) {
  stream_.ack_writes(enable);
}

caf::byte_buffer& tls_scribe::wr_buf() {
  return stream_.wr_buf();
}

caf::byte_buffer& tls_scribe::rd_buf() {
  return stream_.rd_buf();
}

void tls_scribe::graceful_shutdown() {
  stream_.graceful_shutdown();
  detach(&stream_.backend(), false);
}

void tls_scribe::flush() {
  stream_.flush(this);
}

std::string tls_scribe::addr() const {
  const auto name = io::remote_addr_of_fd(stream_.fd());
  return name ? *name : std::string{};
}

std::uint16_t tls_scribe::port() const {
  const auto number = io::remote_port_of_fd(stream_.fd());
  return number ? *number : std::uint16_t{0};
}

void tls_scribe::add_to_loop() {
  stream_.activate(this);
}

void tls_scribe::remove_from_loop() {
  stream_.passivate();
}

} // namespace troupe::network
