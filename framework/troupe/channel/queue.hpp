// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/base/deadline.hpp>
#include <troupe/base/error.hpp>
#include <troupe/base/reading_iterator.hpp>
#include <troupe/channel/items.hpp>
#include <troupe/channel/put_result.hpp>
#include <troupe/channel/readiness.hpp>
#include <troupe/codec/decoder.hpp>
#include <troupe/codec/encoder.hpp>
#include <troupe/codec/narrowing.hpp>
#include <troupe/codec/require_sendable.hpp>
#include <troupe/mailbox/message_queue.hpp>

#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <optional>
#include <ranges>
#include <source_location>
#include <string>
#include <utility>
#include <vector>

namespace troupe {

/// A queue that processes share: many put, many get. Python's `Queue`,
/// `JoinableQueue` and `SimpleQueue` in one.
///
/// A `queue` is a handle. Copies of it, in whatever process, mean the same
/// queue, which lives until the last of them is gone; it may be an argument of
/// a process, an item of a queue, part of a message.
///
/// # Order, loss, duplication
/// Items leave in the order in which their puts were committed, so those of one
/// writer in its order; a batch is not interrupted by others. After `put`
/// returns the item is in the queue: its writer may end or be killed, and never
/// waits for a reader at its end. Every item reaches exactly one reader; a
/// reader killed between taking an item out and using it takes it along.
///
/// # What a crash leaves
/// A queue in order, with every item that was put and not taken. Nobody waits
/// for a dead process, and no item is half there.
///
/// # A queue in itself
/// An item that carries a handle of its own queue, directly or around others,
/// keeps it until somebody takes the item out, or the run ends.
///
/// # Waiting
/// `put` waits only in a queue with a `max_size`; `get` for an item. Both wait
/// besides, for the time of a copy, for another process that is inside of the
/// same call; a process that is *stopped* there (SIGSTOP) holds the others up.
///
/// Failures are thrown: `closed`, `malformed_bytes` naming the writer when an
/// item does not decode (it is dropped, the queue goes on), `limit_reached`
/// when the run has no memory left, `invalid_state` for a handle that was moved
/// from. Any thread may use a handle that no other thread assigns to.
template <class T>
class queue {
public:
  using value_type = T;

  /// A new queue without a limit but the run's memory.
  /// Throws `limit_reached`, `invalid_state` (no `troupe::program`).
  queue(std::source_location made_at = std::source_location::current())
    : queue(0, made_at) {
  }

  /// A new queue for at most `max_size` items; 0 is without a limit.
  explicit queue(std::size_t max_size,
                 std::source_location made_at = std::source_location::current())
    : box_(mailbox::message_queue::create(
        {.fingerprint = fingerprint(), .messages = max_size, .ledger = true})) {
    memory::note_origin(box_, made_at);
    codec::require_sendable<T>();
  }

  // Putting ------------------------------------------------------------------

  /// Puts an item. Throws `closed`, `limit_reached`, what encoding throws.
  /// @blocks on readers while the queue is full
  void put(const T& item) const {
    static_cast<void>(put_before(deadline::never(), item));
  }

  /// Puts an item if there is room now.
  put_result try_put(const T& item) const {
    return put_before(deadline::now(), item);
  }

  /// Puts an item if there is room within `limit`.
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

  /// The form that the others are made of.
  put_result put_before(deadline limit, const T& item) const {
    if constexpr (codec::require_sendable<T>(); codec::sendable<T>)
      return channel::put_item(box(), item, limit, "put into a queue");
    else
      return put_result::full;
  }

  /// Puts all items in order, many at a time, which costs less for each than
  /// `put`. If it throws or its process is killed, a first part is in.
  template <std::ranges::input_range Items>
    requires std::convertible_to<std::ranges::range_reference_t<Items>, T>
  void put_many(Items&& items) const {
    codec::require_kept_value<std::ranges::range_reference_t<Items>, T>();
    channel::put_items<T>(box(), std::ranges::begin(items),
                          std::ranges::end(items), deadline::never(),
                          "put into a queue");
  }

