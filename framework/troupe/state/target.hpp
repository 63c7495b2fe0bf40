// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/codec/decoder.hpp>
#include <troupe/codec/encoder.hpp>
#include <troupe/state/caller.hpp>

#include <cstdint>
#include <memory>
#include <utility>

namespace troupe::held {

/// The number of an object in its state: its index in the low half, and the
/// generation of that index in the high half. Never used twice.
using object_number = std::uint64_t;

/// The state itself, seen as an object: what it can be asked by everybody.
inline constexpr object_number the_state = 0;

/// What proxies refer to: an object in a state. The object lives while there
/// is a target of it in a living process, on a living connection, in a message
/// or inside of another held object.
class target {
public:
  target(object_number number, std::shared_ptr<caller> via) noexcept
    : number_(number), via_(std::move(via)) {
  }
  target(const target&) = delete;
  target& operator=(const target&) = delete;
  virtual ~target() = default;

  [[nodiscard]] object_number number() const noexcept {
    return number_;
  }

  [[nodiscard]] const std::shared_ptr<caller>& via() const noexcept {
    return via_;
  }

  /// Writes it as a handle, for a process of the run. Throws
  /// `invalid_argument` for an object of another run.
  virtual void save_as_handle(codec::encoder& to) const = 0;

private:
  object_number number_;
  std::shared_ptr<caller> via_;
};

} // namespace troupe::held
