// SPDX-License-Identifier: BSL-1.0
#include <troupe/inspection/snapshot.hpp>

#include <troupe/channel/pipe.hpp>
#include <troupe/channel/queue.hpp>
#include <troupe/inspection/run_file.hpp>
#include <troupe/inspection/stalls.hpp>
#include <troupe/memory/run_memory.hpp>
#include <troupe/os/coarse_clock.hpp>
#include <troupe/os/process_id.hpp>
#include <troupe/process/program.hpp>
#include <troupe/state/state.hpp>
#include <troupe/sync/barrier.hpp>
#include <troupe/sync/condition.hpp>
#include <troupe/sync/event.hpp>
#include <troupe/sync/mutex.hpp>
#include <troupe/sync/recursive_mutex.hpp>
#include <troupe/sync/semaphore.hpp>

#include <doctest/doctest.h>
#include <support/eventually.hpp>
#include <support/sanitized.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

using namespace std::chrono_literals;
namespace inspection = troupe::inspection;

namespace {

template <class Content>
Content
content_of(const inspection::snapshot& of, troupe::memory::object_id id) {
  const auto* found = of.object(id);
  REQUIRE(found != nullptr);
  CHECK_FALSE(found->damaged);
  REQUIRE(std::holds_alternative<Content>(found->content));
  return std::get<Content>(found->content);
}

void hold(troupe::mutex lock, troupe::event held, troupe::event let_go) {
  const std::scoped_lock guard{lock};
  held.set();
  let_go.wait();
}

void lock_once(troupe::mutex lock) {
  const std::scoped_lock guard{lock};
}

void take_two(troupe::queue<int> from) {
  static_cast<void>(from.get());
  static_cast<void>(from.get());
}

void take_one(troupe::queue<int> from) {
  static_cast<void>(from.get());
}

troupe::start_options named(const char* name) {
  troupe::start_options result;
  result.name = name;
  return result;
}

} // namespace

TEST_CASE("a snapshot says of each object what the object says itself") {
  const troupe::mutex lock;
  const troupe::recursive_mutex again;
  const troupe::queue<int> items{5};
  items.put(1);
  items.put(2);
  const troupe::semaphore units{3};
  units.acquire();
  const troupe::event set;
  set.set();
  const troupe::event clear;
  const troupe::barrier all{4};
  const troupe::condition news;
  const std::scoped_lock guard{again};
  const auto seen = inspection::here();
  CHECK(seen.damage.empty());

  const auto of_lock = content_of<inspection::lock_record>(seen, lock.id());
  CHECK_FALSE(of_lock.holder.has_value());
  CHECK_FALSE(of_lock.recursive);
  const auto of_again = content_of<inspection::lock_record>(seen, again.id());
  CHECK(of_again.recursive);
  REQUIRE(of_again.holder.has_value());
  CHECK(of_again.holder->slot == 0);
  CHECK(of_again.holder->thread == troupe::os::this_thread_id());
  CHECK(of_again.since == again.holder()->since);

  const auto of_items = content_of<inspection::queue_record>(seen, items.id());
  CHECK(of_items.depth == items.size());
  CHECK(of_items.limit == items.max_size());
  CHECK(of_items.unfinished == 2);
  CHECK_FALSE(of_items.closed);
  CHECK_FALSE(of_items.full);
  CHECK(content_of<inspection::semaphore_record>(seen, units.id()).value
        == units.value());
  CHECK(content_of<inspection::event_record>(seen, set.id()).set);
  CHECK_FALSE(content_of<inspection::event_record>(seen, clear.id()).set);
  const auto of_all = content_of<inspection::barrier_record>(seen, all.id());
  CHECK(of_all.parties == all.parties());
  CHECK(of_all.waiting == all.waiting());
  CHECK_FALSE(of_all.broken);
  static_cast<void>(content_of<inspection::condition_record>(seen, news.id()));

  for (const auto id : {lock.id(), items.id(), news.id()}) {
    CHECK(seen.object(id)->holders == std::vector<std::uint32_t>{0});
    CHECK(seen.object(id)->creator == 0);
    CHECK(seen.object(id)->shares == 0);
  }
  CHECK(seen.reserved
        == troupe::memory::run_memory::current().reserved_bytes());
}

