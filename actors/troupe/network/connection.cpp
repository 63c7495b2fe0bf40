// SPDX-License-Identifier: BSL-1.0
#include <troupe/network/connection.hpp>

#include <troupe/base/error.hpp>
#include <troupe/base/wait_before.hpp>
#include <troupe/network/call_table.hpp>
#include <troupe/network/dispatcher.hpp>
#include <troupe/network/tls_carrier.hpp>
#include <troupe/os/tcp.hpp>

#include <atomic>
#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

namespace troupe::network {

namespace {

/// The order of the calling thread's requests.
std::uint64_t stream_of_this_thread() noexcept {
  // seq_cst, and relaxed would do: each number is given once, and that is all.
  static std::atomic<std::uint64_t> last{0};
  static thread_local const std::uint64_t mine = ++last;
  return mine;
}

/// What the client's carrier talks to.
class client final : public carrier::receiver {
public:
  client(std::shared_ptr<call_table> calls, event_loop& loop)
    : calls_(std::move(calls)), loop_(loop) {
  }

  void opened() override {
    const std::scoped_lock guard{mutex_};
    open_ = true;
    changed_.notify_all();
  }

  void received(arrival& what) override {
    if (calls_->answered(what.tag(), what))
      loop_.give_way();
  }

  void refused(std::uint64_t tag) override {
    calls_->refused(tag);
  }

  void lost(const loss& why) noexcept override {
    calls_->lose(why.text);
    const std::scoped_lock guard{mutex_};
    lost_ = why;
    changed_.notify_all();
  }

  /// Waits until it is open, and returns why it is not.
  std::optional<loss> wait(deadline limit, bool& in_time) {
    std::unique_lock guard{mutex_};
    const auto decided = [this] { return open_ || lost_; };
    in_time = wait_before(changed_, guard, limit, decided);
    return lost_;
  }

private:
  std::shared_ptr<call_table> calls_;
  event_loop& loop_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool open_ = false;
  std::optional<loss> lost_;
};

/// Requests that are sent together, where there are answers to come that would
/// bring the next occasion; and how long one is for which that is not worth it.
constexpr std::uint32_t worth_sending = 32;
constexpr std::size_t worth_sending_alone = 4096;

/// Does nothing where another thread leads.
void run_until_here(event_loop::guest& by, const call_table& calls,
                    const answer& what) {
  by.run_until([&] { return what.is_here(); });
  // Nobody else would lead for those who wait, too.
  if (calls.has_waiters())
    by.expect_more();
}

[[noreturn]] void refuse(const std::string& attempted, const loss& why) {
  using enum loss::cause;
  switch (why.why) {
    case wrong_key:
      throw not_authentic(attempted, "it has not this key, or this end's key "
                                     "is not its own");
    case not_tls: throw not_authentic(attempted, "it does not speak TLS");
    case full:
      throw limit_reached(attempted, why.text,
                          "try again when one of them has gone");
    default: throw connection_lost(attempted, why.text);
  }
}

} // namespace

struct connection::parts {
  parts(const key& shared, const std::string& name)
    : context(credentials::of(shared), tls_context::role::client),
      calls(std::make_shared<call_table>(name)),
      loop(std::make_shared<event_loop>()),
      here(std::make_shared<client>(calls, *loop)) {
  }
  parts(const parts&) = delete;
  parts& operator=(const parts&) = delete;

  ~parts() {
    if (to)
      to->close();
    loop->stop();
    calls->lose("it was closed here");
  }

