// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/codec/coding.hpp>
#include <troupe/codec/context.hpp>
#include <troupe/codec/packet.hpp>

#include <caf/actor.hpp>
#include <caf/actor_cast.hpp>
#include <caf/message.hpp>
#include <caf/typed_actor.hpp>

#include <cstddef>
#include <utility>
#include <vector>

namespace troupe::transport {

/// Says that an encoder writes into `of` for another run: places are left for
/// handles of actors, and who writes them there finds here where.
class handles_aside final : public codec::context {
public:
  struct place {
    std::size_t at = 0;
    caf::strong_actor_ptr actor;
  };

  explicit handles_aside(const codec::packet& of) noexcept : of_(of) {
  }

  void add(caf::strong_actor_ptr actor) {
    places_.push_back({of_.body().size(), std::move(actor)});
  }

  [[nodiscard]] const std::vector<place>& places() const noexcept {
    return places_;
  }

private:
  const codec::packet& of_;
  std::vector<place> places_;
};

/// How many bytes such a place has, and what is to stand there in the run of
/// the reader, who is sent no handle of an object for it: somebody has to hold
/// the actor until it is read.
inline constexpr std::size_t handle_place = 16;
void write_handle(std::byte* place, const caf::strong_actor_ptr& actor);

/// Writes the handle of an actor of this run, or an empty one. Throws
/// `invalid_argument` for an actor of another machine: it can only be reached
/// through whoever holds the connection.
void save_handle(codec::encoder& to, const caf::strong_actor_ptr& actor);

/// Reads it, in any process of the run; makes its actor system if it has none.
[[nodiscard]] caf::strong_actor_ptr load_handle(codec::decoder& from);

} // namespace troupe::transport

// With this header handles of actors travel as arguments of processes, through
// queues and inside values, and reach their actor directly; and so do messages
// of any content ("a queue of anything" is a `queue<caf::message>`).
namespace troupe::codec {

template <>
struct coding<caf::strong_actor_ptr> {
  static void save(encoder& to, const caf::strong_actor_ptr& value) {
    transport::save_handle(to, value);
  }
  static caf::strong_actor_ptr load(decoder& from) {
    return transport::load_handle(from);
  }
};

template <>
struct coding<caf::actor> {
  static void save(encoder& to, const caf::actor& value) {
    transport::save_handle(to, caf::actor_cast<caf::strong_actor_ptr>(value));
  }
  static caf::actor load(decoder& from) {
    return caf::actor_cast<caf::actor>(transport::load_handle(from));
  }
};

template <class... Sigs>
struct coding<caf::typed_actor<Sigs...>> {
  using handle = caf::typed_actor<Sigs...>;

  static void save(encoder& to, const handle& value) {
    transport::save_handle(to, caf::actor_cast<caf::strong_actor_ptr>(value));
  }
  static handle load(decoder& from) {
    return caf::actor_cast<handle>(transport::load_handle(from));
  }
};

template <>
struct coding<caf::message> {
  /// Throws `unknown_message_type` for a type that no block names.
  static void save(encoder& to, const caf::message& value);
  static caf::message load(decoder& from);
};

} // namespace troupe::codec
