// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <utility>

namespace troupe::os {

/// An owned file descriptor, closed when the owner goes.
class descriptor {
public:
  descriptor() noexcept = default;

  /// Takes ownership of `fd`; -1 means none.
  explicit descriptor(int fd) noexcept : fd_(fd) {
  }

  descriptor(descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {
  }

  descriptor& operator=(descriptor&& other) noexcept {
    if (this != &other) {
      reset();
      fd_ = std::exchange(other.fd_, -1);
    }
    return *this;
  }

  descriptor(const descriptor&) = delete;
  descriptor& operator=(const descriptor&) = delete;

  ~descriptor() {
    reset();
  }

  [[nodiscard]] int get() const noexcept {
    return fd_;
  }

  [[nodiscard]] explicit operator bool() const noexcept {
    return fd_ >= 0;
  }

  /// Gives the descriptor away; the caller must close it.
  [[nodiscard]] int release() noexcept {
    return std::exchange(fd_, -1);
  }

  void reset() noexcept;

  /// Returns a second descriptor of the same open file, closed on exec.
  /// Throws `os_failure`.
  [[nodiscard]] descriptor duplicate() const;

private:
  int fd_ = -1;
};

/// Makes `fd` close at an exec, if it is open.
void close_on_exec(int fd) noexcept;

/// Says whether `fd` survives an exec. Throws `os_failure`.
void set_inheritable(int fd, bool inheritable);

} // namespace troupe::os
