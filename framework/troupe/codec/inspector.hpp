// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/codec/decoder.hpp>
#include <troupe/codec/encoder.hpp>
#include <troupe/codec/type_name.hpp>

#include <concepts>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

/// The two inspectors that a user's `inspect` function meets here. They speak
/// CAF's protocol, so the same function serves CAF, and need nothing of CAF:
///
///     template <class Inspector>
///     bool inspect(Inspector& f, point& p) {
///       return f.object(p).fields(f.field("x", p.x), f.field("y", p.y));
///     }
///
/// Names and fallbacks do not travel: the reader is the same program.
namespace troupe::codec {

/// Calls what an inspect function gave as setter or callback: true means
/// success whether it returns nothing, a bool, or an error as CAF's.
template <class F, class... Ts>
[[nodiscard]] bool succeeds(F& callback, Ts&&... arguments) {
  using result = decltype(callback(std::forward<Ts>(arguments)...));
  if constexpr (std::is_void_v<result>) {
    callback(std::forward<Ts>(arguments)...);
    return true;
  } else if constexpr (std::is_same_v<result, bool>) {
    return callback(std::forward<Ts>(arguments)...);
  } else {
    return !static_cast<bool>(callback(std::forward<Ts>(arguments)...));
  }
}

/// The callback and the invariant of who gave none.
struct always {
  template <class... Ts>
  constexpr bool operator()(const Ts&...) const noexcept {
    return true;
  }
};

/// What `f.object(x)` gives: the callback for the other direction is dropped.
template <class Inspector, class Done>
struct inspected_object {
  Inspector* f;
  Done done;

  inspected_object&& pretty_name(std::string_view) && {
    return std::move(*this);
  }

  template <class F>
  [[nodiscard]] decltype(auto) on_load(F callback) && {
    if constexpr (Inspector::is_loading)
      return inspected_object<Inspector, F>{f, std::move(callback)};
    else
      return std::move(*this);
  }

  template <class F>
  [[nodiscard]] decltype(auto) on_save(F callback) && {
    if constexpr (Inspector::is_loading)
      return std::move(*this);
    else
      return inspected_object<Inspector, F>{f, std::move(callback)};
  }

  template <class... Fields>
  [[nodiscard]] bool fields(Fields&&... each) {
    return (each(*f) && ...) && succeeds(done);
  }
};

/// What both inspectors have in common.
template <class Inspector>
class inspector_base {
public:
  [[nodiscard]] static constexpr bool has_human_readable_format() noexcept {
    return false;
  }

  /// For functions that report an error before they return false.
  template <class... Ts>
  void emplace_error(Ts&&...) noexcept {
  }

  template <class Error>
  void set_error(Error&&) noexcept {
  }

  template <class T>
  [[nodiscard]] inspected_object<Inspector, always> object(T&) noexcept {
    return {static_cast<Inspector*>(this), {}};
  }

  [[nodiscard]] inspected_object<Inspector, always>
  virtual_object(std::string_view) noexcept {
    return {static_cast<Inspector*>(this), {}};
  }
};

/// Writes what an inspect function shows to an encoder.
class save_inspector : public inspector_base<save_inspector> {
public:
  static constexpr bool is_loading = false;

  explicit save_inspector(encoder& to) noexcept : to_(to) {
  }

  template <class Read>
  struct field_type {
    Read read;

    bool operator()(save_inspector& f) {
      read(f.to_);
      return true;
    }

    template <class U>
    field_type&& fallback(U&&) && {
      return std::move(*this);
    }

    template <class Predicate>
    field_type&& invariant(Predicate&&) && {
      return std::move(*this);
    }
  };

  template <class T>
  [[nodiscard]] static auto field(std::string_view, T& value) {
    const auto read = [&value](encoder& to) { to.save(value); };
    return field_type<decltype(read)>{read};
  }

  template <class Get, class Set>
  [[nodiscard]] static auto field(std::string_view, Get get, Set&&) {
    auto read = [get = std::move(get)](encoder& to) mutable {
      to.save<std::decay_t<decltype(get())>>(get());
    };
    return field_type<decltype(read)>{std::move(read)};
  }