  /// The same while there is room; returns how many are in.
  template <std::ranges::input_range Items>
    requires std::convertible_to<std::ranges::range_reference_t<Items>, T>
  [[nodiscard]] std::size_t try_put_many(Items&& items) const {
    codec::require_kept_value<std::ranges::range_reference_t<Items>, T>();
    return channel::put_items<T>(box(), std::ranges::begin(items),
                                 std::ranges::end(items), deadline::now(),
                                 "put into a queue");
  }

  // Getting ------------------------------------------------------------------

  /// Takes the first item. Throws `closed` once the queue is closed and
  /// drained, `malformed_bytes`, `stale_handle` (an object that the item names
  /// is gone).
  /// @blocks on writers while the queue is empty
  [[nodiscard]] T get() const {
    return *get_before(deadline::never());
  }

  /// Takes the first item if there is one now. Throws as `get`.
  [[nodiscard]] std::optional<T> try_get() const {
    return get_before(deadline::now());
  }

  /// Takes the first item if one comes within `limit`. Throws as `get`.
  template <class Rep, class Period>
  [[nodiscard]] std::optional<T>
  try_get_for(const std::chrono::duration<Rep, Period>& limit) const {
    return get_before(deadline::after(limit));
  }

  template <class Clock, class Duration>
  [[nodiscard]] std::optional<T>
  try_get_until(const std::chrono::time_point<Clock, Duration>& limit) const {
    return get_before(deadline::at(limit));
  }

  /// The form that the others are made of.
  [[nodiscard]] std::optional<T> get_before(deadline limit) const {
    auto item = take_before(limit);
    if (item.ended)
      channel::throw_ended("get from a queue");
    return std::move(item.value);
  }

  /// Takes between one and `most` items, those that are there; waits for the
  /// first only. Throws as `get`.
  /// @blocks on writers while the queue is empty
  [[nodiscard]] std::vector<T> get_many(std::size_t most) const {
    return get_many_before(deadline::never(), most);
  }

  /// The same without waiting; perhaps none.
  [[nodiscard]] std::vector<T> try_get_many(std::size_t most) const {
    return get_many_before(deadline::now(), most);
  }

  [[nodiscard]] std::vector<T> get_many_before(deadline limit,
                                               std::size_t most) const {
    std::vector<T> result;
    bool ended = false;
    channel::take_items<T>(box(), most, limit, ended, [&](T&& item) {
      result.push_back(std::move(item));
    });
    if (ended)
      channel::throw_ended("get from a queue");
    return result;
  }

  /// An input iterator that takes an item when it is looked at, and ends when
  /// the queue is closed and drained.
  using iterator = reading_iterator<T, const queue>;

  /// `for (auto& item : queue)` takes items until the queue is closed and
  /// drained. Several readers may do so at once and share the items. No item is
  /// taken that is not shown: `queue | std::views::take(3)` takes three and
  /// does not wait for a fourth.
  [[nodiscard]] iterator begin() const noexcept {
    return iterator{*this};
  }

  [[nodiscard]] std::default_sentinel_t end() const noexcept {
    return {};
  }

  // Looking ------------------------------------------------------------------

  /// How many items are in. With others at work it is old when it is read.
  [[nodiscard]] std::size_t size() const {
    return static_cast<std::size_t>(box().size());
  }

  [[nodiscard]] bool empty() const {
    return box().empty();
  }

  [[nodiscard]] bool full() const {
    return box().full();
  }

  /// The limit that the queue was made with; 0 is none.
  [[nodiscard]] std::size_t max_size() const {
    return static_cast<std::size_t>(box().options().messages);
  }

  // The end ------------------------------------------------------------------

  /// Ends the putting, for everyone: `put` throws `closed` from now on, and so
  /// does `get` once what is in is taken. May be called again.
  void close() const {
    box().close();
  }

  [[nodiscard]] bool is_closed() const {
    return box().closed();
  }

  // Tasks --------------------------------------------------------------------

