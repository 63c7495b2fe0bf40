// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/base/bytes.hpp>
#include <troupe/base/deadline.hpp>
#include <troupe/calls/arguments.hpp>
#include <troupe/calls/entry.hpp>
#include <troupe/channel/wait_condition.hpp>
#include <troupe/codec/packet.hpp>
#include <troupe/machines/known_machine.hpp>
#include <troupe/machines/messages.hpp>
#include <troupe/process/process.hpp>
#include <troupe/process/start.hpp>

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

/// A function that runs in a process of another machine, on both sides.
namespace troupe::machines {

/// What became of a process on another machine.
struct call_outcome {
  /// Nothing: it is lost with its machine.
  std::optional<ended_note> ended;
  /// Handles that belong to the result.
  placed_actors actors;
  /// Why it is lost.
  std::string lost;
};

/// The result of such a process, and who has to be held until it is read.
struct call_result {
  bytes content;
  placed_actors actors;
};

/// What whoever has started such a process knows of it. Any thread.
class remote_call {
public:
  remote_call(std::string machine, std::uint64_t number)
    : machine_(std::move(machine)), number_(number) {
  }
  remote_call(const remote_call&) = delete;
  remote_call& operator=(const remote_call&) = delete;
  virtual ~remote_call() = default;

  /// Names it among those of its machine.
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
  [[nodiscard]] call_result take();

  /// Has `tell` called once when it has ended or is lost, or at once; what it
  /// has printed may not be written by then. To be called once, by one who then
  /// has the outcome, and `take` has it no more.
  void tell_outcome(std::function<void(call_outcome)> tell);

  // Of them the first counts:

  void end(ended_note how, placed_actors actors, std::uint64_t lines_before);
  void lose(std::string why);

private:
  [[noreturn]] void raise();
  /// It has ended, or is lost.
  void tell();

  const std::string machine_;
  const std::uint64_t number_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<ended_note> ended_;
  placed_actors actors_;
  std::optional<std::string> lost_;
  /// Lines that were there before, of all machines: see `printer`.
  std::uint64_t lines_before_ = 0;
  int watching_ = 0;
  std::function<void(call_outcome)> tell_;
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

/// What such a process answers: the encoded result of the function, and which
/// handles of actors belong to it, and where.
struct called_result {
  bytes content;
  std::vector<std::uint64_t> places;
  std::vector<caf::strong_actor_ptr> actors;
};

/// A function that can be called from another machine: takes its arguments out
/// of a message, and gives its result. Throws what it throws, and
/// `malformed_bytes`.
using called_entry = calls::entry_of_kind<packed(calls::arguments)>;

template <class Callable>
packed run_for_machine(calls::arguments given) {
  using signature = typename Callable::signature;
  using result = std::decay_t<typename signature::result>;
  auto values = given.take<signature>();
  if constexpr (std::is_void_v<result>) {
    calls::run<Callable>(std::move(values));
    return {};
  } else {
    const result value = calls::run<Callable>(std::move(values));
    return pack_aside(
      [&](codec::encoder& to) { to.template save<result>(value); });
  }
}

/// The entry of `Callable`; naming it anywhere in the program registers it.
template <class Callable>
inline called_entry called_entry_of{&run_for_machine<Callable>};

/// What it runs: the function, whose encoded result it returns. Signals from
/// outside pass it by, as the workers of a pool. Throws `unknown_function`,
/// what the function throws.
[[nodiscard]] called_result run_called_function(const called_function& what);

/// Has `function` run on `where`. Throws `machine_lost`, `cancelled` (it
/// leaves), `invalid_argument` (an argument is memory of this machine, or the
/// name is too long), `limit_reached` (the arguments have more than 512 MiB).
[[nodiscard]] std::shared_ptr<remote_call>
call_on(known_machine& where, const called_entry& function,
        const packed& arguments, const start_options& options);

} // namespace troupe::machines

template <>
inline constexpr bool troupe::hosting::leaves_signals_to_root<
  troupe::calls::named<&troupe::machines::run_called_function>>
  = true;
