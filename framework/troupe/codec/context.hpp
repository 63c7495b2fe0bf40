// SPDX-License-Identifier: BSL-1.0
#pragma once

namespace troupe::codec {

/// Whom bytes are for, or from, as far as types of layers above are written
/// otherwise for one than for another. Such a layer derives a class of its own,
/// gives it to the encoder or decoder, and asks for it in `save` and `load`.
class context {
public:
  context(const context&) = delete;
  context& operator=(const context&) = delete;

protected:
  context() noexcept = default;
  virtual ~context() = default;
};

} // namespace troupe::codec