  template <class IsPresent, class Get, class Reset, class Set>
  [[nodiscard]] static auto
  field(std::string_view, IsPresent is_present, Get get, Reset&&, Set&&) {
    auto read = [is_present = std::move(is_present),
                 get = std::move(get)](encoder& to) mutable {
      const bool present = is_present();
      to.save(present);
      if (present)
        to.save<std::decay_t<decltype(get())>>(get());
    };
    return field_type<decltype(read)>{std::move(read)};
  }

  template <class T>
  [[nodiscard]] bool apply(const T& value) {
    to_.save(value);
    return true;
  }

  template <class Get, class Set>
  [[nodiscard]] bool apply(Get&& get, Set&&) {
    to_.save<std::decay_t<decltype(get())>>(get());
    return true;
  }

private:
  encoder& to_;
};

/// Gives an inspect function what a decoder reads.
class load_inspector : public inspector_base<load_inspector> {
public:
  static constexpr bool is_loading = true;

  explicit load_inspector(decoder& from) noexcept : from_(from) {
  }

  /// `Write` reads the value and says whether the user's type accepts it;
  /// `write` is given the invariant, which is true of everything at first.
  template <class Write, class Predicate>
  struct field_type {
    std::string_view name;
    Write write;
    Predicate predicate;

    bool operator()(load_inspector& f) {
      if (!write(f.from_, predicate))
        f.from_.refuse("field " + std::string{name},
                       "its type does not accept the value");
      return true;
    }

    template <class U>
    field_type&& fallback(U&&) && {
      return std::move(*this);
    }

    template <class P>
    field_type<Write, P> invariant(P wanted) && {
      return {name, std::move(write), std::move(wanted)};
    }
  };

  template <class T>
  [[nodiscard]] static auto field(std::string_view name, T& value) {
    return make_field(name, [&value](decoder& from, auto& predicate) {
      from.load_into(value);
      return static_cast<bool>(predicate(value));
    });
  }

  template <class Get, class Set>
  [[nodiscard]] static auto field(std::string_view name, Get get, Set set) {
    using value_type = std::decay_t<decltype(get())>;
    return make_field(name, [set = std::move(set)](decoder& from,
                                                   auto& predicate) mutable {
      return set_loaded<value_type>(from, predicate, set);
    });
  }

  template <class IsPresent, class Get, class Reset, class Set>
  [[nodiscard]] static auto
  field(std::string_view name, IsPresent&&, Get get, Reset reset, Set set) {
    using value_type = std::decay_t<decltype(get())>;
    return make_field(name, [reset = std::move(reset), set = std::move(set)](
                              decoder& from, auto& predicate) mutable {
      if (from.load<bool>())
        return set_loaded<value_type>(from, predicate, set);
      reset();
      return true;
    });
  }

  template <class T>
  [[nodiscard]] bool apply(T& value) {
    from_.load_into(value);
    return true;
  }

  template <class Get, class Set>
  [[nodiscard]] bool apply(Get&& get, Set&& set) {
    return succeeds(set, from_.load<std::decay_t<decltype(get())>>());
  }

private:
  template <class T, class Predicate, class Set>
  static bool set_loaded(decoder& from, Predicate& predicate, Set& set) {
    auto loaded = from.load<T>();
    return static_cast<bool>(predicate(loaded))
           && succeeds(set, std::move(loaded));
  }

  template <class Write>
  static auto make_field(std::string_view name, Write write) {
    return field_type<Write, always>{name, std::move(write), {}};
  }

  decoder& from_;
};

/// A type with an inspect function, found beside the type.
template <class T>
concept inspectable
  = (std::is_class_v<T> || std::is_enum_v<T> || std::is_union_v<T>)
    && requires(save_inspector& out, load_inspector& in, T& value) {
         { inspect(out, value) } -> std::same_as<bool>;
         { inspect(in, value) } -> std::same_as<bool>;
       };

} // namespace troupe::codec
