// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/codec/decoder.hpp>
#include <troupe/codec/encoder.hpp>
#include <troupe/state/target.hpp>

#include <memory>

namespace troupe::held {

/// How proxies stand in bytes that do not carry handles: the context of an
/// encoder or decoder. Where there is none, a proxy is a handle of the run.
class wire : public codec::context {
public:
  /// Throws `invalid_argument` for an object that cannot be named there.
  virtual void save(codec::encoder& to, const target& object) = 0;

  /// Throws `malformed_bytes`, `stale_handle`.
  [[nodiscard]] virtual std::shared_ptr<target> load(codec::decoder& from) = 0;

protected:
  ~wire() override = default;
};

/// Writes what refers to an object as the encoder's context says.
void save_target(codec::encoder& to, const target& object);

/// Reads that. Throws as `wire::load`.
[[nodiscard]] std::shared_ptr<target> load_target(codec::decoder& from);

} // namespace troupe::held
