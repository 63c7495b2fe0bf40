// SPDX-License-Identifier: BSL-1.0
#include <troupe/network/acceptor.hpp>

#include <utility>

namespace troupe::network {

acceptor::acceptor(std::shared_ptr<event_loop> loop, const tls_context& with,
                   const limits& bounds, std::shared_ptr<admission> at,
                   tls_carrier::receiver_function to, carrier_terms terms)
  : loop_(std::move(loop)),
    with_(with),
    bounds_(bounds),
    at_(std::move(at)),
    to_(std::move(to)),
    terms_(std::move(terms)) {
}

void acceptor::start(os::descriptor listening) {
  from_.emplace(listening.get());
  watch_.emplace(*loop_, std::move(listening), weak_from_this());
  watch_->await_readable();
}

void acceptor::close() noexcept {
  watch_.reset();
}

void acceptor::readable() {
  if (!watch_)
    return;
  for (int i = 0; i < most_at_once; ++i) {
    auto fd = from_->accept();
    if (!fd)
      break;
    try {
      tls_carrier::make_server(loop_, with_, std::move(fd), bounds_, at_, to_,
                               terms_);
    } catch (const std::exception&) {
      // No memory, or OpenSSL will not: that connection is closed.
      continue;
    }
  }
  watch_->await_readable();
  if (at_->has_left_out() && !std::exchange(counts_, true))
    watch_->alarm_after(admission::count_pause);
}

void acceptor::alarm() {
  counts_ = false;
  if (watch_ && at_->tell_count() && !std::exchange(counts_, true))
    watch_->alarm_after(admission::count_pause);
}

} // namespace troupe::network
