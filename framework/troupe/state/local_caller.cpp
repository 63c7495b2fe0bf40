// SPDX-License-Identifier: BSL-1.0
#include <troupe/state/local_caller.hpp>

#include <troupe/base/error.hpp>
#include <troupe/base/wait_before.hpp>
#include <troupe/channel/items.hpp>
#include <troupe/channel/readiness.hpp>
#include <troupe/memory/reclaim.hpp>
#include <troupe/memory/run_memory.hpp>
#include <troupe/os/crash_point.hpp>
#include <troupe/os/process_id.hpp>
#include <troupe/os/tuning.hpp>
#include <troupe/process/exit_status.hpp>
#include <troupe/process/process.hpp>
#include <troupe/state/route.hpp>
#include <troupe/state/table.hpp>
#include <troupe/state/wait_cycle.hpp>

#include <atomic>
#include <chrono>
#include <cstring>
#include <exception>
#include <optional>
#include <utility>

namespace troupe::held {

namespace {

using mailbox::message;
using mailbox::visit_result;
using memory::reference;
using memory::run_memory;

/// How often whoever waits for a pipe to be opened looks whether the state is
/// alive: until then nothing else would tell.
constexpr std::chrono::milliseconds look_again{10};

/// Pipes that a process keeps for later.
constexpr std::size_t most_kept = 64;

std::uint64_t next_call() noexcept {
  // seq_cst, and relaxed would do: each number is given once, and that is all.
  static std::atomic<std::uint64_t> last{0};
  return ++last;
}

std::uint32_t next_pipe() noexcept {
  // As that of the calls: relaxed would do.
  static std::atomic<std::uint32_t> last{0};
  return ++last;
}

/// The number of the call that an answer is for; 0 if it makes no sense.
std::uint64_t call_of(const message& shown) noexcept {
  std::uint64_t call = 0;
  if (shown.body.size() >= sizeof call)
    std::memcpy(&call, shown.body.data(), sizeof call);
  return call;
}

/// Takes hold of the objects of handles that are lent, whatever they are.
std::vector<reference> attach_all(std::span<const memory::object_id> handles) {
  std::vector<reference> result;
  for (const auto where : handles) {
    const auto kind = memory::kind_of(where);
    if (kind == memory::object_kind::none)
      continue;
    try {
      result.push_back(reference::attach(where, kind));
    } catch (const error&) {
      // Whoever reads the answer meets the same, and is told.
    }
  }
  return result;
}

/// The callers of this process, by the id of their control block.
struct callers {
  std::mutex mutex;
  std::unordered_map<memory::object_id, std::weak_ptr<local_caller>> all;
};

callers& the_callers() {
  // Never destroyed, for the sake of proxies in static variables.
  static auto& all = *new callers;
  return all;
}

} // namespace

/// An answer to a future that came while another thread was reading.
struct local_caller::arrived {
  bytes body;
  std::vector<memory::object_id> handles;
  /// What keeps their objects until the answer is read.
  std::vector<reference> kept;
  bool done = false;
};

std::shared_ptr<local_caller> local_caller::of(memory::object_id home) {
  auto& known = the_callers();
  const std::scoped_lock guard{known.mutex};
  std::erase_if(known.all,
                [](const auto& each) { return each.second.expired(); });
  auto& place = known.all[home];
  if (auto found = place.lock())
    return found;
  auto made = std::make_shared<local_caller>(
    reference::attach(home, memory::object_kind::state));
  place = made;
  return made;
}

local_caller::local_caller(reference home)
  : held_(std::move(home)),
    home_(as_control_block(held_)),
    owner_(os::this_pid()) {
  if (home_ == nullptr)
    throw malformed_bytes(
      "use a state", "the handle names an object that is no state",
      "look for a process that writes outside of its own data");
  box_ = &home_->requests();
}

local_caller::~local_caller() {
  // A child that the user forked has a copy, and no pipes.
  if (owner_ != os::this_pid())
    return;
  for (const auto& each : free_)
    notify(message_route::close, each->number, 0);
  if (futures_pipe_)
    notify(message_route::close, futures_pipe_->number, 0);
}

memory::slot_id local_caller::process() const noexcept {
  return memory::slot_id::unpacked(home_->process.load());
}

std::string local_caller::description() const {
  auto* slot = run_memory::current().find(process());
  return slot == nullptr ? "a state"
                         : memory::description_of("state", slot->pid.load());
}

void local_caller::throw_dead() const {
  // What the dead process held goes piece by piece, and this end may have gone
  // before the control block, which tells the story.
  const auto of = process();
  if (const auto* dying = run_memory::current().find(of);
      dying != nullptr && dying->current_state() == memory::slot_state::dying)
    static_cast<void>(process_view{of}.join_before(deadline::never()));
  const auto how = home_->story.status();
  std::string advice = "what it held is lost: make a new state";
  if (!how.last_lines().empty())
    advice += "; its last lines on standard error:\n" + how.last_lines();
  throw peer_died("call a state",
                  home_->story.ended_by.load() == 0
                    ? "its process is ending"
                    : "its process " + home_->story.description()
                        + " is gone: " + how.description(),
                  advice);
}

// Sending ---------------------------------------------------------------------

void local_caller::post(std::uint32_t what, std::uint32_t pipe,
                        std::uint64_t call, codec::packet& request) {
  const message_route route{what, pipe, call};
  request.overwrite(0, &route, sizeof route);
  TROUPE_CRASH_POINT("state.call.before_post");
  const auto outcome = box_->put({request.body(), request.handles()},
                                 deadline::never());
  if (outcome != mailbox::put_outcome::done)
    throw_dead();
  request.release_handles();
  TROUPE_CRASH_POINT("state.call.posted");
}

void local_caller::notify(std::uint32_t what, std::uint32_t pipe,
                          std::uint64_t call) noexcept {
  const message_route route{what, pipe, call};
  try {
    static_cast<void>(
      box_->put({std::as_bytes(std::span{&route, 1})}, deadline::never()));
  } catch (const error&) {
    // The state keeps what it would have given up until this process ends.
  }
}

std::unique_ptr<local_caller::pipe> local_caller::open_pipe() {
  auto [in, out] = channel::pipe_end::make(
    channel::fingerprint_of<answer_message>(), false, 0);
  auto made = std::make_unique<pipe>(pipe{std::move(in), next_pipe()});
  codec::packet message;
  codec::encoder to{message};
  const message_route route{message_route::open, made->number, 0};
  to.write(&route, sizeof route);
  out.save(to);
  if (box_->put({message.body(), message.handles()}, deadline::never())
      != mailbox::put_outcome::done)
    throw_dead();
  message.release_handles();
  // From now on the state's process is the only one that can write.
  out.close();
  TROUPE_CRASH_POINT("state.pipe.offered");
  bool opened = false;
  for (;;) {
    const auto outcome = made->end.in().take(
      [&](const mailbox::message&) {
        opened = true;
        return visit_result::taken;
      },
      1, deadline::after(look_again));
    if (opened)
      return made;
    if (outcome == mailbox::take_outcome::ended || home_->dead.load() != 0)
      throw_dead();
  }
}

std::unique_ptr<local_caller::pipe> local_caller::take_pipe() {
  {
    const std::scoped_lock guard{mutex_};
    if (!free_.empty()) {
      auto taken = std::move(free_.back());
      free_.pop_back();
      return taken;
    }
  }
  return open_pipe();
}

void local_caller::give_pipe_back(std::unique_ptr<pipe> used) noexcept {
  {
    const std::scoped_lock guard{mutex_};
    if (free_.size() < most_kept) {
      free_.push_back(std::move(used));
      return;
    }
  }
  notify(message_route::close, used->number, 0);
}

void local_caller::call(codec::packet& request, answer_reader& reader) {
  const bool nested = table::is_running_here();
  std::optional<wait_cycle_guard> waiting;
  if (nested)
    waiting.emplace(process());
  const memory::covering_wait note{memory::wait_kind::answer, home_,
                                   deadline::never()};
  auto through = take_pipe();
  const auto number = next_call();
  std::exception_ptr failure;
  bool answered = false;
  try {
    post(nested ? message_route::nested_call : message_route::call,
         through->number, number, request);
  } catch (...) {
    give_pipe_back(std::move(through));
    throw;
  }
  auto& answers = through->end.in();
  // Most answers come within a microsecond: to give the processor away before
  // costs more than that.
  static_cast<void>(
    os::spin(tuning::next_answer, [&] { return answers.readable(); }));
  while (!answered) {
    const auto outcome = answers.take(
      [&](const message& shown) {
        // Perhaps of a call that was given up.
        if (call_of(shown) != number)
          return visit_result::taken;
        answered = true;
        try {
          reader.read(shown.body.subspan(sizeof number), shown.handles);
        } catch (...) {
          failure = std::current_exception();
        }
        return visit_result::taken;
      },
      1, deadline::never());
    if (outcome == mailbox::take_outcome::ended)
      throw_dead();
  }
  give_pipe_back(std::move(through));
  if (failure)
    std::rethrow_exception(failure);
}

// Futures ---------------------------------------------------------------------

class local_caller::future_answer final : public pending {
public:
  future_answer(std::shared_ptr<local_caller> of, std::uint64_t call) noexcept
    : of_(std::move(of)), call_(call) {
  }

