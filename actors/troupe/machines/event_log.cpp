// SPDX-License-Identifier: BSL-1.0
#include <troupe/machines/event_log.hpp>

#include <troupe/base/wait_before.hpp>
#include <troupe/os/held_threads.hpp>

#include <algorithm>
#include <utility>

namespace troupe::machines {

void event_log::add(happening what) {
  const std::scoped_lock guard{mutex_};
  kept_.push_back(std::move(what));
  forget_what_all_have_heard();
  changed_.notify_all();
}

std::shared_ptr<event_log::listener> event_log::listen() {
  auto made = std::make_shared<listener>();
  const std::scoped_lock guard{mutex_};
  made->next_ = end();
  listeners_.push_back(made);
  return made;
}

event_log::told event_log::next(listener& by, deadline limit) {
  std::unique_lock guard{mutex_};
  const auto done = [&] { return by.next_ < end() || closed_; };
  wait_before(changed_, guard, limit, done);
  told made;
  if (by.next_ < first_) {
    made.came = told::how::missed;
    made.missed = first_ - std::exchange(by.next_, first_);
  } else if (by.next_ < end()) {
    made.came = told::how::happened;
    made.what = kept_[static_cast<std::size_t>(by.next_++ - first_)];
    forget_what_all_have_heard();
  } else if (closed_) {
    made.came = told::how::closed;
  }
  guard.unlock();
  os::stay_if_held();
  return made;
}

void event_log::close() {
  const std::scoped_lock guard{mutex_};
  closed_ = true;
  changed_.notify_all();
}

std::size_t event_log::kept() const {
  const std::scoped_lock guard{mutex_};
  return kept_.size();
}

void event_log::forget_what_all_have_heard() {
  auto needed = end();
  std::erase_if(listeners_, [&](const std::weak_ptr<listener>& weak) {
    const auto each = weak.lock();
    if (each)
      needed = std::min(needed, each->next_);
    return each == nullptr;
  });
  while (!kept_.empty() && (first_ < needed || kept_.size() > most_kept)) {
    kept_.pop_front();
    ++first_;
  }
}

} // namespace troupe::machines
