// SPDX-License-Identifier: BSL-1.0
#include <troupe/machines/machines.hpp>

#include <troupe/base/error.hpp>
#include <troupe/machines/asked_machine.hpp>
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
  return of_->labels();
}

bool machine::has_label(std::string_view label) const noexcept {
  const auto& all = labels();
  return std::find(all.begin(), all.end(), label) != all.end();
}

unsigned machine::processors() const noexcept {
  return of_->processors();
}

std::uint64_t machine::memory() const noexcept {
  return of_->memory();
}

bool machine::is_there() const {
  return of_->is_there();
}

} // namespace troupe

namespace troupe::machines {

namespace {

using known = std::vector<std::shared_ptr<known_machine>>;

/// Those that are there, and where the lead listens.
struct seen {
  known there;
  std::string address;
};

seen as_seen(machine_list from) {
  seen made{{}, std::move(from.address)};
  for (auto& each : from.there)
    made.there.push_back(std::make_shared<asked_machine>(std::move(each)));
  return made;
}

seen as_seen(const lead& by,
             const std::vector<std::shared_ptr<member>>& there) {
  return {{there.begin(), there.end()}, to_string(by.where())};
}

/// Of the calling process: the root of the lead's run knows, others ask it.
seen look(std::string_view attempted) {
  if (const auto* const leads = lead::current())
    return as_seen(*leads, leads->members());
  return as_seen(ask_for_list(attempted));
}

known::const_iterator find_in(const known& there, std::string_view name) {
  return std::find_if(there.begin(), there.end(),
                      [&](const auto& each) { return each->name() == name; });
}

std::vector<machine> as_machines(const known& there) {
  std::vector<machine> made;
  for (const auto& each : there)
    made.emplace_back(each);
  return made;
}

/// Waits until it is as `what` says. Throws `timed_out`.
known wait_until(const wished& what, const std::string& attempted,
                 deadline limit) {
  seen now;
  if (const auto* const leads = lead::current()) {
    if (leads->wait(
          [&](const std::vector<std::shared_ptr<member>>& there) {
            now = as_seen(*leads, there);
            return are_as_wished(there, what);
          },
          limit))
      return now.there;
  } else if (auto found = ask_to_wait(attempted, what, limit)) {
    return as_seen(std::move(*found)).there;
  } else {
    now = look(attempted);
  }
  throw timed_out(attempted,
                  "there are " + std::to_string(now.there.size())
                    + " at the limit",
                  "start the program with --troupe.join=" + now.address
                    + " on another machine, or wait longer");
}

} // namespace

std::vector<machine> list() {
  return as_machines(look("list the machines").there);
}

std::optional<machine> find(std::string_view name) {
  const auto now = look("find a machine");
  const auto found = find_in(now.there, name);
  if (found == now.there.end())
    return std::nullopt;
  return machine{*found};
}

machine wait_for(std::string_view name, deadline limit) {
  const std::string wanted{name};
  const auto there = wait_until({wanted, 0}, "wait for machine " + wanted,
                                limit);
  return machine{*find_in(there, name)};
}

std::vector<machine> wait_for(std::size_t count, deadline limit) {
  return as_machines(
    wait_until({std::nullopt, count},
               "wait for " + std::to_string(count) + " machines", limit));
}

std::string address() {
  return look("tell where machines join").address;
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
