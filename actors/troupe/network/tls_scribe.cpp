// SPDX-License-Identifier: BSL-1.0
#include <troupe/network/tls_scribe.hpp>

#include <troupe/network/limits.hpp>
#include <troupe/os/tcp.hpp>

#include <algorithm>
#include <cstring>
#include <utility>

#include <openssl/err.h>

namespace troupe::network {

namespace io = caf::io::network;

void forget_errors() noexcept {
  ERR_clear_error();
}

io::rw_state tls_policy::read_some(std::size_t& count, io::native_socket fd,
                                   void* into, std::size_t size) {
  count = 0;
  if (begin_ == end_) {
    if (const auto last = std::exchange(end_, 0); last > 0) {
      begin_ = 0;
      if (last < longest)
        return io::rw_state::success;
    }
    forget_errors();
    const auto result = session_->read_some(end_, fd, record_.data(), longest);
    if (result != io::rw_state::success || end_ == 0)
      return result;
    if (!has_key_) {
      has_key_ = true;
      shown_->succeeded();
    }
  }
  count = std::min(size, end_ - begin_);
  std::memcpy(into, record_.data() + begin_, count);
  begin_ += count;
  return io::rw_state::success;
}

void tls_stream::write_now() {
  auto& waiting = wr_buf();
  if (waiting.empty() || !can_write_now())
    return;
  std::size_t written = 0;
  if (policy_.write_some(written, fd(), waiting.data(), waiting.size())
      == io::rw_state::success)
    waiting.erase(waiting.begin(),
                  waiting.begin() + static_cast<std::ptrdiff_t>(written));
}

tls_scribe::tls_scribe(wakeful_loop& loop, os::descriptor fd,
                       caf::openssl::session_ptr session,
                       std::unique_ptr<handshake> shown)
  : scribe(io::conn_hdl_from_socket(fd.get())),
    loop_(loop),
    // The stream closes it.
    stream_(loop, fd.release(), {std::move(session), std::move(shown)}) {
}

void tls_scribe::configure_read(caf::io::receive_policy::config config) {
  // BASP believes the length that a message begins with, up to 4 GiB. Nothing
  // of ours is so long: the loop sees the end of the connection next.
  if (config.second > longest_content + (1U << 20)) {
    stream_.policy().announced_too_much(config.second);
    return os::shut_down(stream_.fd());
  }
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
  write_now();
  stream_.graceful_shutdown();
  detach(&stream_.backend(), false);
}

void tls_scribe::flush() {
  // With what else is said in this turn: in one piece.
  if (!stream_.can_write_now())
    return stream_.flush(this);
  if (!stream_.wr_buf().empty() && !std::exchange(will_write_, true))
    loop_.write_after_turn(caf::intrusive_ptr<tls_scribe>{this});
}

void tls_scribe::write_now() {
  will_write_ = false;
  stream_.write_now();
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
