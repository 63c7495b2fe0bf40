// SPDX-License-Identifier: BSL-1.0
#include <troupe/sync/barrier.hpp>

#include <troupe/base/error.hpp>
#include <troupe/memory/run_memory.hpp>
#include <troupe/process/process.hpp>

namespace troupe {

namespace {

using memory::object_kind;
using sync::barrier_state;
using sync::breakage;

barrier_state& state_at(std::byte* payload) noexcept {
  return *reinterpret_cast<barrier_state*>(payload);
}

void holder_died(std::byte* payload, std::uint64_t,
                 std::uint32_t row) noexcept {
  state_at(payload).on_death(row);
}

void holder_left(std::byte* payload, std::uint64_t,
                 std::uint32_t row) noexcept {
  state_at(payload).forget(row);
}

const bool registered = memory::register_kind(
  object_kind::barrier,
  {nullptr, holder_died, holder_left, barrier_state::layout()});

std::uint32_t own_row() noexcept {
  return memory::run_memory::current().self().index;
}

std::string reason(const barrier_state& of,
                   const barrier_state::arrival& mine) {
  if (mine.result == barrier_state::outcome::reset)
    return "it was reset while the caller waited";
  switch (of.now().why) {
    case breakage::timed_out:
      return "it is broken: the limit of one who waited has passed";
    case breakage::aborted: return "it is broken: abort was called";
    case breakage::action_threw:
      return "it is broken: the action ended with an exception";
    case breakage::member_died: {
      const auto who = of.broken_by();
      return "it is broken: a process that took part has died"
             + (who.empty() ? std::string{} : ", " + who);
    }
    default: return "it is broken";
  }
}

} // namespace

barrier::barrier(std::uint32_t parties, std::chrono::nanoseconds limit,
                 std::source_location made_at) {
  static_cast<void>(registered);
  if (parties == 0 || parties > most_parties)
    throw invalid_argument(
      "make a barrier for " + std::to_string(parties) + " parties",
      "it must be from 1 to " + std::to_string(most_parties));
  object_ = memory::reference::create(object_kind::barrier,
                                      barrier_state::size());
  state_ = object_.as<barrier_state>();
  state_->initialise(parties, limit.count(), own_row());
  memory::note_origin(object_, made_at);
}

barrier::barrier(codec::decoder& from)
  : object_(from.handle(object_kind::barrier)),
    state_(object_ ? object_.as<barrier_state>() : nullptr) {
  if (state_ == nullptr)
    from.refuse("barrier", "an empty handle");
  if (object_.size() < barrier_state::size())
    from.refuse("barrier", "the handle of something smaller");
}

barrier_state::arrival barrier::arrive(deadline limit) const {
  const auto mine = state_->arrive(own_row(), limit);
  if (mine.result == barrier_state::outcome::broken
      || mine.result == barrier_state::outcome::reset)
    refuse(mine);
  return mine;
}

void barrier::release(barrier_state::arrival& last) const {
  if (!state_->release(last))
    refuse(last);
}

void barrier::refuse(const barrier_state::arrival& of) const {
  throw broken_barrier(
    "wait at a barrier of " + std::to_string(parties()) + " parties",
    reason(*state_, of), "reset it when all who use it are there again");
}

} // namespace troupe
