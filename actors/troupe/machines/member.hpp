// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/machines/gateway.hpp>
#include <troupe/machines/handshake.hpp>
#include <troupe/machines/known_machine.hpp>
#include <troupe/machines/messages.hpp>
#include <troupe/machines/remote_call.hpp>
#include <troupe/network/carrier.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace troupe::machines {

class lead;

/// What the lead knows of one machine, and the end of the connection to it.
class member final : public known_machine,
                     public network::carrier::receiver,
                     public std::enable_shared_from_this<member> {
public:
  /// The life of a machine as the lead sees it; it goes down the list.
  enum class stage : std::uint8_t { stranger, there, leaving, gone };

  member(lead& of, std::weak_ptr<network::carrier> by, std::string address);

  [[nodiscard]] const std::string& name() const noexcept override {
    return name_;
  }
  [[nodiscard]] std::uint64_t number() const noexcept override {
    return number_;
  }
  [[nodiscard]] const std::vector<std::string>&
  labels() const noexcept override {
    return said_.labels;
  }
  [[nodiscard]] unsigned processors() const noexcept override {
    return said_.processors;
  }
  [[nodiscard]] std::uint64_t memory() const noexcept override {
    return said_.memory;
  }
  [[nodiscard]] bool is_there() const override {
    return current_stage() != stage::gone;
  }
  [[nodiscard]] const introduction& said() const noexcept {
    return said_;
  }
  [[nodiscard]] const std::string& address() const noexcept {
    return address_;
  }
  [[nodiscard]] stage current_stage() const;

  /// Why it is not there any more; empty while it is.
  [[nodiscard]] std::string reason() const;

  /// Since when it has the connection.
  [[nodiscard]] std::chrono::steady_clock::time_point since() const noexcept {
    return since_;
  }

  [[nodiscard]] std::shared_ptr<remote_call>
  start(start_order what, const placed_actors& actors) override;
  [[nodiscard]] caf::strong_actor_ptr
  spawn(spawn_order what, const placed_actors& actors) override;
  void signal(const remote_call& to, std::int32_t number) override;

  /// Waits until what it has printed is written. Any thread.
  [[nodiscard]] bool wait_for_lines(std::uint64_t number, deadline limit) const;

  /// Ends the connection.
  void close() noexcept;

  // By the lead:

  /// It may join: as who.
  void enter(std::string name, std::uint64_t number);

  /// Tells it whether it may. Whoever finds it among the machines comes later.
  void answer(const verdict& what);

  // By the loop of the connection:

  void opened() override {
  }
  void received(network::arrival& what) override;
  void refused(std::uint64_t) override {
  }
  void lost(const network::loss& why) noexcept override;

private:
  void introduced(bytes_view content);
  void take(bytes_view message, placed_actors actors = {});
  void take_end(ended_note note, placed_actors actors);
  /// The way to its actors, made at first need. Throws `machine_lost`, and
  /// where it is for something `new_there`, `cancelled`.
  [[nodiscard]] std::shared_ptr<gateway> actors(const std::string& attempted,
                                                bool new_there);
  void send(const bytes& message, std::uint64_t stream,
            bool behind_all = false);
  /// With the mutex held.
  void require_there(const std::string& attempted, bool new_there = true) const;

  lead& lead_;
  const std::weak_ptr<network::carrier> by_;
  const std::string address_;
  const std::chrono::steady_clock::time_point since_
    = std::chrono::steady_clock::now();

  // Set by `enter`, before anybody else sees this:
  introduction said_;
  std::string name_;
  std::uint64_t number_ = 0;

  // seq_cst, and relaxed would do: each number is given once, and that is all.
  std::atomic<std::uint64_t> tags_{0};
  mutable std::mutex mutex_;
  stage stage_ = stage::stranger;
  std::string reason_;
  bool left_ = false;
  std::uint64_t next_call_ = 0;
  std::map<std::uint64_t, std::shared_ptr<remote_call>> calls_;
  std::shared_ptr<gateway> actors_;
};

} // namespace troupe::machines
