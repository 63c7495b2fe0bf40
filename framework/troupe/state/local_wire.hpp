// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/state/wire.hpp>

#include <memory>

namespace troupe::held {

/// How proxies stand in the bytes of calls inside of a run: a byte, and then
/// the object's number (1) or a handle (0).
///
/// A number is good for an argument of a call that is waited for, since the
/// caller's own proxy keeps the object meanwhile. It is cheaper than a handle,
/// and a caller that is killed leaves no share of a handle behind.
class local_wire final : public wire {
public:
  /// Objects that are reached by `by_number` are written so; nullptr: none.
  explicit local_wire(const caller* by_number) noexcept
    : by_number_(by_number) {
  }

  void save(codec::encoder& to, const target& object) override;
  [[nodiscard]] std::shared_ptr<target> load(codec::decoder& from) override;

private:
  const caller* by_number_;
};

} // namespace troupe::held
