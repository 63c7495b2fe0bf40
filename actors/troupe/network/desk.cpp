// SPDX-License-Identifier: BSL-1.0
#include <troupe/network/desk.hpp>

#include <troupe/mailbox/spinner.hpp>
#include <troupe/network/messages.hpp>

#include <utility>

namespace troupe::network {

namespace {

service::reply_function reply_to(caf::actor plug, std::uint64_t number) {
  return [to = std::move(plug), number](bytes_view answer) {
    if (number != 0)
      transport::version::send_anonymously(
        to, number, parcel{bytes(answer.begin(), answer.end())});
  };
}

} // namespace

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

bool desk::serve_now(std::uint64_t client, const caf::actor& plug,
                     std::uint64_t number, const bytes& request) {
  if (!service_.serve_at_once)
    return false;
  {
    const std::scoped_lock guard{mutex_};
    if (busy_ || closing_ || !waiting_.empty())
      return false;
  }
  // Only this thread posts: the other one has nothing to do until it has.
  const std::scoped_lock serving{serving_};
  return !closing_
         && service_.serve_at_once(client, request, reply_to(plug, number));
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
      busy_ = !batch.empty();
    }
    for (auto& next : batch) {
      serve(next);
      const std::scoped_lock guard{mutex_};
      if (next.gone)
        sizes_.erase(next.client);
      else
        sizes_[next.client] -= next.request.size();
      busy_ = &next != &batch.back();
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
  service_.serve(next.client, next.request, reply_to(next.plug, next.number));
}

} // namespace troupe::network
