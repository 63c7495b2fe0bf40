// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/base/hash.hpp>

#include <cstdint>
#include <memory>
#include <type_traits>
#include <typeinfo>
#include <utility>

namespace troupe::held {

/// A client of a state: the packed slot_id of a process of the run, or the
/// number of a connection with the highest bit set. Never used twice.
using client_id = std::uint64_t;

inline constexpr client_id remote_bit = 1ULL << 63;

/// The type of a held object, by its name in the language's own binary
/// interface, which g++ and clang share.
template <class T>
[[nodiscard]] std::uint64_t type_hash() noexcept {
  static const auto hash = hash_of(typeid(T).name());
  return hash;
}

/// A type that wants to hear that a client is gone: its locks are freed so.
template <class T>
concept hears_of_clients
  = requires(T& value, client_id client) { value.client_gone(client); };

/// An object that a state holds, of whatever type.
class object {
public:
  object(const object&) = delete;
  object& operator=(const object&) = delete;
  virtual ~object() = default;

  [[nodiscard]] std::uint64_t type() const noexcept {
    return type_;
  }

  [[nodiscard]] const char* type_name() const noexcept {
    return name_;
  }

  [[nodiscard]] virtual void* address() noexcept = 0;

  /// Returns whether the object may have changed by that.
  virtual bool client_gone(client_id client) = 0;

protected:
  object(std::uint64_t type, const char* name) noexcept
    : type_(type), name_(name) {
  }

private:
  std::uint64_t type_;
  const char* name_;
};

template <class T>
class object_of final : public object {
public:
  template <class... Args>
  explicit object_of(std::in_place_t, Args&&... args)
    : object(type_hash<T>(), typeid(T).name()),
      value_(make(std::forward<Args>(args)...)) {
  }

  [[nodiscard]] void* address() noexcept override {
    return &value_;
  }

  bool client_gone(client_id client) override {
    if constexpr (hears_of_clients<T>) {
      value_.client_gone(client);
      return true;
    } else {
      return static_cast<void>(client), false;
    }
  }

private:
  template <class... Args>
  static T make(Args&&... args) {
    // As in the user's own `T(2)`, where the compiler sees that 2 fits.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wsign-conversion"
    if constexpr (std::is_constructible_v<T, Args...>)
      return T(std::forward<Args>(args)...);
    else
      return T{std::forward<Args>(args)...};
#pragma GCC diagnostic pop
  }

  T value_;
};

} // namespace troupe::held
