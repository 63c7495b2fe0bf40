// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/transport/caf_version.hpp>
#include <troupe/transport/node.hpp>

#include <atomic>
#include <cstdint>
#include <memory>

namespace troupe::machines {

class gateway;

/// Stands, in the root of a run, for an actor of another machine. All processes
/// of the run take it for an actor of the root: what they send it goes to the
/// gateway, and their monitors and links are its own.
class remote_proxy final : public transport::version::proxy_base {
public:
  /// `number` is what the other end calls the actor.
  remote_proxy(caf::actor_config& config, transport::node& of,
               std::shared_ptr<gateway> through, std::uint64_t number);

  ~remote_proxy() override;

  bool enqueue(caf::mailbox_element_ptr what,
               transport::version::execution_context* context) override;

  /// CAF's registry lets go of a proxy, whose actor goes on.
  void kill_proxy(transport::version::execution_context*, caf::error) override {
  }

  const char* name() const override {
    return "troupe.remote_proxy";
  }

  [[nodiscard]] std::uint64_t number() const noexcept {
    return number_;
  }
  [[nodiscard]] bool is_through(const gateway& one) const noexcept {
    return through_.get() == &one;
  }

  /// One more handle has come. The caller holds one.
  void count() noexcept {
    // relaxed: the destructor runs after all who held one.
    counted_.fetch_add(1, std::memory_order_relaxed);
  }

  /// The actor has ended.
  void end(caf::error why);

private:
  transport::node& node_;
  const std::shared_ptr<gateway> through_;
  const std::uint64_t number_;
  // relaxed in `count`; read by the destructor, which CAF's count of references
  // orders behind all who held it.
  std::atomic<std::uint64_t> counted_{0};
};

} // namespace troupe::machines