  tls_context context;
  std::shared_ptr<call_table> calls;
  std::shared_ptr<event_loop> loop;
  std::shared_ptr<client> here;
  std::shared_ptr<tls_carrier> to;
  // seq_cst, and relaxed would do: each number is given once, and that is all.
  std::atomic<std::uint64_t> told{0};
  /// Requests that may not have been sent yet.
  // seq_cst, and relaxed would do: a count that may be wrong by some.
  std::atomic<std::uint32_t> unsent{0};
  std::mutex mutex;
  std::map<const answer*, call_table::waiter> watching;
};

connection::connection(const address& where, const key& shared,
                       const limits& bounds, deadline limit)
  : where_(where) {
  const auto attempted = "connect to " + to_string(where);
  // First what takes long: the other end gives little time from then on.
  parts_ = std::make_unique<parts>(shared, to_string(where));
  auto fd = os::connect_tcp(where.host(), where.port(), limit);
  parts_->to = tls_carrier::make_client(parts_->loop, parts_->context,
                                        std::move(fd), bounds, parts_->here);
  bool in_time = true;
  const auto lost = parts_->here->wait(limit, in_time);
  if (!in_time)
    throw timed_out(attempted, "it has not answered in time");
  if (lost)
    refuse(attempted, *lost);
}

connection::~connection() = default;

std::shared_ptr<answer> connection::call(bytes_view request) {
  check_size(request);
  auto made = std::make_shared<answer>(this);
  const auto number = parts_->calls->enter({made, request.size()});
  send_soon({number, stream_of_this_thread(), request, false, false});
  return made;
}

void connection::send_soon(const departure& what) {
  event_loop::guest here{*parts_->loop};
  parts_->to->send(what);
  const bool alone = parts_->calls->on_the_way() <= 1;
  if (alone || what.content.size() > worth_sending_alone
      || ++parts_->unsent >= worth_sending) {
    parts_->unsent = 0;
    here.end_turn();
  }
}

bytes connection::ask(bytes_view request) {
  return ask_and_look(request)->take();
}

std::shared_ptr<answer> connection::ask_and_look(bytes_view request) {
  check_size(request);
  auto made = std::make_shared<answer>(this);
  const auto number = parts_->calls->enter({made, request.size()});
  const bool borrowed = request.size() > longest_small;
  {
    event_loop::guest here{*parts_->loop};
    send(number, request, borrowed);
    run_until_here(here, *parts_->calls, *made);
  }
  static_cast<void>(wait(*made, deadline::never()));
  if (borrowed && parts_->to->borrows(request.data())) {
    // Answered before it was asked: nobody of ours does that.
    parts_->to->close();
    while (parts_->to->borrows(request.data()))
      std::this_thread::yield();
  }
  return made;
}

bool connection::wait(answer& of, deadline limit) {
  if (of.is_here())
    return true;
  if (limit.is_never()) {
    event_loop::guest here{*parts_->loop};
    run_until_here(here, *parts_->calls, of);
    if (of.is_here())
      return true;
  }
  of.wait_for();
  const call_table::waiter counted{*parts_->calls};
  // After that: a guest that leaves now sees it, or this sees that it has left.
  parts_->loop->lead_on();
  return of.sleep(limit);
}

bool connection::poll(const answer& of) {
  if (!of.is_here())
    parts_->loop->lead_on();
  return of.is_here();
}

void connection::watch(answer& of) {
  of.watch(true);
  const std::scoped_lock guard{parts_->mutex};
  parts_->watching.emplace(&of, *parts_->calls);
  parts_->loop->lead_on();
}

void connection::unwatch(answer& of) noexcept {
  of.watch(false);
  const std::scoped_lock guard{parts_->mutex};
  parts_->watching.erase(&of);
}

void connection::check_size(bytes_view request) const {
  if (request.size() > longest_content)
    throw limit_reached("call " + to_string(where_),
                        "the request has more than 1 GiB");
}

void connection::send(std::uint64_t number, bytes_view request, bool borrowed) {
  parts_->to->send({number, stream_of_this_thread(), request, borrowed, false});
}

void connection::tell(bytes_view request) noexcept {
  if (is_lost())
    return;
  const auto tag = no_answer | ++parts_->told;
  try {
    send_soon({tag, stream_of_this_thread(), request, false, true});
  } catch (const std::bad_alloc&) {
    // The state keeps what it would have given up until the connection ends.
  }
}

bool connection::is_lost() const noexcept {
  return parts_->calls->is_lost();
}

} // namespace troupe::network
