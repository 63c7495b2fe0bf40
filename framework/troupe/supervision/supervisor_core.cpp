// SPDX-License-Identifier: BSL-1.0
#include <troupe/supervision/supervisor_core.hpp>

#include <troupe/base/error.hpp>

#include <algorithm>
#include <utility>

namespace troupe::supervision {

supervisor_core::supervisor_core(const settings& how)
  : how_(how), limit_(how.limits) {
}

// What is asked for -----------------------------------------------------------

child_number supervisor_core::add(const std::string& attempted,
                                  child_policy policy) {
  check_policy(policy, attempted);
  if (std::ranges::any_of(children_, [&](const child_state& each) {
        return each.policy.id == policy.id;
      }))
    throw invalid_argument(attempted, "there is a child of that name");
  child_state made;
  made.number = next_child_++;
  made.policy = std::move(policy);
  children_.push_back(std::move(made));
  const auto number = children_.back().number;
  plan_.push_back({task::kind::start, number, child_state::purpose::request});
  return number;
}

child_number supervisor_core::start_again(const std::string& id) {
  const auto number = find_ended("restart", id).number;
  plan_.push_back({task::kind::start, number, child_state::purpose::request});
  return number;
}

child_number supervisor_core::terminate(const std::string& id) {
  const auto number = find(id).number;
  plan_.push_back({task::kind::end, number});
  return number;
}

child_number supervisor_core::remove(const std::string& id) {
  const auto number = find_ended("delete", id).number;
  discard(number);
  return number;
}

void supervisor_core::discard(child_number which) {
  if (auto* one = look_up(which)) {
    set_phase(*one, child_phase::ended);
    done_with(*one);
    children_.erase(children_.begin() + (one - children_.data()));
  }
}

void supervisor_core::end_all() {
  stop_restarts();
  ends_all_ = true;
  current_.reset();
  for (auto each = children_.rbegin(); each != children_.rend(); ++each)
    plan_.push_back({task::kind::end, each->number});
}

void supervisor_core::end_all_at_once(class shutdown how,
                                      clock::time_point now) {
  stop_restarts();
  ends_all_ = true;
  current_.reset();
  for (auto& each : children_) {
    const bool runs = each.phase == child_phase::running
                      || each.phase == child_phase::ending;
    set_phase(each, runs ? child_phase::ending : child_phase::ended);
    each.policy.shutdown = how;
    if (runs)
      begin_end(each, now);
  }
}

// What is to be done ----------------------------------------------------------

std::optional<step> supervisor_core::next(clock::time_point now) {
  for (;;) {
    if (!out_.empty()) {
      auto what = std::move(out_.front());
      out_.pop_front();
      return what;
    }
    if (look_at_limits(now))
      continue;
    if (current_)
      return std::nullopt;
    if (!plan_.empty()) {
      const auto what = plan_.front();
      plan_.pop_front();
      begin(what, now);
    } else if (!look_at_leftovers(now)) {
      return std::nullopt;
    }
  }
}

void supervisor_core::begin(const task& what, clock::time_point now) {
  auto* one = look_up(what.child);
  // A temporary one that was to be restarted with others.
  if (one == nullptr)
    return;
  current_ = what.child;
  if (what.what == task::kind::start)
    begin_start(*one, what.why, now);
  else
    begin_end(*one, now);
}

std::optional<awaited> supervisor_core::awaits() const {
  if (current_) {
    const auto one = std::ranges::find(children_, *current_,
                                       &child_state::number);
    auto what = awaited::kind::start;
    if (one->phase == child_phase::ending)
      what = one->down ? awaited::kind::process : awaited::kind::end;
    return awaited{what, one->number, one->start, one->until};
  }
  if (!ends_all_ || leftovers_.empty())
    return std::nullopt;
  const auto& first = leftovers_.front();
  return awaited{awaited::kind::process, 0, first.start, first.until};
}

deadline supervisor_core::next_time() const noexcept {
  auto result = deadline::never();
  if (timed_ > 0)
    for (const auto& each : children_)
      result = std::min(result, each.until);
  for (const auto& each : leftovers_)
    result = std::min(result, each.until);
  return result;
}

// What there is ---------------------------------------------------------------

const child_state& supervisor_core::find(std::string_view id) const {
  const auto found = std::ranges::find_if(
    children_, [&](const child_state& each) { return each.policy.id == id; });
  if (found == children_.end())
    throw unknown_name("find child '" + std::string{id} + "'",
                       "the supervisor has no such child");
  return *found;
}

const std::string& supervisor_core::name_of(child_number which) const noexcept {
  return std::ranges::find(children_, which, &child_state::number)->policy.id;
}

child_state& supervisor_core::find_ended(const char* what,
                                         const std::string& id) {
  const auto& found = find(id);
  if (found.phase != child_phase::ended)
    throw invalid_state(std::string{what} + " child '" + id + "'",
                        found.phase == child_phase::failed
                          ? "it is being restarted"
                          : "it runs",
                        "terminate it first");
  return *look_up(found.number);
}

child_state* supervisor_core::search(child_number which) noexcept {
  const auto found = std::ranges::lower_bound(children_, which, {},
                                              &child_state::number);
  return found != children_.end() && found->number == which ? &*found : nullptr;
}

child_count supervisor_core::count() const {
  child_count result;
  for (const auto& each : children_) {
    ++result.specs;
    ++(each.policy.supervises ? result.supervisors : result.workers);
    if (each.phase == child_phase::running)
      ++result.active;
  }
  return result;
}

bool supervisor_core::is_leftover(start_number of) const noexcept {
  return std::ranges::find(leftovers_, of, &leftover::start)
         != leftovers_.end();
}

// Within ----------------------------------------------------------------------

void supervisor_core::set_limit(child_state& one, deadline until) noexcept {
  timed_ -= one.until.is_never() ? 0 : 1;
  timed_ += until.is_never() ? 0 : 1;
  one.until = until;
}

void supervisor_core::set_phase(child_state& one, child_phase phase) noexcept {
  set_limit(one, deadline::never());
  one.phase = phase;
}

void supervisor_core::push(step::kind what, const child_state& one) {
  out_.push_back({what, one.number, one.start, {}, {}});
}

/// The next task may begin, if this one was about that child.
void supervisor_core::done_with(const child_state& one) noexcept {
  if (current_ == one.number)
    current_.reset();
}

void supervisor_core::drop_death(const child_state& of) {
  std::erase_if(dead_,
                [&](const death& each) { return each.child == of.number; });
}

void supervisor_core::stop_restarts() noexcept {
  over_ = true;
  plan_.clear();
  dead_.clear();
  failed_.clear();
}

void supervisor_core::forget(child_state& one) {
  push(step::kind::forget, one);
  discard(one.number);
}

} // namespace troupe::supervision
