// SPDX-License-Identifier: BSL-1.0
#include <troupe/network/tls_doorman.hpp>

#include <troupe/network/tls_scribe.hpp>

#include <caf/io/abstract_broker.hpp>

#include <stdexcept>
#include <utility>

namespace troupe::network {

namespace io = caf::io::network;

tls_doorman::tls_doorman(wakeful_loop& loop, os::descriptor listening,
                         std::shared_ptr<gate> at,
                         std::chrono::milliseconds silence)
  : doorman(io::accept_hdl_from_socket(listening.get())),
    acceptor_(loop, listening.get(), listening.get()),
    loop_(loop),
    gate_(std::move(at)),
    silence_(silence) {
  static_cast<void>(listening.release());
}

bool tls_doorman::new_connection() {
  os::descriptor fd{acceptor_.accepted_socket()};
  // The broker may be gone while the loop still has news for it.
  if (detached())
    return false;
  auto visitor = gate_->admit(fd.get());
  if (!visitor)
    return true;
  os::give_up_after(fd.get(), silence_);
  caf::openssl::session_ptr session;
  forget_errors();
  try {
    session = caf::openssl::make_session(parent()->system(), fd.get(), true);
  } catch (const std::runtime_error&) {
    // CAF could not read the certificate: no descriptor is left.
  }
  if (!session) {
    visitor.reset();
    return true;
  }
  auto made = caf::make_counted<tls_scribe>(loop_, std::move(fd),
                                            std::move(session),
                                            std::move(visitor));
  const auto handle = made->hdl();
  parent()->add_scribe(std::move(made));
  return doorman::new_connection(&loop_, handle);
}

void tls_doorman::graceful_shutdown() {
  acceptor_.graceful_shutdown();
  detach(&acceptor_.backend(), false);
}

void tls_doorman::launch() {
  acceptor_.start(this);
}

std::string tls_doorman::addr() const {
  const auto name = io::local_addr_of_fd(acceptor_.fd());
  return name ? *name : std::string{};
}

std::uint16_t tls_doorman::port() const {
  return os::local_port(acceptor_.fd());
}

void tls_doorman::add_to_loop() {
  acceptor_.activate(this);
}

void tls_doorman::remove_from_loop() {
  acceptor_.passivate();
}

} // namespace troupe::network
