// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/codec/decoder.hpp>
#include <troupe/codec/encoder.hpp>

#include <concepts>

namespace troupe::codec {

/// Says how a type is sent whose author cannot be asked, or which inspect does
/// not fit. Specialise it with
///
///     static void save(encoder& to, const T& value);
///     static T load(decoder& from);
///
/// `load` must take exactly what `save` wrote, must believe nothing, and calls
/// `decoder::refuse` for what cannot be.
template <class T>
struct coding;

/// A type with a `coding`.
template <class T>
concept has_coding = requires(encoder& to, decoder& from, const T& value) {
  coding<T>::save(to, value);
  { coding<T>::load(from) } -> std::same_as<T>;
};

/// A type that says itself how it is sent: `void save(encoder&) const` and
/// `static T load(decoder&)`. Troupe's handles do.
template <class T>
concept self_coding = requires(encoder& to, decoder& from, const T& value) {
  value.save(to);
  { T::load(from) } -> std::same_as<T>;
};

} // namespace troupe::codec