TEST_CASE("an object has the place where it was made, and its name") {
  constexpr auto line = __LINE__ + 1;
  const troupe::mutex lock;
  const troupe::recursive_mutex again;
  const troupe::queue<int> items;
  const troupe::queue<int> few{5};
  const troupe::semaphore units{3};
  const troupe::bounded_semaphore bounded;
  const troupe::event set;
  const troupe::barrier all{4};
  const troupe::condition news;
  const auto number = [&] {
    auto next = line;
    std::vector<std::pair<troupe::memory::object_id, int>> result;
    for (const auto id :
         {lock.id(), again.id(), items.id(), few.id(), units.id(), bounded.id(),
          set.id(), all.id(), news.id()})
      result.emplace_back(id, next++);
    return result;
  }();
  inspection::name(lock, "savings");
  inspection::name(items, std::string(200, 'x'));
  const auto seen = inspection::here();
  for (const auto& [id, at] : number) {
    const auto place = "snapshot.test.cpp:" + std::to_string(at);
    const auto origin = seen.object(id)->origin;
    CHECK(origin
          == (id == lock.id()    ? "savings " + place
              : id == items.id() ? std::string(60, 'x') + " " + place
                                 : place));
  }
  CHECK(seen.object(lock.id())->description()
        == "mutex " + std::to_string(lock.id())
             + " (savings snapshot.test.cpp:" + std::to_string(line) + ")");
}

TEST_CASE(
  "more places than there is room for leave objects without, and harm none") {
  const troupe::event some;
  for (int turn = 0; turn < 6000; ++turn)
    inspection::name(some, std::to_string(turn));
  const troupe::event last;
  CHECK(inspection::here().object(last.id()) != nullptr);
}

TEST_CASE("the ends of a pipe name its mailboxes") {
  const auto [one, other] = troupe::pipe<int>();
  other.send(7);
  // A mailbox is made when it is first used.
  std::size_t named = 0;
  for (const auto& each : inspection::here().objects)
    if (const auto* end
        = std::get_if<inspection::connection_record>(&each.content))
      named += (end->in != 0 ? 1U : 0U) + (end->out != 0 ? 1U : 0U);
  CHECK(named == 2);
  one.send(8);
  const auto seen = inspection::here();
  std::size_t ends = 0;
  for (const auto& each : seen.objects)
    if (const auto* end
        = std::get_if<inspection::connection_record>(&each.content)) {
      ++ends;
      REQUIRE(seen.object(end->in) != nullptr);
      REQUIRE(seen.object(end->out) != nullptr);
      CHECK(end->in != end->out);
    }
  CHECK(ends == 2);
  CHECK(one.receive() == 7);
  CHECK(other.receive() == 8);
}

TEST_CASE("a snapshot shows who is there, who holds and who waits") {
  const troupe::mutex lock;
  const troupe::event held;
  const troupe::event let_go;
  const troupe::queue<int> items;
  const auto holder = troupe::start<hold>(named("holder"), lock, held, let_go);
  held.wait();
  const auto reader = troupe::start<take_one>(named("reader"), items);
  const auto waits_for_item = [&](const inspection::snapshot& of) {
    return std::any_of(of.waits.begin(), of.waits.end(), [&](const auto& each) {
      return each.kind == troupe::memory::wait_kind::item
             && each.slot == reader.view().id().index
             && each.thread == reader.pid() && !each.woken && !each.open
             && !each.until && each.targets.size() == 1
             && each.targets.front().object == items.id();
    });
  };
  CHECK(troupe::test::eventually(
    [&] { return waits_for_item(inspection::here()); }));
  const auto seen = inspection::here();
  const auto* of_reader = seen.process(reader.view().id().index);
  REQUIRE(of_reader != nullptr);
  CHECK(of_reader->name == "reader");
  CHECK(of_reader->pid == reader.pid());
  CHECK(of_reader->parent == 0U);
  CHECK_FALSE(of_reader->daemon);
  CHECK(of_reader->threads.size() == 1 + troupe::test::sanitizer_threads);
  const auto of_lock = content_of<inspection::lock_record>(seen, lock.id());
  REQUIRE(of_lock.holder.has_value());
  CHECK(of_lock.holder->slot == holder.view().id().index);
  CHECK(of_lock.holder->thread == holder.pid());
  CHECK(seen.object(items.id())->is_held_by(reader.view().id().index));
  CHECK_FALSE(seen.object(items.id())->is_held_by(holder.view().id().index));
  let_go.set();
  items.put(1);
  reader.join();
  holder.join();
  // Who has waited does so no more.
  CHECK_FALSE(waits_for_item(inspection::here()));
}

TEST_CASE(
  "who waits beyond the rows of a process is not noted, and harms none") {
  const troupe::event go;
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < troupe::memory::wait_rows::count * 2; ++i)
    threads.emplace_back([&] { go.wait(); });
  CHECK(troupe::test::eventually([&] {
    const auto seen = inspection::here();
    return std::count_if(seen.waits.begin(), seen.waits.end(),
                         [](const auto& each) {
                           return each.kind == troupe::memory::wait_kind::event;
                         })
           >= static_cast<std::ptrdiff_t>(troupe::memory::wait_rows::count) - 2;
  }));
  go.set();
  for (auto& each : threads)
    each.join();
  // The rows of threads that have ended are free again.
  const troupe::queue<int> items;
  std::thread reader{[&] { static_cast<void>(items.get()); }};
  CHECK(troupe::test::eventually([&] {
    const auto seen = inspection::here();
    return std::any_of(seen.waits.begin(), seen.waits.end(),
                       [](const auto& each) {
                         return each.kind == troupe::memory::wait_kind::item;
                       });
  }));
  items.put(1);
  reader.join();
}

