// SPDX-License-Identifier: BSL-1.0
#include <troupe/transport/hub.hpp>

#include <troupe/memory/run_memory.hpp>
#include <troupe/os/coarse_clock.hpp>
#include <troupe/os/crash_point.hpp>
#include <troupe/os/held_threads.hpp>
#include <troupe/transport/caf_error.hpp>
#include <troupe/transport/node.hpp>

#include <algorithm>
#include <cstdio>
#include <typeinfo>
#include <utility>

namespace troupe::transport {

namespace {

/// Frames taken from one ring before the others get their turn.
constexpr std::size_t batch = 256;

/// More frames than the largest ring has room for.
constexpr std::size_t most_in_ring = std::size_t{1} << 18;

/// Actors run before the rings are looked at again.
constexpr unsigned most_jobs = 64;

/// Messages that an actor may handle in one run.
constexpr std::size_t most_messages = 256;

/// With more writers than that, looking at every ring costs more than having
/// the writers say which of them wrote.
constexpr std::size_t crowd = 32;

/// A handle that nothing needed for so long is not kept for the next message.
constexpr std::chrono::milliseconds idle_handle{20};

/// How soon, and how late, it is asked again whether others have read what a
/// dead process had sent.
constexpr std::chrono::milliseconds first_settle_pause{1};
constexpr std::chrono::milliseconds longest_settle_pause{50};

/// So many turns without rest, and the time is looked at.
constexpr unsigned turns_to_sweep = 4096;

std::uint32_t count_of_deaths() noexcept {
  // acquire: pairs with whoever confirms a death.
  return memory::run_memory::current().header().deaths.load(
    std::memory_order_acquire);
}

bool is_dead(memory::slot_id process) {
  const auto* slot = memory::run_memory::current().find(process);
  return slot == nullptr || slot->current_state() == memory::slot_state::dead;
}

} // namespace

/// Leads until another thread has taken over or the hub stops.
void hub::receive_as_leader(hub_thread& mine) {
  const version::proxy_scope scope{mine, node_.proxies()};
  unsigned turns = 0;
  while (!stopping_.load(std::memory_order_relaxed)) {
    auto done = drain(mine);
    // At once: somebody may wait for what the actors answer.
    if (!run_jobs(mine))
      return;
    done += do_rare_work(mine);
    if (done == 0 && mine.idle())
      rest();
    else if (++turns % turns_to_sweep == 0)
      sweep_if_due();
  }
}

/// Takes what stands in the rings.
std::size_t hub::drain(hub_thread& mine) {
  return take_announced()
         + (inbox_.crowded() ? drain_marked(mine) : drain_all(mine));
}

/// Does what has nothing to do in most turns.
std::size_t hub::do_rare_work(hub_thread& mine) {
  auto done = run_posted(mine);
  done += flush_peers();
  done += look_for_deaths(mine);
  done += answer_settles();
  look_at_doubtful(mine);
  return done;
}

std::size_t hub::drain_all(hub_thread& mine) {
  std::size_t taken = 0;
  bool broken = false;
  for (const auto& each : incoming_) {
    if (each->ready())
      taken += each->drain(batch, mine);
    broken = broken || each->broken();
  }
  if (broken)
    drop_broken();
  return taken;
}

std::size_t hub::drain_marked(hub_thread& mine) {
  std::size_t taken = 0;
  bool broken = false;
  const auto words = memory::run_memory::current().header().slots / 64;
  for (std::size_t word = 0; word < words; ++word) {
    if (inbox_.word(word).load(std::memory_order_relaxed) == 0)
      continue;
    // seq_cst: cleared before the ring is read; a writer that publishes later
    // sets it again.
    const auto marks = inbox_.word(word).exchange(0, std::memory_order_seq_cst);
    for (const auto& each : incoming_) {
      const auto index = each->writer().index;
      if (index / 64 != word || ((marks >> (index % 64)) & 1) == 0)
        continue;
      taken += each->drain(batch, mine);
      broken = broken || each->broken();
      if (each->ready())
        inbox_.word(word).fetch_or(1ULL << (index % 64));
    }
  }
  if (broken)
    drop_broken();
  return taken;
}

std::size_t hub::take_announced() {
  if (!inbox_.has_announced())
    return 0;
  auto rings = inbox_.take_announced();
  for (auto& ring : rings) {
    const auto writer
      = memory::slot_id::unpacked(ring.as<mailbox::ring_head>()->writer);
    // The name of the writer is a claim, too.
    if (writer.index >= memory::run_memory::current().header().slots
        || writer == node_.self() || is_distrusted(writer))
      continue;
    incoming_.push_back(std::make_unique<incoming_channel>(
      node_, writer, node_.peer_of(writer), std::move(ring)));
  }
  if (incoming_.size() > crowd && !inbox_.crowded())
    inbox_.set_crowded();
  // What was published before its writer could know that it has to mark it.
  if (inbox_.crowded())
    for (const auto& each : incoming_)
      inbox_.word(each->writer().index / 64)
        .fetch_or(1ULL << (each->writer().index % 64));
  // A writer may have died before its ring was taken.
  deaths_again_.store(true, std::memory_order_relaxed);
  return rings.size();
}

std::size_t hub::run_posted(hub_thread& mine) {
  if (!has_posted_.load(std::memory_order_acquire))
    return 0;
  std::deque<std::function<void()>> tasks;
  std::vector<caf::resumable*> newcomers;
  {
    const std::scoped_lock held{posted_mutex_};
    tasks.swap(posted_);
    newcomers.swap(newcomers_);
    has_posted_.store(false, std::memory_order_relaxed);
  }
  for (const auto& task : tasks)
    task();
  for (auto* each : newcomers)
    mine.later(each);
  return tasks.size() + newcomers.size();
}

std::size_t hub::flush_peers() {
  if (!node_.any_congested())
    return 0;
  std::size_t flushed = 0;
  for (const auto& each : node_.peers())
    if (each->could_flush()) {
      each->flush();
      ++flushed;
    }
  return flushed;
}

std::size_t hub::look_for_deaths(hub_thread& mine) {
  const auto deaths = count_of_deaths();
  const auto again = deaths_again_.load(std::memory_order_relaxed);
  // Before the look: it is for this one that the look is done.
  const auto asked = death_looks::asked();
  // This process is about to die of a signal. Threads that wait in CAF cannot
  // be held there, so they must not learn of the end of others; and nobody is
  // told of a look.
  if (os::holds_threads()) {
    deaths_seen_ = deaths;
    look_ = look_told_ = asked;
    deaths_again_.store(false, std::memory_order_relaxed);
    return 0;
  }
  if (deaths == deaths_seen_ && asked == look_ && !again) {
    if (look_told_ != look_ || is_unsettled())
      settle(mine);
    return 0;
  }
  const auto more = deaths != deaths_seen_;
  deaths_seen_ = deaths;
  look_ = asked;
  if (again)
    deaths_again_.store(false, std::memory_order_relaxed);
  // A ring of a process that nothing was known of so far.
  static_cast<void>(take_announced());
  std::size_t reclaimed = 0;
  bool unsettled = false;
  for (const auto& each : node_.peers())
    if (is_dead(each->process())) {
      on_process_death(*each, death_of(each->process()), mine);
      node_.forget(each->process());
      if (node_.exported()->knows(each->process())) {
        unsettled_.push_back(each->process());
        unsettled = true;
      }
      if (each->has_loans()) {
        unsettled_loans_.push_back(each);
        unsettled = true;
      }
      ++reclaimed;
    }
  if (unsettled)
    ask_for_look();
  // Also where the dead was nobody to this process: others wait for that.
  settle(mine);
  // Whoever it was may have taken a name away, and not have said so.
  if (more)
    node_.exported()->names_changed();
  return reclaimed;
}

void hub::settle(memory::slot_id dead, std::shared_ptr<peer> asker) {
  // Of one that lives the asker cannot have heard that it is dead.
  if (is_dead(dead))
    post([this, dead, asker = std::move(asker)] {
      settles_.emplace_back(dead, asker);
    });
}

std::size_t hub::answer_settles() {
  if (settles_.empty())
    return 0;
  // A ring that the dead had only just announced.
  static_cast<void>(take_announced());
  const auto answered = std::erase_if(settles_, [&](const auto& each) {
    const auto& [dead, asker] = each;
    if (node_.has_peer(dead))
      return false;
    asker->send_control(frame_kind::settled, {dead.packed(), 0, 0});
    return true;
  });
  // The others are reclaimed first.
  if (!settles_.empty())
    deaths_again_.store(true, std::memory_order_relaxed);
  return answered;
}

/// Delivers everything that the process published before it died; only then
/// tells of the death.
void hub::on_process_death(peer& of, const caf::error& reason,
                           hub_thread& mine) {
  static_cast<void>(take_announced());
  for (const auto& each : incoming_)
    if (each->writer() == of.process())
      while (each->drain(batch, mine) != 0) {
      }
  TROUPE_CRASH_POINT("transport.hub.reclaiming");
  std::erase_if(incoming_, [&](const auto& each) {
    return each->writer() == of.process();
  });
  std::erase(distrusted_, of.process());
  node_.give_up(of, reason);
}

/// A dead process may have sent others handles that it had of actors here. So
/// it counts as a holder of them until all who live have read what it has sent,
/// and what they say of it has come.
void hub::settle(hub_thread& mine) {
  // What follows from the deaths so far has been sent, unless it waits for
  // room.
  if (look_told_ != look_) {
    // Who asks may know of a death before it is confirmed.
    drain_published(mine);
    if (!node_.any_congested()) {
      look_told_ = look_;
      death_looks::done(look_told_);
    }
  }
  if (!is_unsettled() || !next_settle_.passed())
    return;
  if (!death_looks::done_by_all(look_awaited_)) {
    // One that is stopped need not look for long.
    next_settle_ = deadline::after(settle_pause_);
    settle_pause_ = std::min(settle_pause_ * 2, longest_settle_pause);
    return;
  }
  TROUPE_CRASH_POINT("transport.hub.settling");
  deaths_looked_at_ = deaths_awaited_;
  drain_published(mine);
  for (const auto each : std::exchange(unsettled_, {}))
    node_.exported()->process_gone(each);
  for (const auto& each : std::exchange(unsettled_loans_, {}))
    each->end_loans();
  for (const auto each : std::exchange(unsettled_shares_, {}))
    node_.exported()->unlend(each);
}

/// All others have to read what is published now before anybody is let go of.
void hub::ask_for_look() {
  deaths_awaited_ = count_of_deaths();
  look_awaited_ = death_looks::ask();
  settle_pause_ = first_settle_pause;
  next_settle_ = deadline::now();
}

bool hub::is_unsettled() const noexcept {
  return !unsettled_.empty() || !unsettled_loans_.empty()
         || !unsettled_shares_.empty();
}

/// Delivers all that was published before.
void hub::drain_published(hub_thread& mine) {
  static_cast<void>(take_announced());
  bool broken = false;
  // No ring holds more frames than that.
  for (const auto& each : incoming_) {
    each->drain(most_in_ring, mine);
    broken = broken || each->broken();
  }
  if (broken)
    drop_broken();
}

/// Lets go of actors whose shares have ended, or that a process has let go of.
/// Whoever has held one may have told of the actor before, in another ring, and
/// be dead by now.
void hub::look_at_doubtful(hub_thread& mine) {
  auto& known = *node_.exported();
  auto& own = node_.own_shares();
  if (!known.has_doubtful() && !own.some_ended())
    return;
  auto doubtful = known.take_doubtful();
  // Who held a share may be dead, and have passed the actor on. A death is
  // counted before the shares of the dead end.
  const auto ended = own.take_ended();
  const auto deaths = count_of_deaths();
  if (deaths == deaths_looked_at_) {
    doubtful.insert(doubtful.end(), ended.begin(), ended.end());
  } else if (!ended.empty()) {
    for (const auto each : ended)
      if (known.lend(each))
        unsettled_shares_.push_back(each);
    ask_for_look();
  }
  drain_published(mine);
  for (const auto each : doubtful)
    known.look_again(each);
}

/// A process that breaks the protocol is treated as dead, in whichever of its
/// rings it did so.
void hub::drop_broken() {
  for (;;) {
    const auto at = std::ranges::find_if(incoming_, [](const auto& each) {
      return each->broken();
    });
    if (at == incoming_.end())
      return;
    const auto writer = (*at)->writer();
    const auto back = (*at)->back();
    const auto* slot = memory::run_memory::current().find(writer);
    const auto who = slot == nullptr
                       ? "a process that is gone"
                       : "process " + slot->name.get() + " (pid "
                           + std::to_string(slot->pid.load()) + ")";
    const auto text = who + " broke the protocol of the transport: "
                      + (*at)->trouble();
    distrusted_.push_back(writer);
    std::erase_if(incoming_,
                  [&](const auto& each) { return each->writer() == writer; });
    std::fprintf(stderr, "troupe: %s; its messages are ignored from now on\n",
                 text.c_str());
    node_.give_up(*back, make_error(errc::malformed_bytes, text));
    back->end_loans();
    node_.exported()->process_gone(writer);
  }
}

bool hub::is_distrusted(memory::slot_id process) const noexcept {
  return std::ranges::find(distrusted_, process) != distrusted_.end();
}

/// Runs woken actors. False if another thread leads now.
bool hub::run_jobs(hub_thread& mine) {
  for (unsigned count = 0; count < most_jobs; ++count) {
    auto* job = mine.next();
    if (job == nullptr)
      return true;
    if (!run_job(mine, job))
      return false;
  }
  return true;
}

bool hub::run_job(hub_thread& mine, caf::resumable* job) {
  const auto actor = job->subtype() == caf::resumable::scheduled_actor
                       ? static_cast<caf::scheduled_actor*>(job)->id()
                       : caf::actor_id{0};
  ensure_watcher();
  mine.flooded = false;
  mine.running.store(actor, std::memory_order_relaxed);
  mine.type.store(typeid(*job).name(), std::memory_order_relaxed);
  // Before it enters: from then on another thread may lead, and change it.
  const auto measured = slow_.is_measured(actor);
  const auto entered = leader_.enter();
  if (watcher_asleep_.load(std::memory_order_seq_cst) != 0
      && watcher_asleep_.exchange(0) != 0)
    os::wake_all(watcher_asleep_);
  const auto before = measured ? os::thread_use::of_this_thread()
                               : os::thread_use{};
  const auto start = os::cycles();
  // relaxed: whoever looks wants an idea of it.
  if (mine.shown != nullptr) {
    mine.shown->since.store(start, std::memory_order_relaxed);
    mine.shown->actor.store(actor, std::memory_order_relaxed);
  }
  if (memory::is_traced()) [[unlikely]]
    memory::trace(memory::trace_kind::actor_begins, 0, actor);
  const auto result = job->resume(&mine, most_messages);
  const auto spent = os::cycles() - start;
  if (mine.shown != nullptr)
    mine.shown->actor.store(0, std::memory_order_relaxed);
  if (memory::is_traced()) [[unlikely]]
    memory::trace(memory::trace_kind::actor_ends, 0, actor);
  const auto still_leads = leader_.leave(entered);
  if (result != caf::resumable::resume_later)
    intrusive_ptr_release(job);
  if (!still_leads) {
    if (result == caf::resumable::resume_later)
      version::schedule(node_.system(), job);
    return false;
  }
  if (slow_cycles_ == 0 || spent > slow_cycles_)
    slow_cycles_ = rate_.cycles_in(slow_actors::slow);
  slow_.note(actor, spent > slow_cycles_
                      && (!measured
                          || slow_actors::was_slow(
                            before, os::thread_use::of_this_thread())));
  if (mine.flooded)
    slow_.demote(actor);
  if (result == caf::resumable::resume_later) {
    if (slow_.runs_elsewhere(actor))
      version::schedule(node_.system(), job);
    else
      mine.later(job);
  }
  return true;
}

bool hub::has_work() {
  // What most wait for is looked at first.
  if (inbox_.crowded()) {
    const auto words = memory::run_memory::current().header().slots / 64;
    for (std::size_t word = 0; word < words; ++word)
      if (inbox_.word(word).load(std::memory_order_relaxed) != 0)
        return true;
  } else {
    for (const auto& each : incoming_)
      if (each->ready())
        return true;
  }
  if (inbox_.has_announced() || has_posted_.load(std::memory_order_relaxed)
      || stopping_.load(std::memory_order_relaxed)
      || deaths_again_.load(std::memory_order_relaxed)
      || node_.own_shares().some_ended() || node_.exported()->has_doubtful()
      || death_looks::asked() != look_
      || memory::run_memory::current().header().deaths.load(
           std::memory_order_relaxed)
           != deaths_seen_)
    return true;
  if (node_.any_congested())
    for (const auto& each : node_.peers())
      if (each->could_flush())
        return true;
  return false;
}

/// Handles are kept for the next message only while messages come.
void hub::sweep_if_due() {
  if (!next_sweep_.is_never() && !next_sweep_.passed())
    return;
  bool more = false;
  for (const auto& each : incoming_)
    if (each->sweep())
      more = true;
  next_sweep_ = more ? deadline::after(idle_handle) : deadline::never();
}

/// Lets go of all handles that are kept for the next message.
void hub::sweep() {
  for (const auto& each : incoming_) {
    static_cast<void>(each->sweep());
    static_cast<void>(each->sweep());
  }
}

/// Notes how many actors there are, and what they have to do.
void hub::show_actors() noexcept {
  auto* const own = memory::run_memory::current().own_counters();
  if (own == nullptr)
    return;
  const auto& now = node_.system().base_metrics();
  own->actors.running.store(now.running_actors->value(),
                            std::memory_order_relaxed);
  own->actors.queued.store(now.queued_messages->value(),
                           std::memory_order_relaxed);
  own->actors.handled.store(now.processed_messages->value(),
                            std::memory_order_relaxed);
  own->actors.noted.store(os::coarse_now(), std::memory_order_relaxed);
}

void hub::rest() {
  if (spinner_.spin([this] { return has_work(); }))
    return;
  sweep_if_due();
  show_actors();
  // A limit has its price. The watcher, when it goes to sleep, has the handles
  // swept; while it sleeps, they are swept by the clock.
  const auto by_clock = !watched_
                        || watcher_asleep_.load(std::memory_order_seq_cst) != 0;
  auto limit = inbox_.retry().when();
  if (by_clock)
    limit = std::min(limit, next_sweep_.when());
  if (is_unsettled())
    limit = std::min(limit, next_settle_.when());
  // Another thread may make room, and wakes nobody here.
  if (look_told_ != look_)
    limit = std::min(limit, deadline::after(longest_settle_pause).when());
  memory::wait_note note{memory::wait_kind::message, nullptr,
                         deadline::at(limit)};
  mailbox::sleep_until_notified(
    slot_, [this] { return has_work(); }, deadline::at(limit), note);
}

} // namespace troupe::transport
