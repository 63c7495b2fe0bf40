// SPDX-License-Identifier: BSL-1.0
#include <troupe/network/event_loop.hpp>

#include <troupe/os/thread.hpp>

#include <algorithm>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

namespace troupe::network {

namespace {

namespace asio = boost::asio;
using error_code = boost::system::error_code;

/// The loop that the calling thread leads.
thread_local event_loop* led_here = nullptr;

} // namespace

struct event_loop::reactor {
  /// One thread at a time.
  asio::io_context io{1};
  asio::executor_work_guard<asio::io_context::executor_type> stays{
    io.get_executor()};
};

event_loop::event_loop() : reactor_(std::make_shared<reactor>()) {
  thread_ = os::start_thread([this] { run(); });
}

event_loop::~event_loop() {
  stop();
}

void event_loop::stop() {
  {
    std::unique_lock guard{mutex_};
    stopping_ = true;
    notify(guard);
  }
  if (!thread_.joinable())
    return;
  thread_.join();
  expected_ = {};
  next_ending_.clear();
}

void event_loop::post(std::function<void()> what) {
  std::unique_lock guard{mutex_};
  if (over_)
    return;
  posted_.push_back(std::move(what));
  has_posted_ = true;
  notify(guard);
}

void event_loop::end_turn_of(std::shared_ptr<source> of) {
  if (led_here == this) {
    ending_.push_back(std::move(of));
    return;
  }
  std::unique_lock guard{mutex_};
  if (over_)
    return;
  posted_ends_.push_back(std::move(of));
  has_posted_ = true;
  notify(guard);
}

void event_loop::notify(std::unique_lock<std::mutex>& guard) {
  if (!is_led())
    return call();
  if (!asleep_ || led_here == this)
    return;
  asleep_ = false;
  guard.unlock();
  asio::post(reactor_->io, [] {});
}

void event_loop::expect_from(std::shared_ptr<source> of) {
  if (std::find(expected_.begin(), expected_.end(), of) != expected_.end())
    return;
  expected_[next_expected_] = std::move(of);
  next_expected_ = (next_expected_ + 1) % expected_.size();
}

void event_loop::expect_no_more_from(const source& of) noexcept {
  for (auto& each : expected_)
    if (each.get() == &of)
      each.reset();
}

void event_loop::run() {
  auto& spinner = mailbox::spinner::of_this_thread();
  const auto look = [this] {
    const bool some = turn();
    // At once: what is asked for next must find nobody who leads, or be served.
    return gives_way_ || some;
  };
  for (;;) {
    take_over();
    for (;;) {
      {
        const std::scoped_lock guard{mutex_};
        if (stopping_ && posted_.empty() && posted_ends_.empty()) {
          over_ = true;
          leader_ = {};
          led_here = nullptr;
          return;
        }
      }
      spinner.expect_answer(true);
      if (!spinner.spin(look, deadline::never()))
        sleep();
      if (std::exchange(gives_way_, false))
        break;
    }
    leave(false);
  }
}

bool event_loop::enter() {
  const std::scoped_lock guard{mutex_};
  if (is_led() || called_ || over_)
    return false;
  leader_ = std::this_thread::get_id();
  led_here = this;
  ++guests_;
  return true;
}

void event_loop::leave(bool expects_more) {
  const std::scoped_lock guard{mutex_};
  leader_ = {};
  led_here = nullptr;
  own_leads_ = false;
  if (expects_more || awaits_end_ || has_posted_ || stopping_
      || !next_ending_.empty())
    return call();
  if (!ending_.empty() && !std::exchange(brisk_, true))
    wake_word_.notify_one();
}

void event_loop::call() {
  if (!std::exchange(called_, true))
    wake_word_.notify_one();
}

void event_loop::take_over() {
  std::unique_lock guard{mutex_};
  const auto is_called = [this] { return called_ && !is_led(); };
  auto seen = guests_;
  auto quiet = std::chrono::milliseconds{0};
  while (quiet < quiet_time) {
    const bool brisk = brisk_;
    const auto time = brisk ? moment : quiet_time;
    const auto changed = [&] { return is_called() || brisk_ != brisk; };
    if (wake_word_.wait_for(guard, time, changed)) {
      if (is_called())
        break;
      continue;
    }
    if (!is_led() && !ending_.empty()) {
      write_for_guests(guard);
      if (awaits_end_)
        break;
      quiet = quiet.zero();
      continue;
    }
    quiet += time;
    if (quiet >= quiet_time)
      brisk_ = false;
    if (seen != guests_) {
      seen = guests_;
      // While they come there is something to write again soon.
      if (!brisk)
        quiet = quiet.zero();
      else if (quiet >= quiet_time)
        quiet = quiet.zero();
      continue;
    }
    if (is_led() && quiet >= quiet_time) {
      // One that stays long calls at its end: no need to look meanwhile.
      awaits_end_ = true;
      wake_word_.wait(guard, is_called);
      break;
    }
  }
  leader_ = std::this_thread::get_id();
  led_here = this;
  called_ = false;
  awaits_end_ = false;
  brisk_ = false;
  gives_way_ = false;
  own_leads_ = true;
}

void event_loop::write_for_guests(std::unique_lock<std::mutex>& guard) {
  leader_ = std::this_thread::get_id();
  led_here = this;
  guard.unlock();
  end_turn();
  guard.lock();
  leader_ = {};
  led_here = nullptr;
}

void event_loop::lead_on() {
  const std::scoped_lock guard{mutex_};
  if (over_ || own_leads_)
    return;
  if (is_led())
    awaits_end_ = true;
  else
    call();
}

bool event_loop::turn() {
  bool some = run_posted();
  if (!next_ending_.empty()) {
    some = true;
    ending_.insert(ending_.end(), next_ending_.begin(), next_ending_.end());
    next_ending_.clear();
  }
  for (std::size_t i = 0; i < expected_.size(); ++i)
    if (const auto each = expected_[i])
      some |= each->look();
  if (const auto now = clock::now(); now - last_poll_ > poll_time) {
    last_poll_ = now;
    some |= reactor_->io.poll() > 0;
  }
  end_turn();
  return some;
}

bool event_loop::run_posted() {
  if (!has_posted_.load(std::memory_order_relaxed))
    return false;
  {
    const std::scoped_lock guard{mutex_};
    running_.swap(posted_);
    to_end_.swap(posted_ends_);
    has_posted_ = false;
  }
  for (auto& each : running_)
    each();
  running_.clear();
  for (auto& each : to_end_)
    ending_.push_back(std::move(each));
  to_end_.clear();
  return true;
}

void event_loop::end_turn() {
  while (!ending_.empty()) {
    to_end_.swap(ending_);
    for (const auto& each : to_end_)
      each->end_turn();
    to_end_.clear();
  }
}

void event_loop::sleep() {
  {
    const std::scoped_lock guard{mutex_};
    if (has_posted_ || stopping_ || !next_ending_.empty())
      return;
    asleep_ = true;
  }
  reactor_->io.run_one();
  reactor_->io.poll();
  last_poll_ = clock::now();
  {
    const std::scoped_lock guard{mutex_};
    asleep_ = false;
  }
  end_turn();
}

struct event_loop::watch::parts {
  parts(std::shared_ptr<reactor> in, int fd, std::weak_ptr<source> who)
    : within(std::move(in)),
      descriptor(within->io, fd),
      timer(within->io),
      of(std::move(who)) {
  }

