// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/base/error.hpp>
#include <troupe/state/attempt.hpp>
#include <troupe/state/call_context.hpp>
#include <troupe/state/object.hpp>
#include <troupe/state/state.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <set>
#include <vector>

namespace troupe::held {

/// Where a number of clients wait for each other: what a `held::barrier` is a
/// handle of.
class barrier_object {
public:
  explicit barrier_object(std::uint64_t parties) : parties_(parties) {
    if (parties == 0)
      throw invalid_argument("make a barrier", "it is for nobody");
  }

  struct arrival {
    std::uint64_t round;
    std::uint64_t index;
  };

  /// Says how many were there before, and in which round.
  arrival arrive(const call_context& by) {
    require_whole();
    const arrival mine{round_, here_.size()};
    here_.push_back(by.client);
    if (here_.size() == parties_) {
      ++round_;
      here_.clear();
    }
    return mine;
  }

  /// Waits until all of that round are there.
  attempt<void> wait(std::uint64_t round) {
    if (broken_rounds_.contains(round))
      throw_broken();
    if (round == round_)
      return not_yet;
    return {};
  }

  void abort() {
    broken_rounds_.insert(round_);
    broken_ = true;
    here_.clear();
  }

  /// The same if that round is not over yet.
  void abort_round(std::uint64_t round) {
    if (round == round_)
      abort();
  }

  /// Who waits gets `broken_barrier`; it can be used again.
  void reset() {
    if (!here_.empty() || broken_) {
      abort();
      ++round_;
    }
    broken_ = false;
  }

  [[nodiscard]] bool is_broken() const noexcept {
    return broken_;
  }

  [[nodiscard]] std::uint64_t waiting() const noexcept {
    return here_.size();
  }

  void client_gone(client_id client) {
    if (std::find(here_.begin(), here_.end(), client) != here_.end())
      abort();
  }

private:
  [[noreturn]] static void throw_broken() {
    throw broken_barrier("wait at a barrier in a state",
                         "it was aborted or reset, or a client that was there "
                         "is gone",
                         "reset it, and begin anew");
  }

  void require_whole() const {
    if (broken_)
      throw_broken();
  }

  std::uint64_t parties_;
  std::uint64_t round_ = 0;
  std::set<std::uint64_t> broken_rounds_;
  std::vector<client_id> here_;
  bool broken_ = false;
};

/// A barrier that a state keeps: Python's `manager.Barrier()`. Within one run,
/// `troupe::barrier` costs less.
///
///     auto start = state.make<held::barrier>(3);
///
/// # What a crash leaves
/// A broken barrier, if the dead client had arrived and others were missing;
/// `reset` mends it.
class barrier : public proxy<barrier_object> {
  using object = barrier_object;

public:
  explicit barrier(proxy held) noexcept : proxy(std::move(held)) {
  }

  /// Waits until as many have arrived as the barrier is for; returns how many
  /// had before. Throws `broken_barrier`.
  /// @blocks on the others
  std::uint64_t arrive_and_wait() const {
    const auto mine = call<&object::arrive>();
    call<&object::wait>(mine.round);
    return mine.index;
  }

  /// The same. Breaks the barrier for all if `limit` passes first.
  /// @blocks on the others, until `limit`
  template <class Rep, class Period>
  std::uint64_t
  arrive_and_wait_for(const std::chrono::duration<Rep, Period>& limit) const {
    return wait_before(deadline::after(limit));
  }

  template <class Clock, class Duration>
  std::uint64_t arrive_and_wait_until(
    const std::chrono::time_point<Clock, Duration>& limit) const {
    return wait_before(deadline::at(limit));
  }

  /// Breaks it: all who wait, and who come, get `broken_barrier`.
  void abort() const {
    call<&object::abort>();
  }

  /// Makes it whole again; who waits now gets `broken_barrier`.
  void reset() const {
    call<&object::reset>();
  }

  [[nodiscard]] bool is_broken() const {
    return call<&object::is_broken>();
  }

  /// How many wait now.
  [[nodiscard]] std::uint64_t waiting() const {
    return call<&object::waiting>();
  }

  [[nodiscard]] static barrier load(codec::decoder& from) {
    return barrier{proxy::load(from)};
  }

  /// Names all of this, for clients in other programs.
  static void offer() {
    state::offer<object, &object::arrive, &object::wait, &object::abort,
                 &object::abort_round, &object::reset, &object::is_broken,
                 &object::waiting>();
  }

private:
  std::uint64_t wait_before(deadline limit) const {
    const auto mine = call<&object::arrive>();
    if (!call_before<&object::wait>(limit, mine.round)) {
      // Unless the last has come meanwhile: the next round is others'.
      call<&object::abort_round>(mine.round);
      call<&object::wait>(mine.round);
    }
    return mine.index;
  }
};

} // namespace troupe::held
