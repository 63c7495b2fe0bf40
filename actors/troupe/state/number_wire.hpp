// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/codec/packet.hpp>
#include <troupe/state/wire.hpp>

#include <memory>

namespace troupe::held {

/// How proxies stand in messages of actors: as numbers, which are only good
/// for the state that holds all of them. Results cannot be proxies there.
class number_wire final : public wire {
public:
  /// `via` is how that state is reached here; inside of it, the inner way.
  explicit number_wire(std::shared_ptr<caller> via) noexcept
    : via_(std::move(via)) {
  }

  void save(codec::encoder& to, const target& object) override;
  [[nodiscard]] std::shared_ptr<target> load(codec::decoder& from) override;

  /// Throws `invalid_argument` for handles of anything else.
  static void require_no_handles(const codec::packet& arguments);

private:
  std::shared_ptr<caller> via_;
};

} // namespace troupe::held