  ~future_answer() override {
    if (call_ == 0)
      return;
    bool done = false;
    {
      const std::scoped_lock guard{of_->futures_mutex_};
      const auto found = of_->futures_.find(call_);
      done = found->second->done;
      of_->futures_.erase(found);
    }
    if (!done)
      of_->notify(message_route::withdraw, 0, call_);
  }

  bool wait(deadline limit) override {
    std::unique_lock guard{of_->futures_mutex_};
    auto& mine = *of_->futures_.at(call_);
    while (!mine.done) {
      if (of_->reading_) {
        if (!wait_before(of_->futures_changed_, guard, limit) && !mine.done)
          return false;
        continue;
      }
      const auto outcome = read_some(guard, limit);
      if (mine.done)
        break;
      if (outcome == mailbox::take_outcome::ended)
        of_->throw_dead();
      if (outcome == mailbox::take_outcome::empty)
        return false;
    }
    return true;
  }

  void take(answer_reader& reader) override {
    static_cast<void>(wait(deadline::never()));
    std::unique_ptr<arrived> mine;
    {
      const std::scoped_lock guard{of_->futures_mutex_};
      mine = std::move(of_->futures_.extract(call_).mapped());
    }
    call_ = 0;
    reader.read(mine->body, mine->handles);
  }