TEST_CASE(
  "processes that come, go and are killed while one looks are no damage") {
  const troupe::mutex lock;
  const troupe::event never;
  for (int turn = 0; turn < 60; ++turn) {
    const auto quick = troupe::start<lock_once>(lock);
    const auto slow = troupe::start<hold>(lock, troupe::event{}, never);
    for (int look = 0; look < 4; ++look) {
      const auto seen = inspection::here();
      CHECK(seen.damage.empty());
      for (const auto& each : seen.objects)
        CHECK_FALSE(each.damaged);
    }
    slow.kill();
  }
}

TEST_CASE("of a queue it is told that something was taken then or later") {
  constexpr int many = 5000;
  const troupe::queue<int> items;
  for (int i = 0; i < many; ++i)
    items.put(i);
  const auto noted = [&] {
    return content_of<inspection::queue_record>(inspection::here(), items.id())
      .taken_since;
  };
  // The clock that notes it is coarse, and may be a tick behind.
  const auto let_it_tick = [] {
    for (int turn = 0; turn < 2; ++turn) {
      const auto before = troupe::os::coarse_now();
      CHECK(troupe::test::eventually(
        [&] { return troupe::os::coarse_now() > before; }));
    }
  };
  CHECK_FALSE(noted());
  const auto begin = std::chrono::steady_clock::now();
  let_it_tick();
  static_cast<void>(items.get());
  const auto first = noted();
  REQUIRE(first);
  CHECK(*first >= begin);
  CHECK(*first <= std::chrono::steady_clock::now());
  let_it_tick();
  // More than stand in one segment.
  for (int i = 1; i < many; ++i)
    static_cast<void>(items.get());
  CHECK(noted() > first);
  CHECK(noted() <= std::chrono::steady_clock::now());
}

TEST_CASE("an item that was waited for is taken at a known moment") {
  const troupe::queue<int> items;
  const auto reader = troupe::start<take_two>(items);
  items.put(1);
  CHECK(troupe::test::eventually([&] {
    const auto now = inspection::here();
    return std::any_of(now.waits.begin(), now.waits.end(),
                       [&](const auto& each) {
                         return each.kind == troupe::memory::wait_kind::item;
                       })
           && content_of<inspection::queue_record>(now, items.id()).taken == 1;
  }));
  const auto before = std::chrono::steady_clock::now();
  // Time: more than a tick of the coarse clock.
  std::this_thread::sleep_for(20ms);
  items.put(2);
  reader.join();
  const auto noted = content_of<inspection::queue_record>(inspection::here(),
                                                          items.id())
                       .taken_since;
  REQUIRE(noted);
  CHECK(*noted >= before);
}

TEST_CASE("each kind of wait is Troupe's own, or has words") {
  using troupe::memory::wait_kind;
  const std::set<wait_kind> own{wait_kind::none, wait_kind::stop_request,
                                wait_kind::thread, wait_kind::service,
                                wait_kind::message};
  for (std::uint32_t kind = 0; kind < troupe::memory::wait_kinds; ++kind) {
    CAPTURE(kind);
    inspection::wait_record wait;
    wait.kind = static_cast<wait_kind>(kind);
    CHECK(troupe::memory::is_own_wait(wait.kind) == own.contains(wait.kind));
    if (!own.contains(wait.kind))
      CHECK(inspection::what_for({}, wait) != "work");
  }
}

TEST_CASE("to look takes no memory of the run") {
  const troupe::queue<int> items;
  items.put(1);
  const troupe::mutex lock;
  static_cast<void>(inspection::here());
  auto& memory = troupe::memory::run_memory::current();
  const auto before = memory.used_bytes();
  for (int turn = 0; turn < 50; ++turn)
    static_cast<void>(inspection::here());
  CHECK(memory.used_bytes() == before);
}

TEST_CASE("runs are found from outside by their memory") {
  std::size_t refused = 0;
  const auto runs = inspection::find_runs(refused);
  const auto own
    = troupe::os::inode_of(troupe::memory::run_memory::current().file());
  const auto found
    = std::find_if(runs.begin(), runs.end(),
                   [&](const auto& each) { return each.inode == own; });
  REQUIRE(found != runs.end());
  CHECK(
    std::find(found->pids.begin(), found->pids.end(), troupe::os::this_pid())
    != found->pids.end());
  const auto result = inspection::look_at(found->file);
  REQUIRE(result.seen);
  CHECK(result.seen->process(0)->pid == troupe::os::this_pid());
}
