// SPDX-License-Identifier: BSL-1.0
#include <troupe/machines/lead.hpp>

#include <troupe/base/error.hpp>
#include <troupe/base/wait_before.hpp>
#include <troupe/machines/lead_service.hpp>
#include <troupe/machines/offered_service.hpp>
#include <troupe/network/acceptor.hpp>
#include <troupe/network/credentials.hpp>
#include <troupe/network/event_loop.hpp>
#include <troupe/network/tls_carrier.hpp>
#include <troupe/os/held_threads.hpp>
#include <troupe/os/tcp.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <utility>

namespace troupe::machines {

namespace {

// release in `begin`, acquire in `current`.
std::atomic<lead*> the_lead{nullptr};

network::limits limits_of(const options& said) {
  network::limits bounds;
  bounds.silence = said.silence;
  return bounds;
}

std::string counted(std::uint64_t number, const std::string& of) {
  return std::to_string(number) + ' ' + of + (number == 1 ? "" : "s");
}

} // namespace

/// What listens. The loop's own but for the first three.
struct lead::parts {
  parts(lead& of, const options& said, const network::key& shared)
    : context(network::credentials::of(shared),
              network::tls_context::role::server),
      loop(std::make_shared<network::event_loop>()),
      admitted(
        std::make_shared<network::admission>(limits_of(said), of.where_)),
      entrance(std::make_shared<network::acceptor>(
        loop, context, limits_of(said), admitted,
        [this, &of](const std::shared_ptr<network::tls_carrier>& by) {
          end_those_that_say_nothing();
          carriers.push_back(by);
          auto made = std::make_shared<member>(of, by, by->name_of_other_end());
          members.push_back(made);
          return made;
        },
        network::carrier_terms{network::carrier_terms::service::machines,
                               true,
                               {}})),
      handshake(limits_of(said).handshake) {
  }

  /// Who has the key and does not introduce itself has a place all the same.
  void end_those_that_say_nothing() {
    std::erase_if(carriers, [](const auto& each) { return each.expired(); });
    std::erase_if(members, [](const auto& each) { return each.expired(); });
    const auto now = std::chrono::steady_clock::now();
    for (const auto& weak : members)
      if (const auto each = weak.lock();
          each && each->current_stage() == member::stage::stranger
          && now - each->since() > handshake)
        each->close();
  }

