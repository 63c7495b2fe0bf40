// SPDX-License-Identifier: BSL-1.0
#include <troupe/network/wakeful_loop.hpp>

#include <utility>

namespace troupe::network {

void wakeful_loop::run() {
  auto& patience = mailbox::spinner::of_this_thread();
  const auto look = [this] {
    const bool some = run_posted();
    // At once: what is asked for next must find nobody who leads, or be served.
    return gives_way_ || poll(false) || some;
  };
  take_over();
  while (num_socket_handlers() > 0) {
    patience.expect_answer(true);
    if (!patience.spin(look, deadline::never()))
      sleep();
    if (std::exchange(gives_way_, false)) {
      leave(false);
      take_over();
    }
  }
  {
    const std::scoped_lock guard{mutex_};
    over_ = true;
  }
  static_cast<void>(run_posted());
}

void wakeful_loop::later(caf::resumable* woken) {
  if (woken->subtype() != caf::resumable::io_actor
      && woken->subtype() != caf::resumable::function_object)
    return later_as_before(woken);
  std::unique_lock guard{mutex_};
  if (over_)
    return later_as_before(woken);
  posted_.emplace_back(woken, false);
  if (!is_led())
    return call();
  if (!asleep_ || leader_ == std::this_thread::get_id())
    return;
  asleep_ = false;
  guard.unlock();
  // Not with `woken`: what is posted next would overtake it, and at the end
  // that is what closes CAF's pipe, unread.
  wake();
}

bool wakeful_loop::enter() {
  const std::scoped_lock guard{mutex_};
  if (is_led() || called_)
    return false;
  leader_ = std::this_thread::get_id();
  ++guests_;
  return true;
}

void wakeful_loop::leave(bool expects_more) {
  const std::scoped_lock guard{mutex_};
  leader_ = {};
  if (expects_more || awaits_end_ || !posted_.empty())
    call();
}

void wakeful_loop::call() {
  if (!std::exchange(called_, true))
    bell_.notify_one();
}

void wakeful_loop::take_over() {
  std::unique_lock guard{mutex_};
  const auto is_called = [this] { return called_ && !is_led(); };
  for (auto seen = guests_; !bell_.wait_for(guard, quiet_time, is_called)
                            && (is_led() || seen != guests_);) {
    // One that stays long calls at its end: no need to look meanwhile.
    awaits_end_ = seen == guests_;
    if (awaits_end_)
      bell_.wait(guard, is_called);
    seen = guests_;
  }
  leader_ = std::this_thread::get_id();
  called_ = false;
  awaits_end_ = false;
  gives_way_ = false;
}

bool wakeful_loop::run_posted() {
  {
    const std::scoped_lock guard{mutex_};
    running_.swap(posted_);
  }
  if (running_.empty())
    return false;
  for (auto& each : running_)
    resume(std::move(each));
  running_.clear();
  write_out();
  handle_internal_events();
  return true;
}

bool wakeful_loop::poll(bool may_sleep) {
  const bool some = poll_once(may_sleep);
  if (!writers_.empty()) {
    write_out();
    handle_internal_events();
  }
  return some;
}

void wakeful_loop::write_out() {
  // A write adds none.
  for (const auto& each : writers_)
    each.by->write_now();
  writers_.clear();
}

void wakeful_loop::sleep() {
  {
    const std::scoped_lock guard{mutex_};
    if (!posted_.empty())
      return;
    asleep_ = true;
  }
  poll(true);
  const std::scoped_lock guard{mutex_};
  asleep_ = false;
}

} // namespace troupe::network
