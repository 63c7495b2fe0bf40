// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/codec/decoder.hpp>
#include <troupe/codec/encoder.hpp>
#include <troupe/state/target.hpp>

#include <memory>

namespace troupe::held {

/// How proxies stand in bytes that do not carry handles: for the time of one
/// coding, in one thread. Where none is set, a proxy is a handle of the run.
class wire {
public:
  /// Throws `invalid_argument` for an object that cannot be named there.
  virtual void save(codec::encoder& to, const target& object) = 0;

  /// Throws `malformed_bytes`, `stale_handle`.
  [[nodiscard]] virtual std::shared_ptr<target> load(codec::decoder& from) = 0;

  /// The calling thread's; nullptr outside of a scope.
  [[nodiscard]] static wire* current() noexcept {
    return current_;
  }

  /// Makes a wire the calling thread's own while it lives.
  class scope {
  public:
    explicit scope(wire* now) noexcept : before_(current_) {
      current_ = now;
    }
    scope(const scope&) = delete;
    scope& operator=(const scope&) = delete;
    ~scope() {
      current_ = before_;
    }

  private:
    wire* before_;
  };

protected:
  ~wire() = default;

private:
  static inline thread_local wire* current_ = nullptr;
};

} // namespace troupe::held
