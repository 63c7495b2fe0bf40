// SPDX-License-Identifier: BSL-1.0

// What needs no type-id block of one's own: Troupe's errors, and containers of
// numbers and strings.

#include <troupe/runtime/spawn.hpp>
#include <troupe/transport/caf_error.hpp>
#include <troupe/transport/standard_containers.hpp>

#include <caf/all.hpp>
#include <caf/json_reader.hpp>
#include <caf/json_writer.hpp>

#include <doctest/doctest.h>

#include <numeric>

namespace {

using namespace std::chrono_literals;

/// Gives back what it gets.
caf::behavior echo() {
  return {
    [](const std::vector<std::int32_t>& x) { return x; },
    [](const std::vector<std::vector<double>>& x) { return x; },
    [](const std::map<std::string, std::int64_t>& x) { return x; },
    [](const std::unordered_map<std::string, std::string>& x) { return x; },
    [](const std::vector<bool>& x) { return x; },
    [](const std::pair<std::string, double>& x) { return x; },
    [](const std::optional<std::string>& x) { return x; },
  };
}

template <class T>
void comes_back(const caf::actor& from, const T& value) {
  caf::scoped_actor self{troupe::actor_system()};
  self->request(from, 20s, value)
    .receive([&](const T& answer) { CHECK((answer == value)); },
             [](const caf::error& why) { FAIL(to_string(why)); });
}

} // namespace

TEST_CASE("containers of standard types are sent by one include") {
  const auto actor = troupe::spawn<echo>();
  comes_back(actor, std::vector<std::int32_t>{1, 2, 3});
  comes_back(actor, std::vector<std::vector<double>>{{1.5}, {}, {2, 3}});
  comes_back(actor, std::map<std::string, std::int64_t>{{"a", 1}, {"b", 2}});
  comes_back(actor,
             std::unordered_map<std::string, std::string>{{"key", "value"}});
  comes_back(actor, std::vector<bool>{true, false, true});
  comes_back(actor, std::pair<std::string, double>{"half", 0.5});
  comes_back(actor, std::optional<std::string>{"there"});
  comes_back(actor, std::optional<std::string>{});
  caf::anon_send_exit(actor, caf::exit_reason::user_shutdown);
}

TEST_CASE("an error of Troupe's is shown by its name, and read by it") {
  const auto error = troupe::transport::make_error(troupe::errc::peer_died,
                                                   "it is gone");
  CHECK(to_string(error) == R"_(peer_died("it is gone"))_");
  CHECK(caf::deep_to_string(troupe::errc::timed_out) == "timed_out");
  // Every enumerator, by CAF's readers of text as well.
  for (auto code = troupe::errc::none; code <= troupe::errc::machine_lost;
       code = static_cast<troupe::errc>(static_cast<int>(code) + 1)) {
    caf::json_writer writer;
    auto shown = code;
    REQUIRE(writer.apply(shown));
    const std::string text{writer.str().begin(), writer.str().end()};
    CHECK(text == '"' + std::string{to_string(code)} + '"');
    caf::json_reader reader;
    REQUIRE(reader.load(text));
    auto read = troupe::errc::none;
    CHECK(reader.apply(read));
    CHECK(read == code);
  }
  caf::json_reader reader;
  REQUIRE(reader.load("\"no_such_code\""));
  auto read = troupe::errc::none;
  CHECK(!reader.apply(read));
}
