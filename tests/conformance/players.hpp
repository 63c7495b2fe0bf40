// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "places.hpp"

#include <troupe/runtime/spawn.hpp>
#include <troupe/transport/caf_error.hpp>
#include <troupe/transport/type_table.hpp>

#include <caf/all.hpp>

#include <doctest/doctest.h>
#include <support/patience.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <future>
#include <map>
#include <string>
#include <vector>

/// The actors that the conformance tests speak to, and their message types.

struct account {
  std::string owner;
  std::int64_t balance = 0;
  std::vector<double> history;
};

template <class Inspector>
bool inspect(Inspector& f, account& x) {
  return f.object(x).fields(f.field("owner", x.owner),
                            f.field("balance", x.balance),
                            f.field("history", x.history));
}

inline bool operator==(const account& a, const account& b) {
  return a.owner == b.owner && a.balance == b.balance && a.history == b.history;
}

/// Plain numbers: travels as an image.
struct reading {
  std::uint64_t sensor = 0;
  double value = 0;
  std::uint32_t flags = 0;
};

template <class Inspector>
bool inspect(Inspector& f, reading& x) {
  return f.object(x).fields(f.field("sensor", x.sensor),
                            f.field("value", x.value),
                            f.field("flags", x.flags));
}

/// A type with a rule: bytes may not be copied past it.
struct percentage {
  std::int32_t value = 0;
};

template <class Inspector>
bool inspect(Inspector& f, percentage& x) {
  return f.object(x).fields(
    f.field("value", x.value).invariant([](std::int32_t v) {
      return v >= 0 && v <= 100;
    }));
}

enum class trouble : std::uint8_t { none = 0, not_today };

inline std::string to_string(trouble x) {
  return x == trouble::none ? "none" : "not_today";
}

template <class Inspector>
bool inspect(Inspector& f, trouble& x) {
  auto get = [&] { return static_cast<std::uint8_t>(x); };
  auto set = [&](std::uint8_t value) {
    x = static_cast<trouble>(value);
    return value <= 1;
  };
  return f.apply(get, set);
}

using adder_actor
  = caf::typed_actor<caf::result<std::int32_t>(caf::add_atom, std::int32_t),
                     caf::result<std::int32_t>(caf::get_atom)>;

CAF_BEGIN_TYPE_ID_BLOCK(conformance, caf::first_custom_type_id)
  CAF_ADD_TYPE_ID(conformance, (account))
  CAF_ADD_TYPE_ID(conformance, (reading))
  CAF_ADD_TYPE_ID(conformance, (percentage))
  CAF_ADD_TYPE_ID(conformance, (trouble))
  CAF_ADD_TYPE_ID(conformance, (adder_actor))
  CAF_ADD_TYPE_ID(conformance, (std::vector<std::int32_t>) )
  CAF_ADD_TYPE_ID(conformance, (std::map<std::string, account>) )
  CAF_ADD_ATOM(conformance, echo_atom)
  CAF_ADD_ATOM(conformance, fail_atom)
  CAF_ADD_ATOM(conformance, later_atom)
  CAF_ADD_ATOM(conformance, to_atom)
  CAF_ADD_ATOM(conformance, quit_atom)
  CAF_ADD_ATOM(conformance, throw_atom)
  CAF_ADD_ATOM(conformance, watch_atom)
  CAF_ADD_ATOM(conformance, bind_atom)
  CAF_ADD_ATOM(conformance, unwatch_atom)
  CAF_ADD_ATOM(conformance, unbind_atom)
  CAF_ADD_ATOM(conformance, pid_atom)
  CAF_ADD_ATOM(conformance, make_atom)
  CAF_ADD_ATOM(conformance, count_atom)
CAF_END_TYPE_ID_BLOCK(conformance)

CAF_ERROR_CODE_ENUM(trouble)

namespace conformance {

/// Entered during static initialisation: the fork server must know them too.
extern const bool messages_are_known;

/// Does whatever it is told.
caf::behavior player(caf::event_based_actor* self);

/// Counts from `start`, and remembers the order of what it gets.
caf::behavior recorder(caf::event_based_actor* self, std::int32_t start);

adder_actor::behavior_type adder(std::int32_t start);

/// With a state of CAF's.
caf::behavior tally(caf::stateful_actor<std::int32_t>* self,
                    std::int32_t start);

/// Class-based, statically typed.
class class_adder : public adder_actor::base {
public:
  class_adder(caf::actor_config& config, std::int32_t start);
  adder_actor::behavior_type make_behavior() override;

private:
  std::int32_t sum_;
};

/// Class-based, dynamically typed.
class counter_actor : public caf::event_based_actor {
public:
  counter_actor(caf::actor_config& config, std::string name,
                std::int32_t start);
  caf::behavior make_behavior() override;

private:
  std::string name_;
  std::int32_t count_;
};

/// Class-based, with a constructor that throws.
class broken_actor : public caf::event_based_actor {
public:
  broken_actor(caf::actor_config& config, const std::string& why);
};

/// Blocking, in a thread of its own.
void blocking_echo(caf::blocking_actor* self);

using namespace std::chrono_literals;

inline const std::chrono::seconds patience{20 * troupe::test::patience()};

/// A request that must be answered with a `T`.
template <class T, class Handle, class... Ts>
T ask(caf::scoped_actor& self, const Handle& to, const Ts&... what) {
  T result{};
  self->request(to, patience, what...)
    .receive([&](T& answer) { result = std::move(answer); },
             [](caf::error& reason) {
               FAIL("request failed: " << to_string(reason));
             });
  return result;
}

/// A request that must fail.
template <class Handle, class... Ts>
caf::error ask_in_vain(caf::scoped_actor& self, const Handle& to,
                       std::chrono::milliseconds limit, const Ts&... what) {
  caf::error result;
  self->request(to, limit, what...)
    .receive([](caf::message&) { FAIL("the request was answered"); },
             [&](caf::error& reason) { result = std::move(reason); });
  return result;
}

/// Waits for the end of `actor` and returns the reason.
caf::error await_down(caf::scoped_actor& self, const caf::actor& actor);

} // namespace conformance
