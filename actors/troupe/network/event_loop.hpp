// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/base/deadline.hpp>
#include <troupe/mailbox/spinner.hpp>
#include <troupe/os/descriptor.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace troupe::network {

/// The loop of sockets, on Boost.Asio, as leader and followers: one thread at a
/// time leads. That is the loop's own thread, or a **guest**: a thread that
/// waits for what the loop shall bring, and runs it itself meanwhile, so that
/// nobody has to be woken.
///
/// The leader looks for news a while before it sleeps. The own thread stands
/// aside while guests come one after the other; it looks after the sockets
/// again when there has been no guest for `quiet_time`, and at once when there
/// is something to do and nobody leads.
///
/// All that is said in one turn of the loop is written at its end.
class event_loop {
public:
  class watch;

  /// What the loop looks after. Everything here is called by whoever leads.
  class source : public std::enable_shared_from_this<source> {
  public:
    virtual ~source() = default;

    virtual void readable() {
    }
    virtual void writable() {
    }
    virtual void alarm() {
    }

    /// Reads what has come, untold. Returns whether there was something.
    virtual bool look() {
      return false;
    }

    /// Writes what has been said in this turn.
    virtual void end_turn() {
    }
  };

  event_loop();
  event_loop(const event_loop&) = delete;
  event_loop& operator=(const event_loop&) = delete;

  /// Not by the own thread.
  ~event_loop();

  /// Has `what` run by whoever leads, in the order of the calls. Any thread.
  /// Does nothing once the loop is stopped.
  void post(std::function<void()> what);

  /// Has `of.end_turn` called at the end of this turn, or soon. Any thread.
  void end_turn_of(std::shared_ptr<source> of);

  /// The same at the end of the next turn: `of` has more to write than others
  /// should wait for. By whoever leads.
  void end_next_turn_of(std::shared_ptr<source> of) {
    next_ending_.push_back(std::move(of));
  }

  /// The loop looks at `of` again and again before it sleeps: something has
  /// come there lately. By whoever leads.
  void expect_from(std::shared_ptr<source> of);

  /// Nothing comes from `of` any more. By whoever leads.
  void expect_no_more_from(const source& of) noexcept;

  /// What a guest waits for has come, so that the next may lead. By whoever
  /// leads.
  void give_way() noexcept {
    gives_way_ = true;
  }

  /// Somebody waits who does not lead: the own thread leads if nobody does, or
  /// once the guest that leads has left. Any thread.
  void lead_on();

  /// Runs what was posted, forgets all sources and ends. Not by the own thread;
  /// returns when nobody leads any more. Sources keep the loop, so whoever made
  /// it calls this.
  void stop();

  /// The calling thread leads while this lives, unless another does. What it
  /// says and does not write is written by the own thread a moment later.
  class guest {
  public:
    explicit guest(event_loop& of) : of_(of), leads_(of.enter()) {
    }
    guest(const guest&) = delete;
    guest& operator=(const guest&) = delete;

    ~guest() {
      if (leads_)
        of_.leave(expects_more_);
    }

    [[nodiscard]] bool leads() const noexcept {
      return leads_;
    }

    /// Writes what has been said.
    void end_turn() {
      if (leads_)
        of_.end_turn();
    }

    /// Runs the loop until `done()`. Does nothing where another thread leads.
    /// @blocks on whatever makes it so
    template <class Done>
    void run_until(Done done) {
      if (!leads_)
        return;
      auto& spinner = mailbox::spinner::of_this_thread();
      const auto look = [&] { return done() || of_.turn(); };
      of_.end_turn();
      while (!done()) {
        spinner.expect_answer(true);
        if (!spinner.spin(look, deadline::never()) && !done())
          of_.sleep();
      }
    }

    /// Others wait too: somebody must lead afterwards.
    void expect_more() noexcept {
      expects_more_ = true;
    }

  private:
    event_loop& of_;
    bool leads_;
    bool expects_more_ = false;
  };

private:
  using clock = std::chrono::steady_clock;

  /// Boost.Asio's part.
  struct reactor;

  static constexpr std::chrono::milliseconds quiet_time{10};
  /// How long what a guest has said waits for more of it.
  static constexpr std::chrono::milliseconds moment{1};
  /// How long a leader that finds news without the reactor does so.
  static constexpr std::chrono::milliseconds poll_time{1};

  void run();
  [[nodiscard]] bool enter();
  void leave(bool expects_more);
  /// Returns once the calling thread, the own one, leads.
  void take_over();
  void write_for_guests(std::unique_lock<std::mutex>& guard);
  // With the mutex held:

  [[nodiscard]] bool is_led() const noexcept {
    return leader_ != std::thread::id{};
  }
  /// Calls the own thread.
  void call();
  /// Has the leader, or the own thread, look at what was posted.
  void notify(std::unique_lock<std::mutex>& guard);

  // By whoever leads:

  /// Returns whether there was something.
  bool turn();
  bool run_posted();
  void end_turn();
  /// @blocks on the sockets and on `post`
  void sleep();

  std::shared_ptr<reactor> reactor_;
  std::mutex mutex_;
  /// The thread that leads, if one does.
  std::thread::id leader_;
  bool asleep_ = false;
  bool stopping_ = false;
  bool over_ = false;
  // Changed under `mutex_`, which orders what was posted. `run_posted` looks
  // relaxed without it: what it misses, it finds in the look under the mutex
  // before the thread sleeps.
  std::atomic<bool> has_posted_{false};
  std::vector<std::function<void()>> posted_;
  std::vector<std::shared_ptr<source>> posted_ends_;
  std::uint64_t guests_ = 0;
  std::condition_variable wake_word_;
  bool called_ = true;
  /// The own thread leads next, once the guest that leads has left.
  bool awaits_end_ = false;
  /// The own thread leads, and not only writes for guests.
  bool own_leads_ = false;
  /// Guests leave something to write: the own thread looks after each moment.
  bool brisk_ = false;

  // The leader's:
  bool gives_way_ = false;
  clock::time_point last_poll_{};
  std::vector<std::function<void()>> running_;
  std::vector<std::shared_ptr<source>> ending_;
  std::vector<std::shared_ptr<source>> next_ending_;
  std::vector<std::shared_ptr<source>> to_end_;
  std::array<std::shared_ptr<source>, 4> expected_;
  std::size_t next_expected_ = 0;

  std::thread thread_;
};

/// A descriptor and an alarm that a loop looks after, for a source. Made and
/// used by whoever leads.
class event_loop::watch {
public:
  watch(event_loop& in, os::descriptor fd, std::weak_ptr<source> of);
  watch(const watch&) = delete;
  watch& operator=(const watch&) = delete;
  ~watch();

  [[nodiscard]] int fd() const noexcept {
    return fd_;
  }

  /// Has the source told once when there is something to read, or room to
  /// write.
  void await_readable();
  void await_writable();

  /// Has the source told once, then; instead of what was asked for before.
  void alarm_after(std::chrono::nanoseconds time);
  void no_alarm();

  /// Closes the descriptor; the source hears of nothing any more.
  void close() noexcept;

private:
  struct parts;

  std::unique_ptr<parts> parts_;
  int fd_;
};

} // namespace troupe::network
