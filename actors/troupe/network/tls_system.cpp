// SPDX-License-Identifier: BSL-1.0
#include <troupe/network/tls_system.hpp>

#include <troupe/network/messages.hpp>
#include <troupe/network/wakeful_middleman.hpp>

#include <caf/io/basp_broker.hpp>
#include <caf/io/middleman.hpp>
#include <caf/openssl/manager.hpp>

#include <algorithm>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

namespace troupe::network {

class tls_system::configuration : public caf::actor_system_config {
public:
  configuration(const credentials& shown, const limits& bounds) {
    load<wakeful_middleman>();
    load<caf::openssl::manager>();
    // Nothing here is for the user's configuration file to change.
    set("caf.scheduler.max-threads", 1);
    set("caf.scheduler.policy", "sharing");
    // The loop decodes what it has read: another thread costs a wake-up.
    set("caf.middleman.workers", 0);
    set("caf.middleman.attach-utility-actors", true);
    const caf::timespan beat = std::max(bounds.silence / 5,
                                        std::chrono::milliseconds{1});
    set("caf.middleman.heartbeat-interval", beat);
    set("caf.middleman.connection-timeout", caf::timespan{bounds.silence});
    set("caf.middleman.app-identifiers",
        std::vector<std::string>{"troupe state 1"});
    set("caf.openssl.certificate", shown.certificate_path());
    set("caf.openssl.key", shown.private_key_path());
    set("caf.openssl.cafile", shown.certificate_path());
  }
};

tls_system::tls_system(const key& shared, const limits& bounds)
  : shown_(shared), config_(std::make_unique<configuration>(shown_, bounds)) {
  const visit here;
  actors_ = std::make_unique<caf::actor_system>(*config_);
  actors_->await_actors_before_shutdown(false);
}

tls_system::~tls_system() {
  // CAF's destructor uses a thread-local object, and those of a thread that
  // calls exit are gone by then.
  std::thread{[this] { actors_.reset(); }}.join();
}

tls_system::visit::~visit() {
  transport::version::forget_system();
}

wakeful_loop& tls_system::loop() {
  return static_cast<wakeful_loop&>(actors_->middleman().backend());
}

caf::actor tls_system::basp() {
  return actors_->middleman().named_broker<caf::io::basp_broker>("BASP");
}

} // namespace troupe::network
