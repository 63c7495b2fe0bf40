// SPDX-License-Identifier: BSL-1.0
#include <troupe/network/dispatcher.hpp>

#include <troupe/mailbox/spinner.hpp>
#include <troupe/network/limits.hpp>
#include <troupe/os/thread.hpp>

#include <utility>

namespace troupe::network {

namespace {

service::reply_function reply_to(std::shared_ptr<carrier> by,
                                 std::uint64_t tag) {
  return [to = std::move(by), tag](bytes_view answer) {
    if ((tag & no_answer) != 0)
      return;
    if (answer.size() > longest_content)
      return to->refuse(tag);
    // Each a stream of its own: answers overtake each other.
    to->send({tag, tag, answer, false, false});
  };
}

} // namespace

dispatcher::dispatcher(service what)
  : service_(std::move(what)), thread_(os::start_thread([this] { run(); })) {
}

dispatcher::~dispatcher() {
  close();
}

void dispatcher::stop() {
  {
    const std::scoped_lock guard{mutex_};
    closing_ = true;
    ++news_;
  }
  os::wake_all(news_);
  const std::scoped_lock served{serving_};
}

void dispatcher::close() {
  stop();
  if (thread_.joinable())
    thread_.join();
}

void dispatcher::enter(std::uint64_t client) {
  const std::scoped_lock guard{mutex_};
  clients_.insert(client);
}

void dispatcher::dispatch(std::uint64_t client,
                          const std::shared_ptr<carrier>& by,
                          arrival& request) {
  if (!serve_at_once(client, by, request))
    post({client, request.tag(), by, request.take(), false});
}

bool dispatcher::serve_at_once(std::uint64_t client,
                               const std::shared_ptr<carrier>& by,
                               const arrival& request) {
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
         && service_.serve_at_once(client, request.content(),
                                   reply_to(by, request.tag()));
}

void dispatcher::post(job what) {
  {
    const std::scoped_lock guard{mutex_};
    waiting_.push_back(std::move(what));
    // seq_cst: before the look at asleep_; the sleeper does both the other way
    // round.
    ++news_;
  }
  if (asleep_)
    os::wake_all(news_);
}

void dispatcher::leave(std::uint64_t client) {
  post({client, 0, {}, {}, true});
}

void dispatcher::run() {
  for (;;) {
    const auto seen = news_.load();
    std::deque<job> batch;
    {
      const std::scoped_lock guard{mutex_};
      if (closing_ && waiting_.empty() && clients_.empty())
        return;
      batch.swap(waiting_);
      busy_ = !batch.empty();
    }
    const bool had_some = !batch.empty();
    while (!batch.empty()) {
      serve(batch.front());
      const auto gone = batch.front().gone;
      const auto client = batch.front().client;
      batch.pop_front();
      const std::scoped_lock guard{mutex_};
      if (gone)
        clients_.erase(client);
      busy_ = !batch.empty();
    }
    if (had_some)
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

void dispatcher::serve(job& next) {
  const std::scoped_lock serving{serving_};
  if (next.gone)
    return service_.client_gone(next.client);
  if (closing_)
    return;
  service_.serve(next.client, next.request.view(), reply_to(next.by, next.tag));
}

} // namespace troupe::network