  /// Says that one item that was taken has been dealt with. Throws
  /// `invalid_state` when called more often than items were taken.
  void task_done() const {
    if (!box().finish())
      throw invalid_state("say that a task of a queue is done",
                          "as many are done as were taken",
                          "call task_done once for each item");
  }

  /// Waits until every item that was put has been taken and is done.
  /// Throws `peer_died` if a process that took items and did not finish them
  /// has died, or has dropped its handle: they will never be done.
  /// @blocks on whoever takes items
  void join() const {
    static_cast<void>(join_before(deadline::never()));
  }

  /// The same; false if `limit` passed first.
  template <class Rep, class Period>
  [[nodiscard]] bool
  join_for(const std::chrono::duration<Rep, Period>& limit) const {
    return join_before(deadline::after(limit));
  }

  template <class Clock, class Duration>
  [[nodiscard]] bool
  join_until(const std::chrono::time_point<Clock, Duration>& limit) const {
    return join_before(deadline::at(limit));
  }

  [[nodiscard]] bool join_before(deadline limit) const {
    std::uint64_t lost = 0;
    const auto outcome = box().wait_finished(box_, limit, lost);
    if (outcome == mailbox::message_queue::finish_outcome::abandoned)
      throw peer_died("join a queue",
                      std::to_string(lost)
                        + " of its items were taken by processes that are "
                          "gone and had not called task_done",
                      "put those tasks again, or do not join");
    return outcome == mailbox::message_queue::finish_outcome::all_finished;
  }

  // Others -------------------------------------------------------------------

  /// A descriptor that is readable while there is an item or the end, for
  /// `epoll` and the like; do not read it, do not close it. It lives as long as
  /// this handle and the copies made of it from now on. The first one of a
  /// process starts a thread.
  [[nodiscard]] int readable_fd() {
    if (!readiness_)
      readiness_ = std::make_shared<channel::readiness>(box(), box_);
    return readiness_->fd();
  }

  /// The mailbox behind it, for layers above.
  [[nodiscard]] mailbox::message_queue& box() const {
    if (!box_)
      throw invalid_state("use a queue", "this handle was moved from",
                          "copy a handle that is needed afterwards");
    return *box_.template as<mailbox::message_queue>();
  }

  void save(codec::encoder& to) const {
    static_cast<void>(box());
    to.handle(box_);
  }

  static queue load(codec::decoder& from) {
    queue result{channel::attach(from, memory::object_kind::queue)};
    if (!result.box_)
      from.refuse(codec::type_name<queue>(), "the handle is empty");
    if (result.box().options().fingerprint != fingerprint())
      from.refuse(codec::type_name<queue>(),
                  "it is a handle of a queue of another type");
    return result;
  }

  /// Names the queue in its run, for ever; 0 if the handle was moved from.
  [[nodiscard]] memory::object_id id() const noexcept {
    return box_.id();
  }

  friend bool operator==(const queue& a, const queue& b) noexcept {
    return a.box_ == b.box_;
  }

private:
  struct taken {
    std::optional<T> value;
    bool ended = false;
  };

  explicit queue(memory::reference box) noexcept : box_(std::move(box)) {
  }

  [[nodiscard]] static constexpr std::uint64_t fingerprint() noexcept {
    return channel::fingerprint_of<queue>();
  }

  friend iterator;

  /// For the iterator.
  [[nodiscard]] std::optional<T> next() const {
    return take_before(deadline::never()).value;
  }

  [[nodiscard]] taken take_before(deadline limit) const {
    if constexpr (codec::require_sendable<T>(); codec::sendable<T>) {
      bool ended = false;
      auto value = channel::take_item<T>(box(), limit, ended);
      return {std::move(value), ended};
    } else {
      return {};
    }
  }

  memory::reference box_;
  std::shared_ptr<channel::readiness> readiness_;
};

} // namespace troupe

// How many items there are now says nothing about how many will be read.
template <class T>
inline constexpr bool std::ranges::disable_sized_range<troupe::queue<T>> = true;
