// SPDX-License-Identifier: BSL-1.0

// imap and imap_unordered over inputs that come slowly, wait, or are odd, and
// results that are looked at through views.

#include <troupe/channel/pipe.hpp>
#include <troupe/channel/queue.hpp>
#include <troupe/pool/pool.hpp>
#include <troupe/pool/task_wait.hpp>
#include <troupe/shared/value.hpp>

#include <support/eventually.hpp>
#include <support/sanitized.hpp>
#include <support/system_calls.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <iterator>
#include <memory>
#include <optional>
#include <ranges>
#include <semaphore>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <sys/wait.h>
#include <unistd.h>

using troupe::test::eventually;

namespace {

long square(long number) {
  return number * number;
}

long refuse_three(long number) {
  if (number == 3)
    throw std::runtime_error{"three"};
  return number;
}

/// 0, 1, 2, … each when it is let through.
struct gate {
  std::counting_semaphore<1'000'000> allowed{0};
  std::atomic<int> begun{0};
  std::atomic<int> read{0};

  auto numbers() {
    return std::views::iota(0L) | std::views::transform([this](long each) {
             ++begun;
             allowed.acquire();
             ++read;
             return each;
           });
  }
};

/// Counts down to nothing. Neither the range nor its iterators can be copied,
/// these have no default constructor, and the end is of a third type.
class countdown {
public:
  explicit countdown(long from) : left_(std::make_unique<long>(from)) {
  }

  struct bottom {};

  class iterator {
  public:
    using value_type = long;
    using difference_type = std::ptrdiff_t;

    explicit iterator(long& left) : left_(&left) {
    }
    iterator(iterator&&) = default;
    iterator& operator=(iterator&&) = default;

    long operator*() const {
      return *left_;
    }
    iterator& operator++() {
      --*left_;
      return *this;
    }
    void operator++(int) {
      ++*this;
    }
    friend bool operator==(const iterator& at, bottom) {
      return *at.left_ == 0;
    }

  private:
    long* left_;
  };

  iterator begin() {
    return iterator{*left_};
  }
  bottom end() const {
    return {};
  }

private:
  std::unique_ptr<long> left_;
};

static_assert(std::ranges::input_range<countdown>);
static_assert(std::ranges::input_range<troupe::task_stream<long>>);
static_assert(std::ranges::input_range<const troupe::queue<long>>);
static_assert(std::ranges::input_range<troupe::as_completed>);

/// Of the process whose system calls are counted; it ends with it.
troupe::pool& workers() {
  static auto& all = *new troupe::pool{2};
  return all;
}

void run_tasks(int times) {
  static const std::vector<long> input(20, 3);
  for (int i = 0; i < times; ++i) {
    static_cast<void>(workers().apply<square>(i));
    static_cast<void>(workers().map<square>(input, 1));
    for (const long each : workers().imap_unordered<square>(input))
      static_cast<void>(each);
  }
}

template <class Range>
std::vector<long> all_of(Range&& range) {
  std::vector<long> result;
  for (auto&& each : range)
    result.push_back(each);
  return result;
}

} // namespace

TEST_CASE("a result is given while the input is waited for") {
  troupe::pool pool{2};
  gate input;
  auto results = pool.imap<square>(input.numbers());
  for (long i = 0; i < 5; ++i) {
    input.allowed.release();
    // The input stands still behind this one.
    REQUIRE(results.next() == i * i);
  }
  gate other;
  auto any = pool.imap_unordered<square>(other.numbers());
  for (long i = 0; i < 5; ++i) {
    other.allowed.release();
    REQUIRE(any.next() == i * i);
  }
  // The streams end before the gates, and wait for what is being read.
  input.allowed.release(1000);
  other.allowed.release(1000);
}

