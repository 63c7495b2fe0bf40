// SPDX-License-Identifier: BSL-1.0
#include <troupe/state/table.hpp>

#include <troupe/base/error.hpp>
#include <troupe/calls/readable_name.hpp>
#include <troupe/memory/run_memory.hpp>
#include <troupe/state/inside_caller.hpp>
#include <troupe/state/itself.hpp>
#include <troupe/state/object_ref.hpp>

#include <algorithm>
#include <atomic>
#include <bit>
#include <string>
#include <utility>

namespace troupe::held {

namespace {

// seq_cst, at the end of the constructor; acquire in `find`.
std::atomic<table*> the_table{nullptr};

constexpr std::uint32_t index_of(object_number number) noexcept {
  return static_cast<std::uint32_t>(number);
}

thread_local std::uint32_t calls_here = 0;

struct running_here {
  running_here() noexcept {
    ++calls_here;
  }
  running_here(const running_here&) = delete;
  running_here& operator=(const running_here&) = delete;
  ~running_here() {
    --calls_here;
  }
};

} // namespace

/// A target of an object in the state's own process.
class table::inner_target final : public target {
public:
  inner_target(table& of, object_number number)
    : target(number, of.inside_), of_(of) {
  }

  ~inner_target() override {
    of_.leave_inside(number());
  }