  void watch() override {
    watch_.emplace(of_->futures_pipe_->end.in());
    ++of_->watching_;
  }

  void unwatch() noexcept override {
    --of_->watching_;
    watch_.reset();
  }

private:
  /// Being the one that reads for all. The others look again when it is over,
  /// also if reading threw.
  class reader_scope {
  public:
    reader_scope(local_caller& of, std::unique_lock<std::mutex>& guard)
      : of_(of), guard_(guard) {
      of_.reading_ = true;
      guard_.unlock();
    }
    reader_scope(const reader_scope&) = delete;
    reader_scope& operator=(const reader_scope&) = delete;
    ~reader_scope() {
      guard_.lock();
      of_.reading_ = false;
      of_.futures_changed_.notify_all();
    }

  private:
    local_caller& of_;
    std::unique_lock<std::mutex>& guard_;
  };

  mailbox::take_outcome read_some(std::unique_lock<std::mutex>& guard,
                                  deadline limit) {
    bool some = false;
    const auto outcome = read_for_all(guard, limit, some);
    // Another thread may wait for an answer, or for the end, beside other
    // things, and may have found us reading. So not before we have done so.
    if ((some || outcome == mailbox::take_outcome::ended)
        && of_->watching_.load() > 0)
      memory::notify(run_memory::current().own_slot());
    return outcome;
  }

  /// Reads what answers there are; `some` says whether there were any.
  mailbox::take_outcome read_for_all(std::unique_lock<std::mutex>& guard,
                                     deadline limit, bool& some) {
    const reader_scope now{*of_, guard};
    return of_->futures_pipe_->end.in().take(
      [&](const message& shown) {
        some = true;
        const std::scoped_lock inner{of_->futures_mutex_};
        const auto found = of_->futures_.find(call_of(shown));
        if (found == of_->futures_.end())
          return visit_result::taken;
        const auto body = shown.body.subspan(sizeof(std::uint64_t));
        auto& into = *found->second;
        into.body.assign(body.begin(), body.end());
        into.handles.assign(shown.handles.begin(), shown.handles.end());
        into.kept = attach_all(shown.handles);
        into.done = true;
        return visit_result::taken;
      },
      64, limit);
  }

  std::shared_ptr<local_caller> of_;
  std::uint64_t call_;
  std::optional<channel::watch> watch_;
};

std::unique_ptr<pending> local_caller::send(codec::packet& request) {
  const auto number = next_call();
  std::uint32_t pipe = 0;
  {
    const std::scoped_lock guard{futures_mutex_};
    if (!futures_pipe_)
      futures_pipe_ = open_pipe();
    pipe = futures_pipe_->number;
    futures_.emplace(number, std::make_unique<arrived>());
  }
  auto made = std::make_unique<future_answer>(
    std::static_pointer_cast<local_caller>(shared_from_this()), number);
  post(message_route::call, pipe, number, request);
  return made;
}

} // namespace troupe::held
