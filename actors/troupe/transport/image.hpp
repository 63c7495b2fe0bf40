// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/codec/sendable.hpp>

#include <string_view>
#include <type_traits>

namespace troupe::transport {

template <class T>
[[nodiscard]] bool is_image();

/// An inspector that only finds out whether an inspect function does nothing
/// but name plain members. Where it sets, checks or computes something, bytes
/// may not be copied past it.
class image_probe {
public:
  static constexpr bool is_loading = true;

  [[nodiscard]] static constexpr bool has_human_readable_format() noexcept {
    return false;
  }

  [[nodiscard]] bool plain() const noexcept {
    return plain_;
  }

  struct field_type {
    image_probe* probe;

    template <class T>
    field_type fallback(T&&) const {
      return *this;
    }
    template <class T>
    field_type invariant(T&&) const {
      probe->plain_ = false;
      return *this;
    }
  };

  struct object_type {
    image_probe* probe;

    object_type pretty_name(std::string_view) const {
      return *this;
    }
    template <class T>
    object_type on_load(T&&) const {
      probe->plain_ = false;
      return *this;
    }
    template <class T>
    object_type on_save(T&&) const {
      probe->plain_ = false;
      return *this;
    }
    template <class... Ts>
    bool fields(Ts&&...) const {
      return true;
    }
  };

  template <class T>
  object_type object(T&) {
    return {this};
  }
  object_type virtual_object(std::string_view) {
    plain_ = false;
    return {this};
  }
  template <class T>
  field_type field(std::string_view, T&) {
    plain_ = plain_ && is_image<std::remove_const_t<T>>();
    return {this};
  }
  template <class... Ts>
    requires(sizeof...(Ts) > 1)
  field_type field(std::string_view, Ts&&...) {
    plain_ = false;
    return {this};
  }
  template <class T>
  bool apply(T&) {
    plain_ = plain_ && is_image<std::remove_const_t<T>>();
    return true;
  }
  template <class Get, class Set>
  bool apply(Get&&, Set&&) {
    return refuse();
  }

  // Whoever speaks to the inspector in its own words is not plain.
  template <class... Ts>
  bool value(Ts&&...) {
    return refuse();
  }
  template <class... Ts>
  bool list(Ts&&...) {
    return refuse();
  }
  template <class... Ts>
  bool map(Ts&&...) {
    return refuse();
  }
  template <class... Ts>
  bool tuple(Ts&&...) {
    return refuse();
  }
  template <class... Ts>
  bool begin_object(Ts&&...) {
    return refuse();
  }
  bool end_object() {
    return refuse();
  }
  template <class... Ts>
  bool begin_field(Ts&&...) {
    return refuse();
  }
  bool end_field() {
    return refuse();
  }
  template <class... Ts>
  bool begin_sequence(Ts&&...) {
    return refuse();
  }
  bool end_sequence() {
    return refuse();
  }
  template <class... Ts>
  bool begin_tuple(Ts&&...) {
    return refuse();
  }
  bool end_tuple() {
    return refuse();
  }
  template <class... Ts>
  void emplace_error(Ts&&...) {
    plain_ = false;
  }
  template <class T>
  void set_error(T&&) {
    plain_ = false;
  }

private:
  bool refuse() {
    plain_ = false;
    return false;
  }

  bool plain_ = true;
};

template <class T>
concept probeable
  = requires(image_probe& probe, T& value) { inspect(probe, value); };

/// Whether a `T` may be sent as the bytes that it is made of: any bytes are a
/// value of the type, and its inspect function, if any, asks for nothing else.
template <class T>
bool is_image() {
  if constexpr (codec::flat<T>) {
    return true;
  } else if constexpr (!std::is_trivially_copyable_v<T>
                       || !std::is_trivially_destructible_v<T>
                       || !std::is_class_v<T>) {
    return false;
  } else if constexpr (std::is_empty_v<T>) {
    return true;
  } else if constexpr (std::is_default_constructible_v<T> && probeable<T>) {
    image_probe probe;
    T value{};
    static_cast<void>(inspect(probe, value));
    return probe.plain();
  } else {
    return false;
  }
}

} // namespace troupe::transport
