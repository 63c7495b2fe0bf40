// SPDX-License-Identifier: BSL-1.0
#include <troupe/state/network/desk.hpp>

#include <troupe/mailbox/spinner.hpp>
#include <troupe/state/network/messages.hpp>

#include <utility>

namespace troupe::network {

desk::desk(service what)
  : service_(std::move(what)), thread_([this] { run(); }) {
}

desk::~desk() {
  close();
}

void desk::stop() {
  {
    const std::scoped_lock guard{mutex_};
    closing_ = true;
    ++news_;
  }
  os::wake_all(news_);
  const std::scoped_lock served{serving_};
}

void desk::close() {
  stop();
  if (thread_.joinable())
    thread_.join();
}

void desk::enter(std::uint64_t client) {
  const std::scoped_lock guard{mutex_};
  sizes_.emplace(client, 0);
}

bool desk::post(std::uint64_t client, caf::actor plug, std::uint64_t number,
                bytes request) {
  {
    const std::scoped_lock guard{mutex_};
    auto& size = sizes_[client];
    if (size + request.size() > most_waiting && size > 0)
      return false;
    size += request.size();
    waiting_.push_back(
      {client, number, std::move(plug), std::move(request), false});
    // seq_cst: before the look at asleep_; the sleeper does both the other way
    // round.
    ++news_;
  }
  if (asleep_)
    os::wake_all(news_);
  return true;
}

void desk::post_gone(std::uint64_t client) {
  {
    const std::scoped_lock guard{mutex_};
    waiting_.push_back({client, 0, {}, {}, true});
    ++news_;
  }
  os::wake_all(news_);
}

void desk::run() {
  for (;;) {
    const auto seen = news_.load();
    std::deque<job> batch;
    {
      const std::scoped_lock guard{mutex_};
      if (closing_ && waiting_.empty() && sizes_.empty())
        return;
      batch.swap(waiting_);
    }
    for (auto& next : batch) {
      serve(next);
      const std::scoped_lock guard{mutex_};
      if (next.gone)
        sizes_.erase(next.client);
      else
        sizes_[next.client] -= next.request.size();
    }
    if (!batch.empty())
      continue;
    const auto changed = [&] { return news_.load() != seen; };
    if (mailbox::spinner::of_this_thread().spin(changed, deadline::never()))
      continue;
    asleep_ = true;
    while (!changed())
      static_cast<void>(os::wait(news_, seen, deadline::never()));
    asleep_ = false;
  }
}

void desk::serve(job& next) {
  const std::scoped_lock serving{serving_};
  if (next.gone)
    return service_.client_gone(next.client);
  if (closing_)
    return;
  service_.serve(next.client, next.request,
                 [to = next.plug, number = next.number](bytes_view answer) {
                   if (number != 0)
                     transport::version::send_anonymously(
                       to, number, parcel{bytes(answer.begin(), answer.end())});
                 });
}

} // namespace troupe::network
