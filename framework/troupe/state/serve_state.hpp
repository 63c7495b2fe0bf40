// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/calls/named.hpp>
#include <troupe/codec/coding.hpp>
#include <troupe/memory/reference.hpp>
#include <troupe/process/signals.hpp>

namespace troupe::held {

/// The control block of a state, as the argument of its process.
class control_block_handle {
public:
  explicit control_block_handle(memory::reference home) noexcept
    : home_(std::move(home)) {
  }

  [[nodiscard]] const memory::reference& home() const noexcept {
    return home_;
  }

  void save(codec::encoder& to) const {
    to.handle(home_);
  }
  [[nodiscard]] static control_block_handle load(codec::decoder& from);

private:
  memory::reference home_;
};

/// The function of a state's process: takes requests out of the mailbox and
/// answers them, until the last client is gone.
///
/// It never waits for a client: a call that must wait is put aside. Between
/// calls it looks after deaths and after proxies that were dropped.
void serve_state(const control_block_handle& home);

} // namespace troupe::held

template <>
inline constexpr bool troupe::hosting::leaves_signals_to_root<
  troupe::calls::named<&troupe::held::serve_state>>
  = true;
