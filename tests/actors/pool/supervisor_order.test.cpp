// SPDX-License-Identifier: BSL-1.0

// In which order children are started and ended: each writes down when it is
// made, when it is told to end, and when its process exits.

#include <troupe/pool/supervisor.hpp>

#include <troupe/channel/queue.hpp>

#include <actors/pool/children.hpp>
#include <support/eventually.hpp>

#include <caf/all.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <optional>
#include <string>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using troupe::child;
using troupe::shutdown;
using troupe::strategy;
using troupe::supervisor;
using troupe::test::eventually;
using troupe::test::is_gone;
using troupe::test::pid_of;

namespace {

using clock = std::chrono::steady_clock;

/// What happened to whom, when.
using entry = std::tuple<std::string, std::int64_t>;
using diary = troupe::queue<entry>;

void write(diary& to, const std::string& what) {
  to.put(entry{what, clock::now().time_since_epoch().count()});
}

/// The one child of this process.
struct writer {
  diary to;
  std::string id;
};

std::optional<writer>& own() {
  static std::optional<writer> only;
  return only;
}

/// Takes its time to end, so that a next one that is told too early shows; a
/// deaf one does not end at all. Written in the constructor, for that is part
/// of the start.
class recorder : public caf::event_based_actor {
public:
  recorder(caf::actor_config& config, const std::string& id, diary to,
           bool deaf)
    : caf::event_based_actor(config), deaf_(deaf) {
    own() = writer{std::move(to), id};
    std::atexit([] {
      // Time: how long an end lasts.
      std::this_thread::sleep_for(20ms);
      write(own()->to, "gone " + own()->id);
    });
    write(own()->to, "made " + id);
  }

  caf::behavior make_behavior() override {
    set_exit_handler([this](caf::exit_msg& why) {
      write(own()->to, "told " + own()->id);
      if (deaf_)
        return;
      // Time: how long an end lasts.
      std::this_thread::sleep_for(20ms);
      quit(why.reason);
    });
    return {[](int) {}};
  }

private:
  bool deaf_;
};

troupe::child_spec record(const char* id, const diary& to, bool deaf = false) {
  return child<recorder>(id, std::string{id}, to, deaf)
    .shut_down(shutdown::within(20s));
}

std::vector<troupe::child_spec> four(const diary& to) {
  return {record("a", to), record("b", to), record("c", to), record("d", to)};
}

/// What has happened since the last call.
struct pages {
  std::vector<std::string> what;
  std::vector<std::int64_t> when;

  [[nodiscard]] std::chrono::nanoseconds at(const std::string& event) const {
    const auto found = std::find(what.begin(), what.end(), event);
    REQUIRE(found != what.end());
    return std::chrono::nanoseconds{
      when[static_cast<std::size_t>(found - what.begin())]};
  }
};

pages read(diary& from) {
  pages result;
  while (auto each = from.try_get()) {
    result.what.push_back(std::get<0>(*each));
    result.when.push_back(std::get<1>(*each));
  }
  return result;
}

/// Kills one and waits until `last` has been made anew.
void kill_and_wait(const supervisor& of, const std::string& id,
                   const std::string& last) {
  const auto before = pid_of(of, last);
  ::kill(pid_of(of, id), SIGKILL);
  REQUIRE(eventually([&] {
    const auto now = pid_of(of, last);
    return now != 0 && now != before;
  }));
}

using events = std::vector<std::string>;

} // namespace

TEST_CASE("children are ended in reverse order, each with its process before "
          "the next is told") {
  diary book;
  supervisor of{{}, four(book)};
  CHECK(read(book).what == events{"made a", "made b", "made c", "made d"});
  of.close();
  CHECK(read(book).what
        == events{"told d", "gone d", "told c", "gone c", "told b", "gone b",
                  "told a", "gone a"});
}

TEST_CASE("one that does not end is killed at its time, and holds up the next "
          "no longer") {
  diary book;
  supervisor of{{},
                {record("a", book),
                 record("deaf", book, true).shut_down(shutdown::within(300ms)),
                 record("brutal", book).shut_down(shutdown::kill()),
                 record("d", book)}};
  const auto deaf = pid_of(of, "deaf");
  const auto brutal = pid_of(of, "brutal");
  read(book);
  of.close();
  const auto end = read(book);
  // The one that is killed at once is told nothing.
  CHECK(end.what
        == events{"told d", "gone d", "told deaf", "told a", "gone a"});
  CHECK(end.at("told a") - end.at("told deaf") >= 250ms);
  CHECK(is_gone(deaf));
  CHECK(is_gone(brutal));
}

TEST_CASE("rest for one ends those behind in reverse order, and starts them in "
          "order") {
  diary book;
  supervisor of{{.strategy = strategy::rest_for_one,
                 .intensity = 5,
                 .report = [](const auto&) {}},
                four(book)};
  read(book);
  kill_and_wait(of, "b", "d");
  CHECK(read(book).what
        == events{"told d", "gone d", "told c", "gone c", "made b", "made c",
                  "made d"});
}

TEST_CASE("one for all ends the others in reverse order, and starts all in "
          "order") {
  diary book;
  supervisor of{{.strategy = strategy::one_for_all,
                 .intensity = 5,
                 .report = [](const auto&) {}},
                four(book)};
  read(book);
  kill_and_wait(of, "b", "d");
  CHECK(read(book).what
        == events{"told d", "gone d", "told c", "gone c", "told a", "gone a",
                  "made a", "made b", "made c", "made d"});
}

TEST_CASE("one for one touches nobody else") {
  diary book;
  supervisor of{{.intensity = 5, .report = [](const auto&) {}}, four(book)};
  read(book);
  kill_and_wait(of, "b", "b");
  CHECK(read(book).what == events{"made b"});
}
