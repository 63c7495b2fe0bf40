// SPDX-License-Identifier: BSL-1.0
#include <troupe/state/network/wakeful_loop.hpp>

#include <troupe/mailbox/spinner.hpp>

namespace troupe::network {

void wakeful_loop::run() {
  auto& patience = mailbox::spinner::of_this_thread();
  while (num_socket_handlers() > 0)
    if (!patience.spin([this] { return try_run_once(); }, deadline::never()))
      run_once();
}

} // namespace troupe::network
