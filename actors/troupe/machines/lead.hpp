// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/base/deadline.hpp>
#include <troupe/machines/event_log.hpp>
#include <troupe/machines/handshake.hpp>
#include <troupe/machines/member.hpp>
#include <troupe/machines/options.hpp>
#include <troupe/machines/printer.hpp>
#include <troupe/network/address.hpp>
#include <troupe/network/key.hpp>
#include <troupe/os/descriptor.hpp>

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::machines {

/// The one that decides who belongs: listens where others join, and knows those
/// that have. There is one at most, in the root; it is never destroyed.
class lead {
public:
  /// The calling process's; nullptr: it leads nobody.
  [[nodiscard]] static lead* current() noexcept;

  /// The same. Throws `invalid_state`, which names `attempted`.
  [[nodiscard]] static lead& require(std::string_view attempted);

  /// Begins to lead. `listening` is bound.
  static void begin(const options& said, const network::key& shared,
                    os::descriptor listening);

  lead(const lead&) = delete;
  lead& operator=(const lead&) = delete;

  /// Says goodbye to all; nobody joins any more.
  void end() noexcept;

  [[nodiscard]] const network::address& where() const noexcept {
    return where_;
  }

  [[nodiscard]] printer& lines() noexcept {
    return lines_;
  }

  /// Those that are there, in the order in which they came.
  [[nodiscard]] std::vector<std::shared_ptr<member>> members() const;

  /// Waits until `ready` gives true of those that are there; false: `limit`
  /// passed first.
  /// @blocks on machines that join
  [[nodiscard]] bool
  wait(const std::function<
         bool(const std::vector<std::shared_ptr<member>>& there)>& ready,
       deadline limit) const;

  /// What happens to machines. It is closed when the lead has ended.
  [[nodiscard]] event_log& happenings() noexcept {
    return happenings_;
  }

  /// Has `tell` called each time that something has happened to a machine,
  /// under a lock; to be called once.
  void when_changed(std::function<void()> tell);

  // Of the machines, by the loop:

  /// Tells it whether it may join; if so, it has.
  void decide(const std::shared_ptr<member>& who);
  void is_leaving(member& who);
  void is_gone(const std::shared_ptr<member>& who, bool left,
               const std::string& reason);

private:
  struct parts;

  lead(const options& said, const network::key& shared,
       os::descriptor listening);
  ~lead() = default;

  /// A name that nobody has, with a number behind `wished` if need be.
  [[nodiscard]] std::string free_name(const std::string& wished) const;
  [[nodiscard]] bool is_taken(const std::string& name) const;
  /// With the mutex held.
  void note(happening what);
  /// Says a line on standard error. Waits for nobody.
  void say(const std::string& line);

  network::address where_;
  const program_build build_;
  printer lines_;
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  std::vector<std::shared_ptr<member>> there_;
  event_log happenings_;
  std::function<void()> tell_;
  std::uint64_t joined_ = 0;
  bool ending_ = false;
  parts* parts_ = nullptr;
};

} // namespace troupe::machines
