// SPDX-License-Identifier: BSL-1.0

// Message types that somebody forgot, or that only one process knows.

#include <troupe/channel/queue.hpp>
#include <troupe/process/start.hpp>
#include <troupe/runtime/spawn.hpp>
#include <troupe/transport/caf_error.hpp>
#include <troupe/transport/type_table.hpp>

#include <support/passed.hpp>

#include <caf/all.hpp>

#include <doctest/doctest.h>

struct known_here {
  std::int32_t x = 0;
};

template <class Inspector>
bool inspect(Inspector& f, known_here& v) {
  return f.object(v).fields(f.field("x", v.x));
}

struct forgotten {
  std::string text;
};

template <class Inspector>
bool inspect(Inspector& f, forgotten& v) {
  return f.object(v).fields(f.field("text", v.text));
}

struct bounded {
  std::int32_t x = 0;
};

template <class Inspector>
bool inspect(Inspector& f, bounded& v) {
  return f.object(v).fields(
    f.field("x", v.x).invariant([](std::int32_t x) { return x > 0; }));
}

struct hashed {
  std::array<std::uint8_t, 8> bytes;
};

template <class Inspector>
bool inspect(Inspector& f, hashed& v) {
  return f.begin_sequence(v.bytes.size()) && f.end_sequence();
}

CAF_BEGIN_TYPE_ID_BLOCK(half_known, caf::first_custom_type_id)
  CAF_ADD_TYPE_ID(half_known, (known_here))
CAF_END_TYPE_ID_BLOCK(half_known)

CAF_BEGIN_TYPE_ID_BLOCK(never_named, caf::first_custom_type_id + 10)
  CAF_ADD_TYPE_ID(never_named, (forgotten))
CAF_END_TYPE_ID_BLOCK(never_named)

namespace {

using namespace std::chrono_literals;

caf::behavior listener() {
  return {[](std::int32_t x) { return x; }};
}

template <class T>
caf::error failure_of(const caf::actor& to, T what) {
  caf::scoped_actor self{troupe::actor_system()};
  caf::error result;
  self->request(to, 20s, std::move(what))
    .receive([](std::int32_t) {}, [&](caf::error& why) { result = why; });
  return result;
}

/// Here, and not in the fork server, which runs already.
void know_here() {
  static const bool once = (troupe::use_messages<caf::id_block::half_known>(),
                            true);
  static_cast<void>(once);
}

/// A process in which the number of `known_here` means another type, as in a
/// program whose libraries do not agree. Offers a listener.
void disagree(troupe::queue<caf::actor> offers, troupe::queue<int> end) {
  const auto meta = caf::detail::make_meta_object<forgotten>("forgotten");
  caf::detail::set_global_meta_objects(caf::type_id_v<known_here>, {&meta, 1});
  offers.put(troupe::spawn<listener>(troupe::placement::here));
  static_cast<void>(end.get());
}

} // namespace

TEST_CASE("a type that one process does not know is an error of the sender") {
  know_here();
  const auto to = troupe::spawn<listener>();
  const auto why = failure_of(to, known_here{1});
  CHECK(troupe::transport::code_of(why) == troupe::errc::unknown_message_type);
  CHECK(troupe::transport::text_of(why).find("known_here")
        != std::string::npos);
  CHECK(troupe::transport::text_of(why).find("use_messages")
        != std::string::npos);
  // What both know still goes.
  CHECK(!failure_of(to, std::int32_t{1}));
  caf::anon_send_exit(to, caf::exit_reason::user_shutdown);
}

TEST_CASE("a type that is another one there is an error of the sender") {
  know_here();
  const troupe::queue<caf::actor> offers;
  const troupe::queue<int> end;
  const auto child = troupe::start<disagree>(offers, end);
  const auto to = offers.get();
  const auto why = failure_of(to, known_here{1});
  CHECK(troupe::transport::code_of(why) == troupe::errc::unknown_message_type);
  CHECK(troupe::transport::text_of(why).find("known_here: its process has "
                                             "another type there")
        != std::string::npos);
  CHECK(!failure_of(to, std::int32_t{1}));
  end.put(0);
  CHECK(troupe::test::passed(child));
}

TEST_CASE("a type of a block that nobody named is an error of the sender") {
  const auto to = troupe::spawn<listener>();
  const auto why = failure_of(to, forgotten{"text"});
  CHECK(troupe::transport::code_of(why) == troupe::errc::unknown_message_type);
  CHECK(!failure_of(to, std::int32_t{1}));
  caf::anon_send_exit(to, caf::exit_reason::user_shutdown);
}

TEST_CASE("types are too late once there is an actor system") {
  static_cast<void>(troupe::actor_system());
  CHECK_THROWS_AS(troupe::use_messages<caf::id_block::never_named>(),
                  troupe::invalid_state);
}

TEST_CASE("only types without rules of their own travel as images") {
  CHECK(troupe::transport::is_image<std::int32_t>());
  CHECK(troupe::transport::is_image<known_here>());
  CHECK(!troupe::transport::is_image<bounded>());
  CHECK(!troupe::transport::is_image<hashed>());
  CHECK(!troupe::transport::is_image<forgotten>());
  CHECK(!troupe::transport::is_image<bool>());
}
