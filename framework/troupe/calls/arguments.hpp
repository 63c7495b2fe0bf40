// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/calls/require_callable.hpp>
#include <troupe/codec/codec.hpp>
#include <troupe/codec/narrowing.hpp>
#include <troupe/codec/parcel.hpp>

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

/// The arguments of a call, on both sides. They travel as the parameters of the
/// function, one after the other.
namespace troupe::calls {

/// An argument as the parameter's type, without a copy where it is that. What
/// may be moved from is. Throws `invalid_argument` for a literal that the
/// parameter cannot hold.
template <class P, class Arg>
decltype(auto) as_parameter(Arg&& arg) {
  if constexpr (std::is_same_v<std::remove_cvref_t<Arg>, P>
                && (std::is_lvalue_reference_v<Arg>
                    || std::is_trivially_copyable_v<P>) )
    return static_cast<const P&>(arg);
  else
    return codec::argument_as<P>(std::forward<Arg>(arg));
}

/// Encodes arguments for a function of that signature, which accepts them: see
/// `require_accepts`. Throws `invalid_argument` for a literal that the
/// parameter cannot hold, and as `encoder::save`.
template <class Signature, class... Args>
void encode_arguments(codec::encoder& to, Args&&... args) {
  using parameters = typename Signature::parameters;
  [&]<std::size_t... I>(std::index_sequence<I...>) {
    (to.template save<std::tuple_element_t<I, parameters>>(
       as_parameter<std::tuple_element_t<I, parameters>>(
         std::forward<Args>(args))),
     ...);
  }(std::index_sequence_for<Args...>{});
}

/// The same as a message of its own.
template <class Signature, class... Args>
[[nodiscard]] codec::packet pack_arguments(Args&&... args) {
  codec::packet result;
  codec::encoder to{result};
  encode_arguments<Signature>(to, std::forward<Args>(args)...);
  return result;
}

/// The same converted and not encoded, for a call that comes later, or here.
template <class Signature, class... Args>
[[nodiscard]] typename Signature::parameters keep_arguments(Args&&... args) {
  using parameters = typename Signature::parameters;
  return [&]<std::size_t... I>(std::index_sequence<I...>) {
    return parameters{codec::argument_as<std::tuple_element_t<I, parameters>>(
      std::forward<Args>(args))...};
  }(std::index_sequence_for<Args...>{});
}

/// Calls `Callable` with decoded arguments. `before` is what the place where it
/// runs gives: the object that it works on.
template <class Callable, class Arguments, class... Before>
decltype(auto) run(Arguments&& arguments, Before&&... before) {
  return std::apply(
    [&](auto&&... each) -> decltype(auto) {
      return Callable::call(std::forward<Before>(before)...,
                            std::forward<decltype(each)>(each)...);
    },
    std::forward<Arguments>(arguments));
}

/// The message with the arguments of a call. Reading it only attaches to what
/// its handles name.
class arguments {
public:
  /// What stands in a message or a slot, which keeps alive what its handles
  /// name. Must outlive this object.
  explicit arguments(bytes_view body,
                     std::span<const memory::object_id> handles = {}) noexcept
    : body_(body), handles_(handles) {
  }

  /// What has a parcel of its own.
  explicit arguments(codec::parcel carrier) noexcept
    : carrier_(std::move(carrier)) {
  }

  /// Reads those of a function of that signature, and ends the parcel, before
  /// the call that may take long. Throws `malformed_bytes`, `stale_handle`,
  /// `limit_reached`.
  template <class Signature>
  [[nodiscard]] typename Signature::parameters take() {
    using parameters = typename Signature::parameters;
    auto from = read(codec::type_name<parameters>());
    auto values = codec::decode_all<parameters>(from);
    end_parcel();
    return values;
  }

private:
  [[nodiscard]] codec::decoder read(std::string_view what) const noexcept {
    if (carrier_)
      return carrier_->read(what);
    return {body_, handles_, what};
  }

  void end_parcel() noexcept;

  std::optional<codec::parcel> carrier_;
  bytes_view body_;
  std::span<const memory::object_id> handles_;
};

} // namespace troupe::calls
