// SPDX-License-Identifier: BSL-1.0
#include <troupe/transport/hub.hpp>

#include <troupe/base/error.hpp>
#include <troupe/calls/readable_name.hpp>
#include <troupe/memory/run_memory.hpp>
#include <troupe/os/process_id.hpp>
#include <troupe/transport/node.hpp>

#include <string_view>

namespace troupe::transport {

namespace {

/// The hub thread of the calling thread, in threads of a hub.
thread_local hub_thread* own_hub_thread = nullptr;

/// So many looks without anything moving, and the watcher sleeps.
constexpr unsigned patient_looks = 25;

} // namespace

hub::hub(node& of)
  : node_(of),
    entrance_(*this, of.system()),
    slot_(memory::run_memory::current().own_slot()) {
}

hub::~hub() = default;

void hub::start(mailbox::inbox own) {
  inbox_ = std::move(own);
  deaths_seen_ = memory::run_memory::current().header().deaths.load();
  deaths_looked_at_ = deaths_seen_;
  look_ = slot_.looks_done.load();
  look_told_ = look_;
  deaths_again_ = true;
  const std::scoped_lock held{threads_mutex_};
  add_thread(true);
}

void hub::stop() {
  stopping_.store(true, std::memory_order_seq_cst);
  memory::notify(slot_);
  {
    const std::scoped_lock held{threads_mutex_};
    watcher_asleep_.store(0);
  }
  os::wake_all(watcher_asleep_);
  threads_changed_.notify_all();
  // A thread may still be adding one while the first are joined.
  for (std::size_t i = 0;; ++i) {
    std::thread joining;
    {
      const std::scoped_lock held{threads_mutex_};
      if (i == threads_.size())
        break;
      joining = std::move(threads_[i]);
    }
    joining.join();
  }
  for (const auto& each : hub_threads_)
    for (auto* job : each->take_all())
      version::schedule(node_.system(), job);
  {
    const std::scoped_lock held{posted_mutex_};
    admits_ = false;
    for (auto* each : newcomers_)
      version::schedule(node_.system(), each);
    newcomers_.clear();
  }
  incoming_.clear();
  inbox_ = {};
}

void hub::post(std::function<void()> task) {
  {
    const std::scoped_lock held{posted_mutex_};
    posted_.push_back(std::move(task));
    has_posted_.store(true, std::memory_order_release);
  }
  mailbox::notify_if_asleep(slot_);
}

void hub::admit(caf::resumable* newcomer) {
  {
    const std::scoped_lock held{posted_mutex_};
    if (!admits_) {
      version::schedule(node_.system(), newcomer);
      return;
    }
    newcomers_.push_back(newcomer);
    has_posted_.store(true, std::memory_order_release);
  }
  mailbox::notify_if_asleep(slot_);
}

void hub::release(caf::strong_actor_ptr share) {
  admit(new version::last_share{std::move(share)});
}

bool hub::on_duty() const noexcept {
  return own_hub_thread != nullptr
         && leader_state::thread(leader_.load()) == own_hub_thread->number();
}

void hub::note_flood() noexcept {
  if (own_hub_thread != nullptr)
    own_hub_thread->flooded = true;
}

version::execution_context* hub::runner_for(caf::actor_id actor) noexcept {
  return slow_.runs_elsewhere(actor) ? nullptr : own_hub_thread;
}

void hub::look_again_for_deaths() noexcept {
  deaths_again_.store(true, std::memory_order_relaxed);
}

/// The life of one thread: leads, or waits to be the watcher, watches, and
/// leads when the leader does not come back from an actor.
void hub::run(hub_thread& mine, bool leads) {
  own_hub_thread = &mine;
  {
    const std::scoped_lock held{threads_mutex_};
    mine.thread = os::thread_mark::of_this_thread();
  }
  if (auto* const own = memory::run_memory::current().own_counters();
      own != nullptr && mine.number() < own->actors.threads.size()) {
    mine.shown = &own->actors.threads[mine.number()];
    mine.shown->thread.store(os::this_thread_id());
  }
  for (;;) {
    if (leads) {
      mine.reinstate();
      receive_as_leader(mine);
      if (stopping_.load())
        return;
    }
    {
      std::unique_lock held{threads_mutex_};
      threads_changed_.wait(held, [this] {
        return watcher_ == nullptr || stopping_.load();
      });
      if (stopping_.load())
        return;
      watcher_ = &mine;
    }
    if (!watch(mine))
      return;
    leads = true;
  }
}

/// Looks every few milliseconds whether the leader is still in the same actor.
/// Returns true when this thread has become the leader, false to end.
bool hub::watch(hub_thread& mine) {
  auto before = leader_.load();
  auto used = time_of_leader(before);
  for (unsigned still = 0; !stopping_.load();) {
    const auto limit = still >= patient_looks ? deadline::never()
                                              : deadline::after(longest_wait);
    if (limit.is_never()) {
      watcher_asleep_.store(1, std::memory_order_seq_cst);
      // While this thread is awake the hub sleeps without a limit: see `rest`.
      post([this] { sweep(); });
      // Pairs with leader_state::enter: either the leader sees that we sleep,
      // or we see that it has moved.
      if (leader_.load() == before && !stopping_.load()) {
        memory::wait_note note{memory::wait_kind::thread, nullptr, limit};
        note.sleeps();
        static_cast<void>(os::wait(watcher_asleep_, 1, limit));
      }
      watcher_asleep_.store(0);
      still = 0;
    } else {
      static_cast<void>(os::wait(watcher_asleep_, 0, limit));
    }
    const auto now = leader_.load();
    if (now != before) {
      before = now;
      used = time_of_leader(now);
      still = 0;
    } else if ((now & leader_state::busy) == 0) {
      ++still;
    } else if (leader_.take_over(now, mine.number())) {
      take_over_from(leader_state::thread(now), used, mine);
      return true;
    }
  }
  return false;
}

std::chrono::nanoseconds hub::time_of_leader(std::uint64_t word) {
  const std::scoped_lock held{threads_mutex_};
  return hub_threads_[leader_state::thread(word)]->thread.time();
}

/// `used` is what that thread had of the processors when it was found in this
/// actor first. If it has had next to nothing since, and waits for nothing
/// else, then its actor is not to blame.
void hub::take_over_from(std::uint64_t number, std::chrono::nanoseconds used,
                         hub_thread& mine) {
  {
    const std::scoped_lock held{threads_mutex_};
    watcher_ = nullptr;
    watched_ = false;
    auto& stuck = *hub_threads_[number];
    stuck.retire();
    if (stuck.thread.waits() || stuck.thread.time() - used > slow_actors::slow)
      slow_.demote(stuck.running.load(std::memory_order_relaxed));
    show_type_of(stuck);
    mine.reinstate();
    for (auto* job : stuck.take_all())
      mine.later(job);
  }
  threads_changed_.notify_all();
}

/// Says of what type the actor is whose handler that thread is in.
void hub::show_type_of(hub_thread& stuck) {
  if (stuck.shown == nullptr)
    return;
  const auto actor = stuck.running.load(std::memory_order_relaxed);
  const auto* const name = stuck.type.load(std::memory_order_relaxed);
  stuck.shown->typed.store(0, std::memory_order_relaxed);
  // Pairs with the second look of who reads a copy: one that has found what
  // comes next finds that 0, too.
  std::atomic_thread_fence(std::memory_order_release);
  auto type = calls::readable_name(name);
  // What `runtime::started` adds to the user's class.
  constexpr std::string_view added = "troupe::runtime::started<";
  if (type.starts_with(added) && type.ends_with('>'))
    type = type.substr(added.size(), type.size() - added.size() - 1);
  stuck.shown->type.set(type);
  stuck.shown->typed.store(static_cast<std::uint32_t>(actor),
                           std::memory_order_release);
}

/// There is a thread that watches, or will in a moment. Called by the leader
/// before it enters an actor.
void hub::ensure_watcher() {
  if (watched_)
    return;
  const std::scoped_lock held{threads_mutex_};
  if (watcher_ == nullptr && !stopping_.load()) {
    // Threads that came back from their actor wait to be the watcher; a new
    // one is needed where all of them are stuck.
    add_thread(false);
  }
  watched_ = true;
}

void hub::add_thread(bool leads) {
  const auto number = hub_threads_.size();
  if (number > 0x7FFF)
    return;
  hub_threads_.push_back(std::make_unique<hub_thread>(node_.system(), number));
  auto& mine = *hub_threads_.back();
  threads_.push_back(version::launch_thread(
    node_.system(), "troupe.hub", [this, &mine, leads] { run(mine, leads); }));
}

} // namespace troupe::transport
