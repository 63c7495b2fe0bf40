// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/mailbox/spinner.hpp>
#include <troupe/transport/caf_version.hpp>

#include <caf/intrusive_ptr.hpp>
#include <caf/io/network/default_multiplexer.hpp>
#include <caf/ref_counted.hpp>

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace troupe::network {

/// Who writes to a socket what was said in a turn of the loop.
class turn_writer {
public:
  virtual void write_now() = 0;

protected:
  ~turn_writer() = default;
};

/// CAF's loop of sockets, with two habits that save wake-ups of 25 µs each: it
/// looks for news a while before it sleeps, and a thread that waits for what the
/// loop shall bring runs it itself meanwhile, as a **guest**.
///
/// One thread at a time leads: the middleman's own, or a guest. The own thread
/// stands aside while guests come one after the other. It looks after the
/// sockets again when there has been no guest for `quiet_time`, and at once when
/// there is something to do and nobody leads.
class wakeful_loop final
  : public transport::version::own_loop<caf::io::network::default_multiplexer> {
public:
  using own_loop::own_loop;

  /// What the middleman's own thread does, until all sockets are closed.
  void run() override;

  /// What a guest waits for has come, so that the next may lead. In the loop.
  void give_way() noexcept {
    gives_way_ = true;
  }

  /// Has `write_now` called when what now runs in the loop is done. In the loop.
  template <class Writer>
  void write_after_turn(caf::intrusive_ptr<Writer> what) {
    auto& writer = *what;
    writers_.push_back({std::move(what), &writer});
  }

  /// The calling thread leads while this lives, unless another does.
  class guest {
  public:
    explicit guest(wakeful_loop& of) : of_(of), leads_(of.enter()) {
    }
    guest(const guest&) = delete;
    guest& operator=(const guest&) = delete;

    ~guest() {
      if (leads_)
        of_.leave(expects_more_);
    }

    /// Runs the loop until `done()`. Does nothing where another thread leads.
    /// @blocks on whatever makes it so
    template <class Done>
    void run_until(Done done) {
      if (!leads_)
        return;
      auto& patience = mailbox::spinner::of_this_thread();
      const auto look = [&] {
        const bool some = of_.run_posted();
        return done() || of_.poll(false) || some;
      };
      while (!done()) {
        patience.expect_answer(true);
        if (!patience.spin(look, deadline::never()) && !done())
          of_.sleep();
      }
    }

    /// Others wait too: somebody must lead afterwards.
    void expect_more() noexcept {
      expects_more_ = true;
    }

  private:
    wakeful_loop& of_;
    bool leads_;
    bool expects_more_ = false;
  };

private:
  static constexpr std::chrono::milliseconds quiet_time{10};

  void later(caf::resumable* woken) override;

  [[nodiscard]] bool enter();
  void leave(bool expects_more);
  /// Returns once the calling thread, the own one, leads.
  void take_over();
  // With the mutex held:

  [[nodiscard]] bool is_led() const noexcept {
    return leader_ != std::thread::id{};
  }
  /// Calls the own thread.
  void call();

  // By whoever leads:

  /// Returns whether there was something.
  bool run_posted();
  bool poll(bool may_sleep);
  void write_out();
  /// @blocks on the sockets and on `later`
  void sleep();

  std::mutex mutex_;
  /// The thread that leads, if one does.
  std::thread::id leader_;
  bool asleep_ = false;
  bool over_ = false;
  std::vector<caf::intrusive_ptr<caf::resumable>> posted_;
  std::uint64_t guests_ = 0;
  std::condition_variable bell_;
  bool called_ = true;
  /// The own thread sleeps until a guest that stays long has left.
  bool awaits_end_ = false;

  // The leader's:
  bool gives_way_ = false;
  std::vector<caf::intrusive_ptr<caf::resumable>> running_;
  struct to_write {
    caf::intrusive_ptr<caf::ref_counted> kept;
    turn_writer* by;
  };
  std::vector<to_write> writers_;
};

} // namespace troupe::network
