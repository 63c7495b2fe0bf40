// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/channel/put_result.hpp>
#include <troupe/state/call_condition.hpp>
#include <troupe/state/state.hpp>
#include <troupe/state/waiting_queue.hpp>

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace troupe::held {

/// A queue that a state holds: Python's `manager.Queue()`. It has the functions
/// of `troupe::queue`, which is faster where all clients are in one run.
///
///     auto tasks = state.make<held::queue<int>>();     // or (4): at most 4
///
/// # Order, loss, duplication
/// Items leave in the order of the puts; each reaches one reader. A reader
/// killed while its `get` waits takes nothing; one killed while the answer is
/// on its way takes the item along.
template <class T>
class queue : public proxy<waiting_queue<T>> {
  using object = waiting_queue<T>;
  using base = proxy<object>;

public:
  using value_type = T;

  explicit queue(base held) noexcept : base(std::move(held)) {
  }

  /// Throws `closed`. @blocks on readers while the queue is full
  void put(const T& item) const {
    this->template call<&object::put>(item);
  }

  put_result try_put(const T& item) const {
    return put_before(deadline::now(), item);
  }

  template <class Rep, class Period>
  put_result
  try_put_for(const T& item,
              const std::chrono::duration<Rep, Period>& limit) const {
    return put_before(deadline::after(limit), item);
  }

  template <class Clock, class Duration>
  put_result
  try_put_until(const T& item,
                const std::chrono::time_point<Clock, Duration>& limit) const {
    return put_before(deadline::at(limit), item);
  }

  /// Puts all in one call: nobody's stand between them.
  void put_many(const std::vector<T>& items) const {
    this->template call<&object::put_many>(items);
  }

  /// Throws `closed` once the queue is closed and drained.
  /// @blocks on writers while the queue is empty
  [[nodiscard]] T get() const {
    return this->template call<&object::get>();
  }

  [[nodiscard]] std::optional<T> try_get() const {
    return this->template call_before<&object::get>(deadline::now());
  }

  template <class Rep, class Period>
  [[nodiscard]] std::optional<T>
  try_get_for(const std::chrono::duration<Rep, Period>& limit) const {
    return this->template call_before<&object::get>(deadline::after(limit));
  }

  template <class Clock, class Duration>
  [[nodiscard]] std::optional<T>
  try_get_until(const std::chrono::time_point<Clock, Duration>& limit) const {
    return this->template call_before<&object::get>(deadline::at(limit));
  }

  /// Takes between one and `most` items; waits for the first only.
  [[nodiscard]] std::vector<T> get_many(std::size_t most) const {
    return this->template call<&object::get_many>(most);
  }

  [[nodiscard]] std::size_t size() const {
    return this->template call<&object::size>();
  }

  [[nodiscard]] bool empty() const {
    return size() == 0;
  }

  [[nodiscard]] bool full() const {
    return this->template call<&object::full>();
  }

  void close() const {
    this->template call<&object::close>();
  }

  [[nodiscard]] bool is_closed() const {
    return this->template call<&object::is_closed>();
  }

  /// Throws `invalid_state` when called more often than items were taken.
  void task_done() const {
    this->template call<&object::task_done>();
  }

  /// @blocks until every item that was put is done
  void join() const {
    this->template call<&object::join>();
  }

  template <class Rep, class Period>
  [[nodiscard]] bool
  join_for(const std::chrono::duration<Rep, Period>& limit) const {
    return this->template call_before<&object::join>(deadline::after(limit));
  }

  template <class Clock, class Duration>
  [[nodiscard]] bool
  join_until(const std::chrono::time_point<Clock, Duration>& limit) const {
    return this->template call_before<&object::join>(deadline::at(limit));
  }

  /// For `wait_any`: ready when there is an item, the queue is closed, or the
  /// state is gone. A wait that is given up leaves nothing behind.
  [[nodiscard]] std::shared_ptr<wait_condition> when_ready() const {
    return when_returned(
      [of = *this] { return of.template call_async<&object::readable>(); },
      [of = *this] {
        return of.template call_before<&object::readable>(deadline::now());
      });
  }

  [[nodiscard]] static queue load(codec::decoder& from) {
    return queue{base::load(from)};
  }

  /// Names all of this, for clients in other programs.
  static void offer() {
    state::offer<object, &object::put, &object::put_many, &object::get,
                 &object::get_many, &object::size, &object::full,
                 &object::close, &object::is_closed, &object::task_done,
                 &object::join, &object::readable>();
  }

private:
  put_result put_before(deadline limit, const T& item) const {
    return this->template call_before<&object::put>(limit, item)
             ? put_result::done
             : put_result::full;
  }
};

} // namespace troupe::held