  void save_as_handle(codec::encoder& to) const override {
    to.handle(of_.object_ref_of(number()));
  }

private:
  table& of_;
};

table::table(memory::reference home) : home_(std::move(home)) {
  inside_ = std::make_shared<inside_caller>(*this);
  auto itself_entry = std::make_unique<entry>();
  itself_entry->held = std::make_unique<object_of<itself>>(std::in_place);
  itself_entry->inside = 1;
  itself_entry->generation = 0;
  entries_.push_back(std::move(itself_entry));
  the_table.store(this);
}

void table::at_end(std::function<void()> what) {
  const std::scoped_lock guard{mutex_};
  at_end_.push_back(std::move(what));
}

void table::end() noexcept {
  for (const auto& each : at_end_)
    each();
  const std::scoped_lock guard{mutex_};
  for (auto& each : entries_) {
    each->calls.clear();
    dead_.push_back(std::move(each->held));
  }
  reclaim();
}

table* table::find() noexcept {
  return the_table.load(std::memory_order_acquire);
}

bool table::is_running_here() noexcept {
  return calls_here != 0;
}

table& table::here() {
  if (auto* found = find())
    return *found;
  throw invalid_state("use the state of this process",
                      "this process is not a state's",
                      "call it from a function that a state runs");
}

object_number table::number_of(std::uint32_t index) const noexcept {
  return std::uint64_t{entries_[index]->generation} << 32 | index;
}

table::entry& table::entry_of(object_number number) {
  const auto index = index_of(number);
  if (index < entries_.size() && number_of(index) == number
      && entries_[index]->held)
    return *entries_[index];
  throw stale_handle("use held object " + std::to_string(index),
                     "the state holds no such object");
}

// Calling ---------------------------------------------------------------------

void table::execute(bytes_view request,
                    std::span<const memory::object_id> handles,
                    answer_route& route) {
  const std::scoped_lock guard{mutex_};
  codec::packet inner;
  auto& answer = depth_ == 0 ? answer_ : inner;
  answer.clear();
  const running_here running;
  const open_scope open{*this};
  const auto caller = std::exchange(calling_, route.client());
  {
    codec::decoder from{request, handles, "a call", route.coding()};
    try {
      const auto head = from.load<call_head>();
      run(head, from, answer, route);
    } catch (...) {
      encode_failure(answer, std::current_exception());
    }
  }
  if (!answer.empty())
    route.send(answer);
  calling_ = caller;
}

void table::execute(codec::packet request, answer_route& route) {
  execute(request.body(), request.handles(), route);
}

void table::run(const call_head& head, codec::decoder& arguments,
                codec::packet& answer, answer_route& route) {
  const auto& what = operation::find(head.operation);
  auto& on = entry_of(head.object);
  if (what.type() != on.held->type())
    throw invalid_argument("call " + what.name(),
                           "the object is a "
                             + calls::readable_name(on.held->type_name()));
  std::unique_ptr<parked> later;
  struct busy {
    table& of;
    entry& on;
    object_number number;
    busy(table& table_of, entry& entry_on, object_number which) noexcept
      : of(table_of), on(entry_on), number(which) {
      ++on.busy;
    }
    ~busy() {
      --on.busy;
      of.end_if_unused(index_of(number));
    }
  } const now{*this, on, head.object};
  what(*on.held, context_of(route), arguments, answer, later);
  if (later) {
    const auto limit = head.when();
    if (limit.passed()) {
      begin_answer(answer, answer_kind::timed_out);
    } else {
      on.calls.push_back({std::move(later), route.keep(), limit});
      if (limit < earliest_) {
        earliest_ = limit;
        // The thread that answers late calls may sleep with no limit, or a
        // later one: this call may come from another.
        as_control_block(home_)->news.fetch_add(1, std::memory_order_seq_cst);
        memory::notify(memory::run_memory::current().own_slot());
      }
    }
  }
  if (what.changes() && !on.calls.empty()) {
    // This caller comes before those whom it lets go on.
    if (!answer.empty()) {
      route.send(answer);
      answer.clear();
    }
    wake(on);
  }
}

call_context table::context_of(answer_route& route) noexcept {
  return {*this, route.client(), route.coding()};
}

void table::wake(entry& of) {
  if (std::exchange(of.waking, true)) {
    of.again = true;
    return;
  }
  // Each that gets what it needs may let others go on in turn.
  for (bool some = true; some;) {
    some = std::exchange(of.again, false);
    for (auto each = of.calls.begin(); each != of.calls.end();) {
      // The dead take nothing, also if we shall only hear of it.
      if (!each->route->is_alive()) {
        each = of.calls.erase(each);
        continue;
      }
      codec::packet answer;
      bool done = true;
      {
        const auto before = std::exchange(calling_, each->route->client());
        try {
          done = each->call->attempt_on(*of.held, context_of(*each->route),
                                        answer);
        } catch (...) {
          encode_failure(answer, std::current_exception());
        }
        calling_ = before;
      }
      if (!done) {
        ++each;
        continue;
      }
      some = true;
      each->route->send(answer);
      each = of.calls.erase(each);
    }
  }
  of.waking = false;
}

deadline table::answer_late() {
  const std::scoped_lock guard{mutex_};
  if (!earliest_.passed())
    return earliest_;
  earliest_ = deadline::never();
  for (auto& on : entries_)
    std::erase_if(on->calls, [this](waiting& each) {
      if (!each.limit.passed()) {
        earliest_ = std::min(earliest_, each.limit);
        return false;
      }
      codec::packet answer;
      begin_answer(answer, answer_kind::timed_out);
      each.route->send(answer);
      return true;
    });
  return earliest_;
}

void table::withdraw(client_id client, std::uint64_t call) {
  const std::scoped_lock guard{mutex_};
  for (auto& on : entries_)
    std::erase_if(on->calls, [&](const waiting& each) {
      if (each.route->client() != client || each.route->call() != call)
        return false;
      each.route->withdrawn();
      return true;
    });
}

void table::client_gone(client_id client) {
  const std::scoped_lock guard{mutex_};
  const open_scope open{*this};
  for (std::uint32_t index = 0; index < entries_.size(); ++index) {
    auto& on = *entries_[index];
    if (!on.held)
      continue;
    std::erase_if(on.calls, [&](const waiting& each) {
      return each.route->client() == client;
    });
    if (on.held->client_gone(client))
      wake(on);
  }
}

void table::remember(client_id process) {
  const std::scoped_lock guard{mutex_};
  remembered_.insert(process);
}

void table::forget_dead(bool (*is_alive)(client_id)) {
  const std::scoped_lock guard{mutex_};
  std::erase_if(remembered_, [&](client_id each) {
    if (is_alive(each))
      return false;
    client_gone(each);
    return true;
  });
}

// Living and ending -----------------------------------------------------------

std::shared_ptr<target> table::hold(std::unique_ptr<object> made) {
  const std::scoped_lock guard{mutex_};
  if (free_.empty()) {
    if (entries_.size() >= most_objects)
      throw limit_reached("hold one more object",
                          "the state holds " + std::to_string(most_objects - 1)
                            + " already",
                          "hold more in one container, or use another state");
    free_.push_back(static_cast<std::uint32_t>(entries_.size()));
    entries_.push_back(std::make_unique<entry>());
  }
  const auto index = free_.back();
  free_.pop_back();
  auto& place = *entries_[index];
  place.held = std::move(made);
  return target_of(number_of(index));
}

std::shared_ptr<target> table::target_of(object_number number) {
  const std::scoped_lock guard{mutex_};
  auto& place = entry_of(number);
  auto made = std::make_shared<inner_target>(*this, number);
  ++place.inside;
  return made;
}

std::uint64_t table::type_of(object_number number) {
  const std::scoped_lock guard{mutex_};
  return entry_of(number).held->type();
}

memory::reference table::object_ref_of(object_number number) {
  const std::scoped_lock guard{mutex_};
  auto& place = entry_of(number);
  if (place.object_ref != 0) {
    try {
      return memory::reference::attach(place.object_ref,
                                       memory::object_kind::state);
    } catch (const stale_handle&) {
      // Its last holder dropped it; we will hear of that.
    }
  }
  auto made = make_object_ref(home_, number, place.held->type());
  if (place.object_ref == 0)
    ++referenced_;
  place.object_ref = made.id();
  return made;
}

memory::reference table::cell() {
  const std::scoped_lock guard{mutex_};
  auto& home = *as_control_block(home_);
  try {
    return memory::reference::attach(home.cell.load(),
                                     memory::object_kind::state);
  } catch (const stale_handle&) {
    // Only proxies are left, and one of them asks for more.
    auto made = make_cell(home_);
    home.ended.store(0);
    return made;
  }
}

bool table::is_wanted() {
  const std::scoped_lock guard{mutex_};
  return referenced_ != 0 || as_control_block(home_)->ended.load() == 0;
}

void table::leave_inside(object_number number) noexcept {
  const std::scoped_lock guard{mutex_};
  --entries_[index_of(number)]->inside;
  const open_scope open{*this};
  end_if_unused(index_of(number));
}

void table::named(object_number number, std::uint64_t times) {
  const std::scoped_lock guard{mutex_};
  entry_of(number).remote += times;
}

void table::given_back(object_number number, std::uint64_t times) noexcept {
  const std::scoped_lock guard{mutex_};
  const auto index = index_of(number);
  if (index >= entries_.size() || number_of(index) != number)
    return;
  entries_[index]->remote -= std::min(times, entries_[index]->remote);
  const open_scope open{*this};
  end_if_unused(index);
}

void table::end_if_unused(std::uint32_t index) noexcept {
  auto& place = *entries_[index];
  // A result on its way from one call to the one around it is in no target.
  if (depth_ != 0) {
    doubtful_.push_back(index);
    return;
  }
  if (!place.held || place.inside != 0 || place.busy != 0 || place.remote != 0
      || place.object_ref != 0)
    return;
  dead_.push_back(std::move(place.held));
  // Nobody who waits there has a proxy: their client is gone.
  place.calls.clear();
  ++place.generation;
  free_.push_back(index);
}

void table::reclaim() noexcept {
  // What ends may have been the last to refer to others, however many.
  while (!dead_.empty() || !doubtful_.empty()) {
    while (!doubtful_.empty()) {
      const auto index = doubtful_.back();
      doubtful_.pop_back();
      end_if_unused(index);
    }
    if (dead_.empty())
      return;
    auto one = std::move(dead_.back());
    dead_.pop_back();
    ++depth_;
    one.reset();
    --depth_;
  }
}

void table::leave() noexcept {
  if (--depth_ == 0)
    reclaim();
}

void table::collect() {
  auto& home = *as_control_block(home_);
  const auto news = home.news.load(std::memory_order_seq_cst);
  if (news == news_seen_)
    return;
  news_seen_ = news;
  const std::scoped_lock guard{mutex_};
  const open_scope open{*this};
  for (std::size_t s = 0; s < std::size(home.summary); ++s) {
    if (home.summary[s].load(std::memory_order_relaxed) == 0)
      continue;
    for (auto words = home.summary[s].exchange(0); words != 0;
         words &= words - 1) {
      const auto word = s * 64
                        + static_cast<std::size_t>(std::countr_zero(words));
      for (auto bits = home.released[word].exchange(0); bits != 0;
           bits &= bits - 1) {
        const auto index = static_cast<std::uint32_t>(
          word * 64 + static_cast<std::size_t>(std::countr_zero(bits)));
        if (index >= entries_.size() || entries_[index]->object_ref == 0)
          continue;
        try {
          // Perhaps it was another one that was dropped, before this was made.
          static_cast<void>(memory::reference::attach(
            entries_[index]->object_ref, memory::object_kind::state));
        } catch (const stale_handle&) {
          entries_[index]->object_ref = 0;
          --referenced_;
          end_if_unused(index);
        } catch (const limit_reached&) {
          // Nobody knows; this process holds too much to look. Next time.
          home.released[word].fetch_or(bits & -bits);
          home.summary[s].fetch_or(words & -words);
          news_seen_ = news - 1;
        }
      }
    }
  }
}

std::size_t table::size() {
  const std::scoped_lock guard{mutex_};
  return entries_.size() - free_.size() - 1;
}

} // namespace troupe::held
