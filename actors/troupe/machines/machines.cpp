// SPDX-License-Identifier: BSL-1.0
#include <troupe/machines/machines.hpp>

#include <troupe/base/error.hpp>
#include <troupe/machines/event_log.hpp>
#include <troupe/machines/lead.hpp>
#include <troupe/machines/member.hpp>

#include <algorithm>
#include <memory>

namespace troupe {

const std::string& machine::name() const noexcept {
  return of_->name();
}

std::uint64_t machine::number() const noexcept {
  return of_->number();
}

const std::vector<std::string>& machine::labels() const noexcept {
  return of_->said().labels;
}

bool machine::has_label(std::string_view label) const noexcept {
  const auto& all = labels();
  return std::find(all.begin(), all.end(), label) != all.end();
}

unsigned machine::processors() const noexcept {
  return of_->said().processors;
}

std::uint64_t machine::memory() const noexcept {
  return of_->said().memory;
}

bool machine::is_there() const {
  return of_->current_stage() != machines::member::stage::gone;
}

} // namespace troupe

namespace troupe::machines {

namespace {

using members = std::vector<std::shared_ptr<member>>;

members::const_iterator find_in(const members& there, std::string_view name) {
  return std::find_if(there.begin(), there.end(),
                      [&](const auto& each) { return each->name() == name; });
}

std::vector<machine> as_machines(const members& there) {
  std::vector<machine> made;
  for (const auto& each : there)
    made.emplace_back(each);
  return made;
}

[[noreturn]] void give_up(const std::string& attempted, std::size_t count) {
  throw timed_out(attempted,
                  "there are " + std::to_string(count) + " at the limit",
                  "start the program with --troupe.join=" + address()
                    + " on another machine, or wait longer");
}

} // namespace

std::vector<machine> list() {
  return as_machines(lead::require("list the machines").members());
}

std::optional<machine> find(std::string_view name) {
  const auto there = lead::require("find a machine").members();
  const auto found = find_in(there, name);
  if (found == there.end())
    return std::nullopt;
  return machine{*found};
}

machine wait_for(std::string_view name, deadline limit) {
  const auto attempted = "wait for machine " + std::string{name};
  auto& leads = lead::require(attempted);
  std::shared_ptr<member> found;
  std::size_t count = 0;
  const bool in_time = leads.wait(
    [&](const members& there) {
      count = there.size();
      const auto one = find_in(there, name);
      if (one == there.end())
        return false;
      found = *one;
      return true;
    },
    limit);
  if (!in_time)
    give_up(attempted, count);
  return machine{std::move(found)};
}

std::vector<machine> wait_for(std::size_t count, deadline limit) {
  const auto attempted = "wait for " + std::to_string(count) + " machines";
  auto& leads = lead::require(attempted);
  members found;
  const bool in_time = leads.wait(
    [&](const members& there) {
      found = there;
      return found.size() >= count;
    },
    limit);
  if (!in_time)
    give_up(attempted, found.size());
  return as_machines(found);
}

std::string address() {
  return to_string(lead::require("tell where machines join").where());
}

events::events()
  : log_(&lead::require("be told of machines").happenings()),
    here_(log_->listen()) {
}

std::optional<event> events::next(deadline limit) {
  if (!here_)
    throw invalid_state("be told of machines",
                        "these events were moved to another object",
                        "ask that one");
  auto told = log_->next(*here_, limit);
  using how = event_log::told::how;
  if (told.came == how::missed)
    throw limit_reached(
      "be told of machines",
      std::to_string(told.missed) + " events were not kept: at most "
        + std::to_string(event_log::most_kept) + " wait for whoever listens",
      "look at machines::list(), and ask for the next more "
      "often");
  if (told.came != how::happened)
    return std::nullopt;
  static_assert(static_cast<int>(happening::what::lost)
                == static_cast<int>(event::what::lost));
  return event{static_cast<event::what>(told.what.kind),
               machine{std::move(told.what.of)}, std::move(told.what.reason)};
}

} // namespace troupe::machines
