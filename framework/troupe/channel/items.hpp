// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/base/deadline.hpp>
#include <troupe/base/error.hpp>
#include <troupe/base/hash.hpp>
#include <troupe/channel/outgoing.hpp>
#include <troupe/channel/put_result.hpp>
#include <troupe/codec/codec.hpp>
#include <troupe/codec/type_name.hpp>
#include <troupe/mailbox/message_queue.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <iterator>
#include <memory>
#include <new>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

/// Values into mailboxes and out of them: what queues and connections share.
namespace troupe::channel {

/// Identifies `T` in the mailbox, for processes of one program.
template <class T>
[[nodiscard]] constexpr std::uint64_t fingerprint_of() noexcept {
  return hash_of(codec::type_name<T>());
}

/// Reads a handle and attaches to its object. Throws `malformed_bytes`,
/// `stale_handle`, `limit_reached`.
[[nodiscard]] memory::reference attach(codec::decoder& from,
                                       memory::object_kind kind);

/// Turns an outcome into what callers see. `attempted` names the call.
/// Throws `closed`.
put_result result_of(mailbox::put_outcome outcome, const char* attempted);

/// Throws the `closed` of a mailbox that is closed and drained.
[[noreturn]] void throw_ended(const char* attempted);

/// Throws a `malformed_bytes` that says who wrote what did not decode; a
/// `stale_handle` if that was the `failure`.
[[noreturn]] void blame_writer(memory::slot_id writer, std::string_view type,
                               const std::exception_ptr& failure);

/// Puts `value`. Throws `closed`, `limit_reached`, and what encoding throws.
template <class T>
put_result put_item(mailbox::message_queue& box, const T& value, deadline limit,
                    const char* attempted) {
  if constexpr (codec::flat<T>) {
    const auto body = std::as_bytes(std::span{&value, 1});
    return result_of(box.put({body}, limit), attempted);
  } else {
    outgoing loan;
    codec::lend_into(loan.packet(), value);
    const auto outcome
      = box.put({loan.packet().content(), loan.packet().handles()}, limit);
    if (outcome == mailbox::put_outcome::done)
      loan.packet().release_handles();
    return result_of(outcome, attempted);
  }
}

/// Of what cannot be sent, one error.
template <class T, class Iterator, class Sentinel>
  requires(!codec::sendable<T>)
std::size_t
put_items(mailbox::message_queue&, Iterator, Sentinel, deadline, const char*) {
  codec::require_sendable<T>();
  return 0;
}

/// Puts `[first, last)` in order; returns how many are in when `limit` passes.
/// Encodes a few dozen at a time and puts them under one lock.
template <class T, class Iterator, class Sentinel>
std::size_t put_items(mailbox::message_queue& box, Iterator first,
                      Sentinel last, deadline limit, const char* attempted) {
  constexpr std::size_t at_once = 64;
  // Then the bytes are taken from where the items stand.
  constexpr bool stay
    = std::forward_iterator<Iterator>
      && (std::is_same_v<std::iter_reference_t<Iterator>, T&>
          || std::is_same_v<std::iter_reference_t<Iterator>, const T&>);
  constexpr bool in_place = codec::flat<T> && stay;
  std::size_t done = 0;
  while (first != last) {
    std::array<codec::packet, in_place ? 0 : at_once> packets;
    std::array<mailbox::draft, at_once> drafts;
    std::size_t count = 0;
    for (; count < at_once && first != last; ++count, ++first) {
      if constexpr (in_place) {
        drafts[count] = {std::as_bytes(std::span{std::addressof(*first), 1})};
      } else {
        if constexpr (stay)
          codec::lend_into<T>(packets[count], *first);
        else
          codec::encode_into<T>(packets[count], *first);
        drafts[count] = {packets[count].content(), packets[count].handles()};
      }
    }
    std::size_t now = 0;
    // However this ends, the mailbox keeps alive what is in it.
    const auto settle = [&] {
      if constexpr (!in_place)
        for (std::size_t i = 0; i < now; ++i)
          packets[i].release_handles();
      done += now;
    };
    mailbox::put_outcome outcome{};
    try {
      outcome = box.put(std::span{drafts}.first(count), now, limit);
    } catch (...) {
      settle();
      throw;
    }
    settle();
    if (result_of(outcome, attempted) == put_result::full)
      break;
  }
  return done;
}

/// Of what cannot be sent, one error.
template <class T, class Give>
  requires(!codec::sendable<T>)
bool take_items(mailbox::message_queue&, std::size_t, deadline, bool&, Give) {
  codec::require_sendable<T>();
  return false;
}

/// Takes up to `most` items and passes each to `give`. Returns false if none
/// came until `limit`; `ended` tells whether none will ever come.
/// An item that does not decode, whatever its `load` throws, is taken alone:
/// throws `malformed_bytes` for it, `stale_handle` if an object that it names
/// is gone. Where only memory is short it stays: throws `limit_reached`,
/// `std::bad_alloc`.
template <class T, class Give>
bool take_items(mailbox::message_queue& box, std::size_t most, deadline limit,
                bool& ended, Give give) {
  std::exception_ptr failure;
  memory::slot_id writer;
  std::size_t given = 0;
  const auto outcome = box.take(
    [&](const mailbox::message& shown) {
      if (failure)
        return mailbox::visit_result::leave;
      try {
        give(codec::decode<T>(shown.body, shown.handles));
        ++given;
        return mailbox::visit_result::taken;
      } catch (const limit_reached&) {
        throw;
      } catch (const std::bad_alloc&) {
        throw;
      } catch (...) {
        if (given != 0)
          return mailbox::visit_result::leave;
        failure = std::current_exception();
        writer = shown.writer;
        return mailbox::visit_result::taken;
      }
    },
    most, limit);
  ended = outcome == mailbox::take_outcome::ended;
  if (failure)
    blame_writer(writer, codec::type_name<T>(), failure);
  return given != 0;
}

/// Takes one item. Nothing if none came until `limit`.
template <class T>
std::optional<T>
take_item(mailbox::message_queue& box, deadline limit, bool& ended) {
  std::optional<T> result;
  take_items<T>(box, 1, limit, ended,
                [&](T&& item) { result.emplace(std::move(item)); });
  return result;
}

} // namespace troupe::channel
