// SPDX-License-Identifier: BSL-1.0
#include <troupe/network/call_table.hpp>

#include <troupe/base/error.hpp>

#include <utility>

namespace troupe::network {

std::uint64_t call_table::enter(call made) {
  std::unique_lock guard{mutex_};
  const bool is_long = made.size > most_unanswered;
  const auto has_room = [&] {
    return lost_
           || (is_long ? !has_long_ : size_ + made.size <= most_unanswered);
  };
  ++waiting_;
  room_.wait(guard, has_room);
  --waiting_;
  if (lost_)
    throw connection_lost("call " + name_, why_);
  if (is_long)
    has_long_ = true;
  else
    size_ += made.size;
  calls_.emplace(++last_, std::move(made));
  on_the_way_ = calls_.size();
  return last_;
}

call_table::call call_table::take(std::uint64_t number) {
  const std::scoped_lock guard{mutex_};
  const auto found = calls_.find(number);
  if (found == calls_.end())
    return {};
  auto taken = std::move(found->second);
  if (taken.size > most_unanswered)
    has_long_ = false;
  else
    size_ -= taken.size;
  calls_.erase(found);
  on_the_way_ = calls_.size();
  if (waiting_ > 0)
    room_.notify_all();
  return taken;
}

bool call_table::answered(std::uint64_t number, arrival& content) {
  const auto answered = take(number);
  // An answer to nothing that was asked is dropped.
  if (!answered.to)
    return false;
  const bool alone = answered.to->is_waited_for() && waiters_.load() == 1;
  answered.to->bring(content);
  return alone;
}

void call_table::refused(std::uint64_t number) {
  if (const auto answered = take(number); answered.to)
    answered.to->fail(answer::outcome::too_long, name_);
}

void call_table::lose(const std::string& reason) noexcept {
  std::unordered_map<std::uint64_t, call> failed;
  {
    const std::scoped_lock guard{mutex_};
    if (lost_)
      return;
    why_ = reason;
    lost_ = true;
    failed.swap(calls_);
    on_the_way_ = 0;
    room_.notify_all();
  }
  for (auto& [number, each] : failed)
    each.to->fail(answer::outcome::lost, name_ + ": " + why_);
}

} // namespace troupe::network
