// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/network/admission.hpp>
#include <troupe/network/event_loop.hpp>
#include <troupe/network/tls_carrier.hpp>
#include <troupe/os/tcp.hpp>

#include <memory>
#include <optional>

namespace troupe::network {

/// Takes the connections that come to a listening socket and makes a carrier of
/// each. Used by whoever leads its loop.
class acceptor final : public event_loop::source {
public:
  acceptor(std::shared_ptr<event_loop> loop, const tls_context& with,
           const limits& bounds, std::shared_ptr<admission> at,
           tls_carrier::receiver_function to, carrier_terms terms = {});

  void start(os::descriptor listening);
  void close() noexcept;

  void readable() override;
  void alarm() override;

private:
  /// Connections that are taken before those that there are have their turn.
  static constexpr int most_at_once = 64;

  const std::shared_ptr<event_loop> loop_;
  const tls_context& with_;
  const limits bounds_;
  const std::shared_ptr<admission> at_;
  const tls_carrier::receiver_function to_;
  const carrier_terms terms_;
  std::optional<event_loop::watch> watch_;
  std::optional<os::tcp_acceptor> from_;
  bool counts_ = false;
};

} // namespace troupe::network