TEST_CASE("an input may wait for the result of the item before") {
  troupe::pool pool{2};
  for (const bool ordered : {true, false}) {
    troupe::queue<long> requests;
    requests.put(1);
    std::vector<long> answers;
    const auto ask = [&](auto&& results) {
      for (const long each : results) {
        answers.push_back(each);
        if (answers.size() < 5)
          requests.put(each + 1);
        else
          requests.close();
      }
    };
    if (ordered)
      ask(pool.imap<square>(requests));
    else
      ask(pool.imap_unordered<square>(requests));
    CHECK(answers == std::vector<long>{1, 4, 25, 676, 458'329});
  }
}

TEST_CASE("a window of one reads an item when the one before was taken") {
  troupe::pool pool{2};
  gate input;
  input.allowed.release(1000);
  auto results = pool.imap<square>(input.numbers(), {.window = 1});
  for (int i = 0; i < 20; ++i) {
    REQUIRE(eventually([&] { return input.read >= i + 1; }));
    CHECK(input.read == i + 1);
    REQUIRE(results.next() == long{i} * i);
  }
}

TEST_CASE("a window is read ahead though results are ready, and no more is") {
  troupe::pool pool{1};
  gate input;
  input.allowed.release(1000);
  for (const std::size_t chunk : {std::size_t{1}, std::size_t{3}}) {
    const int before = input.read;
    auto results = pool.imap<square>(input.numbers(),
                                     {.chunk = chunk, .window = 6});
    REQUIRE(eventually([&] { return input.read == before + 6; }));
    for (int taken = 0; taken < 30; ++taken) {
      CHECK(input.read <= before + taken + 6);
      REQUIRE(results.next() == long{taken} * taken);
    }
    REQUIRE(eventually([&] { return input.read == before + 36; }));
  }
}

TEST_CASE("a window smaller than a chunk makes chunks smaller") {
  troupe::pool pool{1};
  gate input;
  input.allowed.release(1000);
  auto results = pool.imap<square>(input.numbers(),
                                   {.chunk = 100, .window = 2});
  REQUIRE(results.next() == 0);
  CHECK(input.read <= 3);
}

TEST_CASE("without a window nothing is read ahead once a result is ready") {
  troupe::pool pool{1};
  troupe::value<int> begun;
  const auto note = [](std::pair<long, troupe::value<int>> given) {
    given.second = static_cast<int>(given.first) + 1;
    return given.first;
  };
  gate input;
  auto results
    = pool.imap(note, input.numbers() | std::views::transform([&](long each) {
                        return std::pair{each, begun};
                      }));
  input.allowed.release();
  REQUIRE(eventually([&] { return begun == 1; }));
  // The only worker runs this behind the task, whose result is there then.
  CHECK(pool.apply<square>(3) == 9);
  input.allowed.release(1000);
  // The reader waits for a result to be taken, or was at the next item already.
  REQUIRE(eventually(
    [&] { return input.begun == input.read && begun == input.read; }));
  CHECK(input.read <= 2);
  for (long each = 0; each < 100; ++each)
    REQUIRE(results.next() == each);
}

TEST_CASE("any input range will do") {
  troupe::pool pool{2};
  SUBCASE("a queue, as a handle that lives or as one that is given away") {
    troupe::queue<long> tasks;
    tasks.put_many(std::vector{1L, 2L, 3L});
    tasks.close();
    CHECK(all_of(pool.imap<square>(tasks)) == std::vector<long>{1, 4, 9});
    troupe::queue<long> more;
    more.put_many(std::vector{4L, 5L});
    more.close();
    CHECK(all_of(pool.imap<square>(std::move(more)))
          == std::vector<long>{16, 25});
  }
  SUBCASE("the results of another imap") {
    CHECK(all_of(pool.imap<square>(pool.imap<square>(std::vector{1L, 2L, 3L})))
          == std::vector<long>{1, 16, 81});
    troupe::pool other{1};
    auto inner = other.imap<square>(std::vector{1L, 2L, 3L, 4L});
    REQUIRE(inner.next() == 1);
    CHECK(all_of(pool.imap<square>(inner)) == std::vector<long>{16, 81, 256});
    CHECK(!inner.next());
  }
  SUBCASE("three in a row") {
    const auto results = all_of(pool.imap_unordered<square>(pool.imap<square>(
      pool.imap_unordered<square>(std::views::iota(1L, 9L)))));
    CHECK(std::multiset<long>(results.begin(), results.end())
          == std::multiset<long>{1, 256, 6561, 65'536, 390'625, 1'679'616,
                                 5'764'801, 16'777'216});
  }
  SUBCASE("what can only be moved, without a default, with an end of its own") {
    CHECK(all_of(pool.imap<square>(countdown{3}))
          == std::vector<long>{9, 4, 1});
    countdown own{2};
    CHECK(all_of(pool.imap_unordered<square>(own)).size() == 2);
    CHECK(pool.map<square>(countdown{3}) == std::vector<long>{9, 4, 1});
  }
  SUBCASE("a stream of text") {
    std::istringstream text{"1 2 3"};
    CHECK(all_of(pool.imap<square>(std::views::istream<long>(text)))
          == std::vector<long>{1, 4, 9});
  }
  SUBCASE("a queue behind views") {
    troupe::queue<long> tasks;
    tasks.put_many(std::vector{1L, 2L, 3L, 4L});
    const auto next = [](long each) { return each + 1; };
    CHECK(all_of(pool.imap<square>(tasks | std::views::transform(next)
                                   | std::views::take(2)))
          == std::vector<long>{4, 9});
    CHECK(tasks.get() == 3);
  }
  SUBCASE("a map, too, of a queue and of a stream") {
    troupe::queue<long> tasks;
    tasks.put_many(std::vector{1L, 2L});
    tasks.close();
    CHECK(pool.map<square>(tasks) == std::vector<long>{1, 4});
    CHECK(pool.map<square>(pool.imap<square>(std::vector{2L}))
          == std::vector<long>{16});
  }
  SUBCASE("nothing at all") {
    CHECK(all_of(pool.imap<square>(std::views::empty<long>)).empty());
    CHECK(all_of(pool.imap<square>(countdown{0})).empty());
  }
}

TEST_CASE("a stream that ends while its input waits takes nothing more") {
  troupe::pool pool{2};
  SUBCASE("in a queue") {
    troupe::queue<long> tasks;
    tasks.put(1);
    for (const long each : pool.imap<square>(tasks)) {
      CHECK(each == 1);
      break;
    }
    tasks.put(2);
    CHECK(tasks.get() == 2);
  }
  SUBCASE("in a queue, as far as a user's function reads it") {
    troupe::queue<long> tasks;
    tasks.put(3);
    {
      auto results = pool.imap_unordered<square>(
        std::views::iota(0L)
        | std::views::transform([&](long) { return tasks.get(); }));
      CHECK(results.next() == 9);
    }
    tasks.put(2);
    CHECK(tasks.get() == 2);
  }
  SUBCASE("in a pipe") {
    auto [here, there] = troupe::pipe<long>();
    {
      auto results = pool.imap<square>(
        std::views::iota(0L)
        | std::views::transform([&](long) { return here.receive(); }));
      there.send(5);
      CHECK(results.next() == 25);
    }
    there.send(6);
    CHECK(here.receive() == 6);
  }
  SUBCASE("in the results of another pool") {
    troupe::queue<long> tasks;
    troupe::pool other{1};
    auto inner = other.imap<square>(tasks);
    {
      auto outer = pool.imap<square>(inner);
      tasks.put(2);
      CHECK(outer.next() == 16);
    }
    tasks.put(3);
    tasks.close();
    CHECK(inner.next() == 9);
    CHECK(!inner.next());
  }
  SUBCASE("when another is assigned to it") {
    troupe::queue<long> tasks;
    auto results = pool.imap<square>(tasks);
    results = pool.imap<square>(tasks);
    tasks.put(2);
    CHECK(results.next() == 4);
  }
}

TEST_CASE("the end of a stream waits for the item that is being read") {
  troupe::pool pool{1};
  gate input;
  std::atomic<bool> ended{false};
  auto results = std::make_unique<troupe::task_stream<long>>(
    pool.imap<square>(input.numbers()));
  REQUIRE(eventually([&] { return input.begun == 1; }));
  std::thread ending{[&] {
    results.reset();
    ended = true;
  }};
  CHECK(!ended);
  REQUIRE(eventually([&] {
    input.allowed.release();
    return ended.load();
  }));
  ending.join();
  CHECK(input.begun == input.read);
  CHECK(pool.apply<square>(3) == 9);
}

TEST_CASE("a pool that ends while the input is waited for is told of") {
  troupe::pool pool{1};
  troupe::queue<long> tasks;
  auto results = pool.imap<square>(tasks);
  std::thread ending{[&] { pool.terminate(); }};
  CHECK_THROWS_AS(static_cast<void>(results.next()), troupe::cancelled);
  ending.join();
  CHECK(!results.next());
}

TEST_CASE("what a queue as input throws comes behind the results before") {
  troupe::pool pool{2};
  const auto input = std::views::iota(0L) | std::views::transform([](long i) {
                       if (i == 3)
                         throw std::runtime_error{"three"};
                       return i;
                     });
  auto results = pool.imap<square>(input);
  for (long i = 0; i < 3; ++i)
    CHECK(results.next() == i * i);
  CHECK_THROWS_WITH(static_cast<void>(results.next()), "three");
  CHECK(!results.next());
}

TEST_CASE("a view of results takes no more than it shows") {
  troupe::pool pool{2};
  auto results = pool.imap<square>(std::views::iota(1L));
  std::vector<long> shown;
  for (const long each : results | std::views::take(3))
    shown.push_back(each);
  CHECK(shown == std::vector<long>{1, 4, 9});
  CHECK(results.next() == 16);
  for (const long each : results)
    if (each == 49)
      break;
  CHECK(results.next() == 64);
  try {
    for (const long each : results)
      if (each == 100)
        throw std::runtime_error{"enough"};
  } catch (const std::runtime_error&) {
  }
  CHECK(results.next() == 121);
  const auto small = [](long each) { return each < 200; };
  shown.clear();
  for (const long each : results | std::views::take_while(small))
    shown.push_back(each);
  CHECK(shown == std::vector<long>{144, 169, 196});
  CHECK(results.next() == 256);
  auto at = std::ranges::next(results.begin(), 2);
  CHECK(*at == 19 * 19);
  CHECK(*at == 19 * 19);
}

TEST_CASE("a view of results goes on behind a task that failed") {
  troupe::pool pool{1};
  auto results = pool.imap<refuse_three>(std::views::iota(1L, 6L));
  std::vector<long> shown;
  const auto show = [&] {
    for (const long each : results)
      shown.push_back(each);
  };
  CHECK_THROWS_AS(show(), troupe::remote_error);
  CHECK(shown == std::vector<long>{1, 2});
  show();
  CHECK(shown == std::vector<long>{1, 2, 4, 5});
}

TEST_CASE("a view of what is completed takes no more than it shows") {
  troupe::pool pool{2};
  std::vector<troupe::task_future<long>> futures;
  for (long i = 0; i < 4; ++i)
    futures.push_back(pool.apply_async<square>(i));
  troupe::as_completed done{futures};
  std::set<std::size_t> seen;
  for (const auto index : done | std::views::take(2))
    seen.insert(index);
  for (const auto index : done)
    seen.insert(index);
  CHECK(seen.size() == 4);
}

TEST_CASE("a copy that the user forked off does nothing to a stream") {
  troupe::pool pool{1};
  troupe::queue<long> tasks;
  auto results = pool.imap<square>(tasks);
  tasks.put(1);
  REQUIRE(results.next() == 1);
  const auto forked = ::fork();
  if (forked == 0) {
    // What hangs must not hang the test.
    ::alarm(60);
    bool refused = false;
    try {
      static_cast<void>(results.next());
    } catch (const troupe::invalid_state&) {
      refused = true;
    }
    {
      const auto end = std::move(results);
    }
    ::_exit(refused ? 0 : 1);
  }
  int status = 0;
  CHECK(::waitpid(forked, &status, 0) == forked);
  CHECK(status == 0);
  tasks.put(2);
  CHECK(results.next() == 4);
}

TEST_CASE("progress counts the tasks that have run, and no others") {
  std::atomic<std::size_t> most{0};
  std::atomic<std::size_t> calls{0};
  troupe::pool pool{1};
  troupe::value<int> go;
  pool.on_progress([&](std::size_t done, std::size_t) {
    ++calls;
    most = std::max(most.load(), done);
  });
  const auto wait_for_it = [](troupe::value<int> flag) {
    flag = 1;
    troupe::test::await([&] { return flag == 2; });
  };
  auto results = pool.map_async(wait_for_it,
                                std::vector<troupe::value<int>>(100, go), 1);
  REQUIRE(eventually([&] { return go == 1; }));
  results.cancel();
  go = 2;
  CHECK_THROWS_AS(results.get(), troupe::cancelled);
  CHECK(eventually([&] { return calls >= 1; }));
  CHECK(most == 1);
}

TEST_CASE("a task makes no system call but for waiting") {
  using troupe::test::counted;
  if (troupe::test::sanitized)
    return;
  const auto calls
    = troupe::test::system_calls_of<run_tasks, counted::besides_waiting>(2);
  CHECK(calls.value_or(0) == 0);
}
