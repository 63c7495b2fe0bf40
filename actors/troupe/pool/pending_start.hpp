// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/pool/child_start.hpp>

#include <caf/actor.hpp>

#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>

namespace caf {
class local_actor;
} // namespace caf

namespace troupe::supervision {

/// A start that runs in a thread of its own. When it is done the thread sends
/// `(ok_atom, number)`.
class pending_start {
public:
  /// Throws `os_failure` where no thread can be made.
  [[nodiscard]] static std::shared_ptr<pending_start>
  begin(child_start start, std::uint64_t number, caf::local_actor* asker);

  [[nodiscard]] bool done() const;

  [[nodiscard]] bool given_up() const {
    return watch_.given_up();
  }

  /// Ends what is being made, if it can be.
  void give_up() {
    watch_.give_up();
  }

  /// What was made; throws what the start threw. @pre `done()`
  [[nodiscard]] caf::actor take();

  /// The process that the child has to itself. @pre `done()`
  [[nodiscard]] std::optional<process_view> process() const {
    return watch_.process();
  }

  /// What was made, or will be, is told to end.
  void abandon();

private:
  void run(const child_start& start) noexcept;

  start_watch watch_;
  mutable std::mutex mutex_;
  bool done_ = false;
  bool abandoned_ = false;
  caf::actor made_;
  std::exception_ptr failure_;
};

} // namespace troupe::supervision