  /// It may outlive the loop.
  std::shared_ptr<reactor> within;
  asio::posix::stream_descriptor descriptor;
  asio::steady_timer timer;
  std::weak_ptr<source> of;
};

event_loop::watch::watch(event_loop& in, os::descriptor fd,
                         std::weak_ptr<source> of)
  : parts_(std::make_unique<parts>(in.reactor_, fd.get(), std::move(of))),
    fd_(fd.release()) {
}

event_loop::watch::~watch() {
  close();
}

void event_loop::watch::await_readable() {
  parts_->descriptor.async_wait(asio::posix::stream_descriptor::wait_read,
                                [of = parts_->of](const error_code& failed) {
                                  const auto alive = of.lock();
                                  if (alive && !failed)
                                    alive->readable();
                                });
}

void event_loop::watch::await_writable() {
  parts_->descriptor.async_wait(asio::posix::stream_descriptor::wait_write,
                                [of = parts_->of](const error_code& failed) {
                                  const auto alive = of.lock();
                                  if (alive && !failed)
                                    alive->writable();
                                });
}

void event_loop::watch::alarm_after(std::chrono::nanoseconds time) {
  parts_->timer.expires_after(time);
  parts_->timer.async_wait([of = parts_->of](const error_code& failed) {
    const auto alive = of.lock();
    if (alive && !failed)
      alive->alarm();
  });
}

void event_loop::watch::no_alarm() {
  parts_->timer.cancel();
}

void event_loop::watch::close() noexcept {
  error_code ignored;
  parts_->descriptor.close(ignored);
  parts_->timer.cancel(ignored);
  fd_ = -1;
}

} // namespace troupe::network
