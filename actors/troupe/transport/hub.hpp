// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/mailbox/inbox.hpp>
#include <troupe/mailbox/notification.hpp>
#include <troupe/mailbox/spinner.hpp>
#include <troupe/os/cycles.hpp>
#include <troupe/transport/caf_version.hpp>
#include <troupe/transport/hub_thread.hpp>
#include <troupe/transport/incoming_channel.hpp>

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace troupe::transport {

class peer;

/// Receives for the process: one thread that drains the rings, delivers, and
/// runs the actors that this wakes, right there.
///
/// Running a woken actor in the receiving thread is what makes a round trip
/// between processes cost about as much as inside one; a hand-over to another
/// thread costs 15 µs and more. Actors whose handlers take long are handed to
/// CAF's threads nevertheless; and when a handler does not come back within
/// `longest_wait`, another thread takes over as receiver, so nothing that a
/// handler does (not even waiting for an answer) stops the process's messages.
class hub {
public:
  static constexpr std::chrono::milliseconds longest_wait{4};

  explicit hub(node& of);
  ~hub();

  /// Takes messages from `own` from now on.
  void start(mailbox::inbox own);

  /// @blocks on handlers that are running
  void stop();

  /// Runs `task` in the receiving thread, soon.
  void post(std::function<void()> task);

  /// Ends a share in an actor as it runs actors: its destructor may take long.
  void release(caf::strong_actor_ptr share);

  /// True in the thread that receives at the moment: it must not wait.
  [[nodiscard]] bool on_duty() const noexcept;

  /// The actor that runs now in this thread sends faster than can be sent: it
  /// had better run where it can be made to wait.
  void note_flood() noexcept;

  /// Where an actor that a message wakes shall run: here, or nullptr for CAF's
  /// threads. For the receiving thread.
  [[nodiscard]] version::execution_context*
  runner_for(caf::actor_id actor) noexcept;

  /// Where actors that any thread makes begin: the receiving thread runs them.
  [[nodiscard]] version::own_context& entrance() noexcept {
    return entrance_;
  }

  /// Looks once more who is dead: what waits for a process that died before
  /// anything came from it fails.
  void look_again_for_deaths() noexcept;

  /// Has `settled` sent to `asker` when everything that the dead process has
  /// sent to this one is delivered.
  void settle(memory::slot_id dead, std::shared_ptr<peer> asker);

  /// How long the receiving thread may spin; 0 for never. Before `start`.
  void spin_at_most(std::chrono::nanoseconds limit) noexcept {
    spinner_ = mailbox::spinner{mailbox::spinner::of_server(limit)};
  }

private:
  class entrance_context final : public version::own_context {
  public:
    entrance_context(hub& to, caf::actor_system& system)
      : version::own_context(system), hub_(to) {
    }
    void later(caf::resumable* woken) override {
      hub_.admit(woken);
    }

  private:
    hub& hub_;
  };

  void admit(caf::resumable* newcomer);

  // hub_threads.cpp: who leads.
  void run(hub_thread& mine, bool leads);
  bool watch(hub_thread& mine);
  void add_thread(bool leads);
  void ensure_watcher();
  void take_over_from(std::uint64_t number, std::chrono::nanoseconds used,
                      hub_thread& mine);
  [[nodiscard]] std::chrono::nanoseconds time_of_leader(std::uint64_t word);

  // hub.cpp: what the leader does.
  void receive_as_leader(hub_thread& mine);
  std::size_t drain(hub_thread& mine);
  std::size_t do_rare_work(hub_thread& mine);
  bool run_jobs(hub_thread& mine);
  bool run_job(hub_thread& mine, caf::resumable* job);
  std::size_t drain_all(hub_thread& mine);
  std::size_t drain_marked(hub_thread& mine);
  std::size_t take_announced();
  std::size_t run_posted(hub_thread& mine);
  std::size_t flush_peers();
  std::size_t look_for_deaths(hub_thread& mine);
  std::size_t answer_settles();
  void on_process_death(peer& of, const caf::error& reason, hub_thread& mine);
  void settle(hub_thread& mine);
  void drain_published(hub_thread& mine);
  void look_at_doubtful(hub_thread& mine);
  void ask_for_look();
  [[nodiscard]] bool is_unsettled() const noexcept;
  void drop_broken();
  [[nodiscard]] bool is_distrusted(memory::slot_id process) const noexcept;
  [[nodiscard]] bool has_work();
  void sweep_if_due();
  void sweep();
  void rest();
  void show_actors() noexcept;
  static void show_type_of(hub_thread& stuck);

  node& node_;
  entrance_context entrance_;
  memory::process_slot& slot_;
  mailbox::inbox inbox_;
  mailbox::spinner spinner_{mailbox::spinner::of_server()};
  std::vector<std::unique_ptr<incoming_channel>> incoming_;
  /// Whose rings are not read any more; forgotten with their deaths.
  std::vector<memory::slot_id> distrusted_;
  std::uint32_t deaths_seen_ = 0;
  /// The last look for deaths, and the last that others know to be done.
  std::uint32_t look_ = 0;
  std::uint32_t look_told_ = 0;
  /// Dead processes whose handles may still be on their way between others,
  /// until all have done that look.
  std::vector<memory::slot_id> unsettled_;
  /// Peers of dead processes that may have passed on what was lent to them.
  std::vector<std::shared_ptr<peer>> unsettled_loans_;
  /// Actors of which a share may have ended with a process; lent meanwhile.
  std::vector<caf::actor_id> unsettled_shares_;
  std::uint32_t look_awaited_ = 0;
  /// The count of deaths before the look that is awaited, and before the last
  /// one that all have done.
  std::uint32_t deaths_awaited_ = 0;
  std::uint32_t deaths_looked_at_ = 0;
  /// When the others are asked next.
  deadline next_settle_ = deadline::now();
  std::chrono::milliseconds settle_pause_{};
  /// When handles that are kept for the next message are looked at again.
  deadline next_sweep_ = deadline::never();
  /// The dead, and who waits for `settled`.
  std::vector<std::pair<memory::slot_id, std::shared_ptr<peer>>> settles_;
  slow_actors slow_;

  std::mutex posted_mutex_;
  std::deque<std::function<void()>> posted_;
  std::vector<caf::resumable*> newcomers_;
  bool admits_ = true;
  // release under `posted_mutex_`, acquire in `run_posted`; relaxed where the
  // hub only asks whether to sleep.
  std::atomic<bool> has_posted_{false};

  /// Who leads and whether it is in a handler: see hub_thread.hpp.
  leader_state leader_;
  std::mutex threads_mutex_;
  std::condition_variable threads_changed_;
  std::vector<std::unique_ptr<hub_thread>> hub_threads_;
  std::vector<std::thread> threads_;
  hub_thread* watcher_ = nullptr;
  // seq_cst, with the leader's word: see `leader_state` and `watch`.
  os::wait_word watcher_asleep_{0};
  // `stopping_`: seq_cst in `stop`, before all are notified; relaxed where the
  // leader asks in each turn. `deaths_again_`: relaxed, for the leader looks at
  // it in each turn; nothing is published through it.
  std::atomic<bool> stopping_{false};
  std::atomic<bool> deaths_again_{false};
  os::cycle_rate rate_;
  std::uint64_t slow_cycles_ = 0;
  /// Somebody watches; the leader alone reads and writes this.
  bool watched_ = false;
};

} // namespace troupe::transport