  network::tls_context context;
  std::shared_ptr<network::event_loop> loop;
  std::shared_ptr<network::admission> admitted;
  std::shared_ptr<network::acceptor> entrance;
  std::chrono::milliseconds handshake;
  std::vector<std::weak_ptr<network::tls_carrier>> carriers;
  std::vector<std::weak_ptr<member>> members;
};

lead::lead(const options& said, const network::key& shared,
           os::descriptor listening)
  : where_(said.listen->host(), os::local_port(listening.get())),
    build_(program_build::own()) {
  parts_ = new parts{*this, said, shared};
  auto fd = std::make_shared<os::descriptor>(std::move(listening));
  parts_->loop->post(
    [entrance = parts_->entrance, fd] { entrance->start(std::move(*fd)); });
}

lead* lead::current() noexcept {
  // acquire: pairs with the release in begin.
  return the_lead.load(std::memory_order_acquire);
}

lead& lead::require(std::string_view attempted) {
  if (auto* const found = current())
    return *found;
  throw invalid_state(attempted,
                      "this process leads no machines: only the root of a "
                      "program that was started with --troupe.listen does",
                      "start the program with --troupe.listen=HOST:PORT, and "
                      "ask in its root");
}

void lead::begin(const options& said, const network::key& shared,
                 os::descriptor listening) {
  auto* const made = new lead{said, shared, std::move(listening)};
  // release: pairs with the acquire in current.
  the_lead.store(made, std::memory_order_release);
  offer_service(service_of_lead);
  made->say("leads at " + to_string(made->where_));
}

void lead::say(const std::string& line) {
  // In the order of what else comes from machines.
  lines_.say(line);
}

void lead::end() noexcept {
  {
    const std::scoped_lock guard{mutex_};
    if (std::exchange(ending_, true))
      return;
    changed_.notify_all();
    happenings_.close();
  }
  parts_->loop->post([this] {
    parts_->admitted->close();
    parts_->entrance->close();
    parts_->admitted->end_strangers();
    for (const auto& each : parts_->carriers)
      if (const auto alive = each.lock())
        alive->end({network::loss::cause::closed_here, "this program ends"});
  });
  parts_->loop->stop();
  // As the end of a program writes out what it has printed; but a stream that
  // nobody reads keeps it no longer.
  constexpr std::chrono::seconds print_limit{5};
  static_cast<void>(lines_.wait(lines_.begun(), deadline::after(print_limit)));
}

std::vector<std::shared_ptr<member>> lead::members() const {
  const std::scoped_lock guard{mutex_};
  return there_;
}

bool lead::wait(
  const std::function<bool(const std::vector<std::shared_ptr<member>>&)>& ready,
  deadline limit) const {
  std::unique_lock guard{mutex_};
  const auto done = [&] { return ready(there_); };
  const bool in_time = wait_before(changed_, guard, limit, done);
  guard.unlock();
  os::stay_if_held();
  return in_time;
}

void lead::when_changed(std::function<void()> tell) {
  const std::scoped_lock guard{mutex_};
  tell_ = std::move(tell);
}

bool lead::is_taken(const std::string& name) const {
  return std::any_of(there_.begin(), there_.end(),
                     [&](const auto& each) { return each->name() == name; });
}

std::string lead::free_name(const std::string& wished) const {
  if (!is_taken(wished))
    return wished;
  for (std::uint64_t number = 2;; ++number) {
    const auto ending = '-' + std::to_string(number);
    auto name = wished.substr(0, longest_name - ending.size()) + ending;
    if (!is_taken(name))
      return name;
  }
}

void lead::decide(const std::shared_ptr<member>& who) {
  const auto& said = who->said();
  auto compared = compare(said, build_);
  verdict answer;
  const std::scoped_lock guard{mutex_};
  if (compared.why == refusal::none && ending_)
    compared = {refusal::lead_is_ending, "it is ending",
                "this program is ending"};
  if (compared.why == refusal::none && said.name_was_given
      && is_taken(said.name))
    compared = {refusal::name_taken,
                "it has a machine " + said.name
                  + " already; choose another --troupe.name",
                "there is a machine " + said.name + " already"};
  if (compared.why != refusal::none) {
    say(who->address() + (said.name.empty() ? "" : " (" + said.name + ')')
        + " was refused: " + compared.to_lead);
    answer.why = compared.why;
    answer.text = compared.to_machine;
    who->answer(answer);
    return;
  }
  answer.number = ++joined_;
  answer.text = free_name(said.name);
  who->enter(answer.text, answer.number);
  // Before somebody else has a word for it.
  who->answer(answer);
  there_.push_back(who);
  note({happening::what::joined, who, {}});
  say("machine " + answer.text + " joined ("
      + counted(said.processors, "processor") + ')');
}

void lead::is_leaving(member& who) {
  const std::scoped_lock guard{mutex_};
  note({happening::what::leaving, who.shared_from_this(), {}});
}

void lead::is_gone(const std::shared_ptr<member>& who, bool left,
                   const std::string& reason) {
  const std::scoped_lock guard{mutex_};
  std::erase(there_, who);
  note({left ? happening::what::left : happening::what::lost, who, reason});
  if (ending_)
    return;
  say(left ? "machine " + who->name() + " has left"
           : "machine " + who->name() + " is lost: " + reason);
}

void lead::note(happening what) {
  happenings_.add(std::move(what));
  changed_.notify_all();
  if (tell_)
    tell_();
}

} // namespace troupe::machines
