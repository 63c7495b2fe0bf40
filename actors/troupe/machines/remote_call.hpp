// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/base/bytes.hpp>
#include <troupe/base/deadline.hpp>
#include <troupe/channel/wait_condition.hpp>
#include <troupe/codec/packet.hpp>
#include <troupe/machines/messages.hpp>
#include <troupe/process/process.hpp>
#include <troupe/process/start.hpp>

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

/// A function that runs in a process of another machine, on both sides.
namespace troupe::machines {

class member;

/// What one that leads knows of such a process. Any thread.
class remote_call {
public:
  remote_call(std::string machine, std::uint64_t number)
    : machine_(std::move(machine)), number_(number) {
  }

  [[nodiscard]] std::uint64_t number() const noexcept {
    return number_;
  }

  /// Waits until it has ended, or is lost with its machine, and what it has
  /// printed before is written; false: `limit` passed first.
  /// @blocks on the process, and on whoever reads this program's output
  [[nodiscard]] bool wait(deadline limit);

  /// Whether that is so now.
  [[nodiscard]] bool is_done();

  /// From now on the calling process is notified (`memory::notify`) each time
  /// that `is_done` may have become true; as often as this is called, until
  /// `unwatch` is.
  void watch();
  void unwatch() noexcept;

  /// Waits, and gives the encoded result. Throws `remote_error`,
  /// `machine_lost`, what kept the machine from starting it.
  [[nodiscard]] bytes take();

  // Of them the first counts:

  void end(ended_note how, std::uint64_t lines_before);
  void lose(std::string why);

private:
  [[noreturn]] void raise();
  /// With the mutex held: it has ended, or is lost.
  void tell();

  const std::string machine_;
  const std::uint64_t number_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<ended_note> ended_;
  std::optional<std::string> lost_;
  /// Lines that were there before, of all machines: see `printer`.
  std::uint64_t lines_before_ = 0;
  int watching_ = 0;
};

/// What a future of `of` gives `wait_any`.
[[nodiscard]] std::shared_ptr<wait_condition>
when_done(std::shared_ptr<remote_call> of);

/// What a process that was started for another machine is told.
struct called_function {
  std::uint64_t module = 0;
  std::uint64_t offset = 0;
  std::string library;
  bytes arguments;
};

/// What it runs: the function, whose encoded result it returns. Signals from
/// outside pass it by, as the workers of a pool. Throws `unknown_function`,
/// what the function throws.
[[nodiscard]] bytes run_called_function(const called_function& what);

/// Has `function` run on `where`. Throws `machine_lost`, `cancelled` (it
/// leaves), `invalid_argument` (an argument is memory of this machine, or the
/// name is too long), `limit_reached` (the arguments have more than 1 GiB).
[[nodiscard]] std::shared_ptr<remote_call>
call_on(const std::shared_ptr<member>& where,
        const hosting::function_entry& function, const codec::packet& arguments,
        const start_options& options);

} // namespace troupe::machines

template <>
inline constexpr bool troupe::hosting::leaves_signals_to_root<
  troupe::calls::named<&troupe::machines::run_called_function>>
  = true;
