// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/base/deadline.hpp>
#include <troupe/machines/component.hpp>
#include <troupe/machines/event_log.hpp>
#include <troupe/machines/machine.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// Machines: the same program on several computers.
///
/// Include this header and link `troupe::network`. Then the program's command
/// line takes
///
///     ./prog --troupe.listen=0.0.0.0:4242            this one leads
///     ./prog --troupe.join=HOST:4242                 this one is a machine of it
///
/// The one that joins makes a whole run of its own, whose `troupe::program`
/// does not return: it runs what the lead starts there, until that ends. Both
/// need the same key, in the variable TROUPE_KEY or with
/// `--troupe.key-file=PATH`, and must be the same build. Others:
/// `--troupe.name=NAME`, `--troupe.labels=a,b`, `--troupe.join-timeout=60`
/// (seconds after which a machine that does not find the lead gives up),
/// `--troupe.silence=10` (seconds), `--troupe.output=here` (what its processes
/// print is not sent to the lead).
///
/// # Who belongs
/// The lead decides, in the root of its run. These functions may be called in
/// every process of that run and in every process of a machine: the root does
/// what they ask. In a program that neither leads nor is a machine they throw
/// `invalid_state`. What a process has started on machines is killed when it
/// dies. A machine that is lost stays lost. It ends itself before the lead
/// counts it as lost, so nothing is ever done twice at the same time.
///
/// # What a crash leaves
/// Nothing. If a machine's root dies, all of its run does, and the lead knows
/// it at once. If the lead dies, or a machine hears nothing of it for
/// `silence`, the machine ends with all of its processes.
namespace troupe::machines {

// In all processes but the lead's root, these ask that: @blocks on it.

/// Those that are there, in the order in which they have joined. The lead is
/// none of them.
[[nodiscard]] std::vector<machine> list();

/// The one of that name; nothing: there is none.
[[nodiscard]] std::optional<machine> find(std::string_view name);

/// Waits until there is one of that name. Throws `timed_out`.
/// @blocks on machines that join, until `limit`
[[nodiscard]] machine wait_for(std::string_view name,
                               deadline limit = deadline::never());

/// Waits until so many are there, and gives them all. Throws `timed_out`.
/// @blocks on machines that join, until `limit`
std::vector<machine> wait_for(std::size_t count,
                              deadline limit = deadline::never());

template <class Rep, class Period>
[[nodiscard]] machine
wait_for(std::string_view name,
         const std::chrono::duration<Rep, Period>& limit) {
  return wait_for(name, deadline::after(limit));
}

template <class Rep, class Period>
std::vector<machine>
wait_for(std::size_t count, const std::chrono::duration<Rep, Period>& limit) {
  return wait_for(count, deadline::after(limit));
}

/// Where this program listens, with the port that was free: "127.0.0.1:4242".
[[nodiscard]] std::string address();

/// Something that has happened to a machine.
struct event {
  enum class what : std::uint8_t {
    joined,
    /// It has been asked to end, by SIGTERM or Ctrl-C: it begins nothing new.
    leaving,
    /// It has finished what it had begun, and left.
    left,
    lost,
  };

  what kind = what::joined;
  troupe::machine machine;
  /// Of `left` and `lost`: why.
  std::string reason;
};

/// Tells what happens to machines from now on, each thing once. Not to be used
/// by several threads at once. In the root of the lead's run alone.
///
/// What has happened is kept until every `events` has told of it, and no
/// longer. At most 10,000 wait: an `events` that is further behind says so.
class events {
public:
  /// Throws `invalid_state` (this process leads nobody).
  events();
  events(events&&) noexcept = default;
  events& operator=(events&&) noexcept = default;

  /// Waits for the next; nothing: `limit` passed first, or this program ends.
  /// Throws `limit_reached` once, and goes on with the oldest that is kept,
  /// where this was not asked while more than 10,000 things happened;
  /// `invalid_state` where this was moved from.
  /// @blocks on machines, until `limit`
  [[nodiscard]] std::optional<event> next(deadline limit = deadline::never());

  template <class Rep, class Period>
  [[nodiscard]] std::optional<event>
  next(const std::chrono::duration<Rep, Period>& limit) {
    return next(deadline::after(limit));
  }

private:
  event_log* log_;
  std::shared_ptr<event_log::listener> here_;
};

} // namespace troupe::machines
