// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/shared/elements.hpp>

#include <atomic>
#include <concepts>
#include <cstring>

namespace troupe {

/// One `T` in memory that processes share: Python's `Value`.
///
/// A `value` is a handle. Copies of it, in whatever process, mean the same `T`;
/// the `T` lives until the last of them is gone. So `a = b` makes `a` a handle
/// of what `b` means, and `a = b.get()` copies the number.
///
/// # Access
/// Where the processor can access a `T` in one piece (`value<T>::is_atomic`:
/// numbers, enumerations, small structures), every access here is atomic and
/// there is never a data race. Plain reading and writing, by name or by `=`, is
/// relaxed: whoever reads sees *some* value that was written, and a process
/// that is joined has written all of its own. Two steps are two steps:
/// `v = v - 1` loses updates when others do the same; `v -= 1` does not.
///
/// Other types are copied byte by byte; two processes must then take turns,
/// under a mutex. `raw()` leaves the turns to the caller for every type.
///
/// # What a crash leaves
/// The last value that was written; for a type that is not atomic, perhaps
/// half of it. The memory is given back when no living process holds it.
///
/// Any thread may use a handle that no other thread assigns to.
template <class T>
class value {
  static_assert((shared::require_shareable<T>(), true));

public:
  using value_type = T;

  static constexpr bool is_atomic = std::atomic_ref<T>::is_always_lock_free;

  /// Whether it can be counted up and down in one step.
  static constexpr bool is_number
    = is_atomic
      && !std::same_as<T, bool> && (std::integral<T> || std::floating_point<T>);

  /// A new `T`, all its bytes zero. Throws `limit_reached`, `invalid_state`.
  value() : value(fresh()) {
  }

  /// A new `T` with that value. Throws `limit_reached`, `invalid_state`.
  explicit value(const T& initial) : value(fresh()) {
    set(initial);
  }

  [[nodiscard]] T get() const noexcept {
    if constexpr (is_atomic)
      return atomic().load(std::memory_order_relaxed);
    else
      return raw();
  }

  void set(const T& wanted) const noexcept {
    if constexpr (is_atomic)
      atomic().store(wanted, std::memory_order_relaxed);
    else
      raw() = wanted;
  }

  operator T() const noexcept {
    return get();
  }

  value& operator=(const T& wanted) noexcept {
    set(wanted);
    return *this;
  }

  /// The `T` itself, in shared memory. Who uses it sees to it that no other
  /// process writes at the same time.
  [[nodiscard]] T& raw() const noexcept {
    return *reinterpret_cast<T*>(elements_.data());
  }

  /// The `T` as an atomic, with all that `std::atomic_ref` has.
  [[nodiscard]] std::atomic_ref<T> atomic() const noexcept
    requires is_atomic
  {
    // The order is the caller's to say; seq_cst unless it says another.
    return std::atomic_ref<T>{raw()};
  }

  [[nodiscard]] T
  load(std::memory_order order = std::memory_order_seq_cst) const noexcept
    requires is_atomic
  {
    return atomic().load(order);
  }

  void store(T wanted,
             std::memory_order order = std::memory_order_seq_cst) const noexcept
    requires is_atomic
  {
    atomic().store(wanted, order);
  }

  /// Writes `wanted` and returns what was there.
  T exchange(T wanted,
             std::memory_order order = std::memory_order_seq_cst) const noexcept
    requires is_atomic
  {
    return atomic().exchange(wanted, order);
  }

  /// Writes `wanted` if `expected` is there. Otherwise returns false and puts
  /// what is there into `expected`.
  bool compare_exchange(T& expected, T wanted,
                        std::memory_order order
                        = std::memory_order_seq_cst) const noexcept
    requires is_atomic
  {
    return atomic().compare_exchange_strong(expected, wanted, order);
  }

  /// Adds and returns what was there before.
  T fetch_add(T by, std::memory_order order
                    = std::memory_order_seq_cst) const noexcept
    requires is_number
  {
    return atomic().fetch_add(by, order);
  }

  /// Subtracts and returns what was there before.
  T fetch_sub(T by, std::memory_order order
                    = std::memory_order_seq_cst) const noexcept
    requires is_number
  {
    return atomic().fetch_sub(by, order);
  }

  /// Adds in one step, which Python's `Value` does not. Returns the new value.
  T operator+=(T by) const noexcept
    requires is_number
  {
    return static_cast<T>(fetch_add(by) + by);
  }

  T operator-=(T by) const noexcept
    requires is_number
  {
    return static_cast<T>(fetch_sub(by) - by);
  }

  T operator++() const noexcept
    requires is_number
  {
    return *this += T{1};
  }

  T operator--() const noexcept
    requires is_number
  {
    return *this -= T{1};
  }

  T operator++(int) const noexcept
    requires is_number
  {
    return fetch_add(T{1});
  }

  T operator--(int) const noexcept
    requires is_number
  {
    return fetch_sub(T{1});
  }

  void save(codec::encoder& to) const {
    elements_.save(to);
  }

  [[nodiscard]] static value load(codec::decoder& from) {
    return value{shared::elements::load(from, kind, type)};
  }

private:
  static constexpr auto kind = memory::object_kind::value;
  static constexpr auto type = shared::element_type_of<T>();
  explicit value(shared::elements elements) noexcept
    : elements_(std::move(elements)) {
  }

  static shared::elements fresh() {
    return shared::elements::create(kind, type, 1);
  }

  shared::elements elements_;
};

} // namespace troupe
