// SPDX-License-Identifier: BSL-1.0

// Inputs that throw while a pool reads them, and what becomes of arguments and
// results once they have been delivered.

#include <troupe/memory/run_memory.hpp>
#include <troupe/pool/pool.hpp>
#include <troupe/shared/value.hpp>

#include <support/eventually.hpp>
#include <support/sanitized.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <cstddef>
#include <iterator>
#include <numeric>
#include <optional>
#include <ranges>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

using troupe::test::eventually;

namespace {

int squared(int number) {
  return number * number;
}

struct say_when : std::runtime_error {
  say_when() : std::runtime_error{"when"} {
  }
};

/// 0, 1, … `total` - 1, but for the one at which it throws; -1: in its first.
auto throwing(int total, int when) {
  return std::views::iota(0, total) | std::views::transform([when](int each) {
           if (when < 0 || each == when)
             throw say_when{};
           return each;
         });
}

/// The same as a range that can be read only once.
class once {
public:
  once(int total, int when) : total_(total), when_(when) {
  }

  class iterator {
  public:
    using value_type = int;
    using difference_type = std::ptrdiff_t;
    using iterator_concept = std::input_iterator_tag;

    explicit iterator(once& from) : from_(&from) {
    }
    iterator(iterator&&) noexcept = default;
    iterator& operator=(iterator&&) noexcept = default;

    int operator*() const {
      if (from_->when_ < 0 || from_->at_ == from_->when_)
        throw say_when{};
      return from_->at_;
    }
    iterator& operator++() {
      ++from_->at_;
      return *this;
    }
    void operator++(int) {
      ++*this;
    }
    friend bool operator==(const iterator& at, std::default_sentinel_t) {
      return at.from_->is_read();
    }

  private:
    once* from_;
  };

  iterator begin() {
    return iterator{*this};
  }
  [[nodiscard]] std::default_sentinel_t end() const noexcept {
    return {};
  }
  [[nodiscard]] bool is_read() const noexcept {
    return at_ == total_;
  }

private:
  int total_;
  int when_;
  int at_ = 0;
};

/// Results until the input throws; nothing if it does not.
template <class Stream>
std::optional<std::vector<int>> until_when(Stream stream) {
  std::vector<int> result;
  try {
    while (const auto each = stream.next())
      result.push_back(*each);
    return std::nullopt;
  } catch (const say_when&) {
  }
  // And then it is at its end.
  CHECK_FALSE(stream.next());
  return result;
}

std::vector<int> squares(int count) {
  std::vector<int> result;
  for (int i = 0; i < count; ++i)
    result.push_back(i * i);
  return result;
}

void wait_for(const troupe::value<int>& go) {
  troupe::test::await([&] { return go != 0; });
}

/// Of which there are as many as `alive` says, in all processes together.
class counted {
public:
  explicit counted(troupe::value<int> alive) : alive_(std::move(alive)) {
    ++alive_;
  }
  counted(const counted& other) : alive_(other.alive_) {
    ++alive_;
  }
  counted& operator=(const counted&) = default;
  ~counted() {
    --alive_;
  }

  void save(troupe::codec::encoder& to) const {
    to.save(alive_);
  }
  static counted load(troupe::codec::decoder& from) {
    return counted{from.load<troupe::value<int>>()};
  }

private:
  troupe::value<int> alive_;
};

counted same(const counted& given) {
  return given;
}

/// A value that reads all of itself and is then refused, if it is a three.
struct no_three {
  int number = 0;

  void save(troupe::codec::encoder& to) const {
    to.save(number);
  }

  static no_three load(troupe::codec::decoder& from) {
    const no_three result{from.load<int>()};
    if (result.number == 3)
      throw std::domain_error{"a three"};
    return result;
  }
};

no_three unchecked(int number) {
  return {number};
}

std::size_t count_of(const std::vector<troupe::value<int>>& all) {
  return all.size();
}

/// What a task failed with; empty if it did not.
template <class Work>
std::string malformed(Work work) {
  try {
    static_cast<void>(work());
    return {};
  } catch (const troupe::malformed_bytes& failure) {
    return failure.what();
  }
}

bool contains(const std::string& text, const std::string& what) {
  return text.find(what) != std::string::npos;
}

} // namespace

TEST_CASE("what the input of a map throws reaches its caller, and the pool "
          "goes on") {
  troupe::pool pool{2};
  for (int round = 0; round < 2; ++round) {
    CHECK_THROWS_AS(static_cast<void>(pool.map<squared>(throwing(1, -1), 1)),
                    say_when);
    CHECK_THROWS_AS(static_cast<void>(pool.map<squared>(once{1, -1}, 1)),
                    say_when);
  }
  CHECK_THROWS_AS(static_cast<void>(pool.map<squared>(throwing(10, 3), 1)),
                  say_when);
  CHECK_THROWS_AS(static_cast<void>(pool.map<squared>(once{10, 3}, 1)),
                  say_when);
  CHECK_THROWS_AS(static_cast<void>(pool.map_async<squared>(throwing(10, 9))),
                  say_when);
  CHECK(pool.map<squared>(throwing(10, 10)) == squares(10));
}

TEST_CASE("of a map whose input throws no task is begun any more") {
  troupe::pool pool{2};
  troupe::value<int> begun{0};
  troupe::value<int> go{0};
  std::vector<std::tuple<troupe::value<int>, troupe::value<int>>> all(
    100, std::tuple{begun, go});
  auto input = std::views::iota(0, 100) | std::views::transform([&](int each) {
                 if (each == 50)
                   throw say_when{};
                 return all[static_cast<std::size_t>(each)];
               });
  const auto task = [](troupe::value<int> count, troupe::value<int> start) {
    ++count;
    wait_for(start);
  };
  CHECK_THROWS_AS(pool.starmap(task, input, 1), say_when);
  go = 1;
  CHECK(pool.map<squared>(std::views::iota(0, 100), 1) == squares(100));
  CHECK(begun <= 2);
}

TEST_CASE("what the input of imap throws comes behind the results of the "
          "chunks before") {
  troupe::pool pool{2};
  for (int round = 0; round < 2; ++round)
    CHECK(until_when(pool.imap<squared>(throwing(1, -1))) == squares(0));
  CHECK(until_when(pool.imap<squared>(throwing(10, 3), 1)) == squares(3));
  CHECK(until_when(pool.imap<squared>(throwing(20, 7), 2)) == squares(6));
  CHECK(until_when(pool.imap<squared>(throwing(20, 7), 4)) == squares(4));
  // Far behind what is read ahead.
  CHECK(until_when(pool.imap<squared>(throwing(2000, 1000), 1))
        == squares(1000));
  CHECK(pool.apply<squared>(3) == 9);
}

TEST_CASE("so it does in imap_unordered") {
  troupe::pool pool{2};
  for (int round = 0; round < 2; ++round)
    CHECK(until_when(pool.imap_unordered<squared>(throwing(1, -1)))
          == squares(0));
  for (const int chunk : {1, 2, 5}) {
    const auto given = until_when(pool.imap_unordered<squared>(
      throwing(20, 7), static_cast<std::size_t>(chunk)));
    REQUIRE(given);
    const auto expected = squares(7 / chunk * chunk);
    CHECK(std::multiset<int>(given->begin(), given->end())
          == std::multiset<int>(expected.begin(), expected.end()));
  }
  CHECK(pool.apply<squared>(3) == 9);
}

TEST_CASE(
  "a stream whose pool is closed gives what is out, says so, and ends") {
  troupe::pool pool{1};
  auto stream = pool.imap<squared>(std::views::iota(0));
  pool.close();
  int count = 0;
  try {
    while (const auto each = stream.next()) {
      CHECK(*each == count * count);
      ++count;
    }
    FAIL("it ended");
  } catch (const troupe::closed&) {
  }
  CHECK(count > 1);
  CHECK_FALSE(stream.next());
  pool.join();
}

TEST_CASE("arguments and results are released once they are delivered") {
  troupe::pool pool{2};
  const troupe::value<int> alive{0};
  {
    const std::vector<counted> given(20, counted{alive});
    CHECK(pool.map<same>(given, 3).size() == 20);
    // In the workers, too; only what stands here is left.
    CHECK(eventually([&] { return alive == 20; }));
    for (const auto& each : pool.imap<same>(given))
      static_cast<void>(each);
    auto unread = pool.map_async<same>(given);
    unread.wait();
    CHECK(alive >= 40);
  }
  CHECK(eventually([&] { return alive == 0; }));
}

TEST_CASE("a result whose load throws fails its task, and no other") {
  troupe::pool pool{2};
  const auto story = malformed([&] { return pool.apply<unchecked>(3); });
  CHECK(contains(story, "read the result of a task of worker pool-"));
  CHECK(contains(story, "the load of its type threw std::domain_error: a "
                        "three"));
  int good = 0;
  auto results = pool.imap<unchecked>(std::views::iota(0, 100));
  for (int i = 0; i < 100; ++i)
    if (i == 3)
      CHECK(malformed([&] { return results.next(); }) != "");
    else
      good += results.next()->number == i ? 1 : 0;
  CHECK(good == 99);
  CHECK_FALSE(results.next());
}

TEST_CASE("so it does though nobody waits") {
  troupe::pool pool{1};
  std::atomic<int> called = 0;
  std::vector<troupe::task_future<no_three>> results;
  for (int i = 0; i < 6; ++i) {
    results.push_back(pool.apply_async<unchecked>(i));
    results.back().when_done([&] { ++called; });
  }
  CHECK(eventually([&] { return called == 6; }));
  CHECK(malformed([&] { return results[3].get(); }) != "");
  CHECK(results[4].get().number == 4);
}

TEST_CASE("results that share a message with it say that they lie behind it") {
  troupe::pool pool{1};
  auto results = pool.imap<unchecked>(std::views::iota(0, 6), 6);
  // The worker may have reported some of them before.
  for (int i = 0; i < 3; ++i)
    CHECK(results.next()->number == i);
  CHECK(contains(malformed([&] { return results.next(); }), "a three"));
  for (int i = 4; i < 6; ++i) {
    const auto story = malformed([&] { return results.next(); });
    if (!story.empty()) {
      CHECK(contains(story, "behind one of the same chunk"));
      CHECK(contains(story, "chunk size 1"));
    }
  }
  CHECK_FALSE(results.next());
  CHECK(pool.apply<unchecked>(5).number == 5);
}

TEST_CASE(
  "a task that is too large to be sent fails alone, and nothing of it is "
  "left") {
  troupe::pool pool{1};
  troupe::memory::object_id where = 0;
  const auto lives = [&] {
    return troupe::memory::kind_of(where) == troupe::memory::object_kind::value;
  };
  {
    const troupe::value<int> one{1};
    where = troupe::codec::encode(one).handles().front();
    REQUIRE(lives());
    // More handles than a message may carry.
    const std::vector<troupe::value<int>> many(70'000, one);
    auto before = pool.apply_async<squared>(2);
    auto large = pool.apply_async<count_of>(many);
    auto behind = pool.apply_async<squared>(3);
    CHECK_THROWS_AS(static_cast<void>(large.get()), troupe::limit_reached);
    CHECK(before.get() == 4);
    CHECK(behind.get() == 9);
  }
  CHECK(eventually([&] { return !lives(); }));
  pool.close();
  pool.join();
}

TEST_CASE("a pool of two hundred workers starts, works and ends") {
  troupe::pool pool{troupe::test::sanitized ? 40U : 200U};
  const auto result = pool.map<squared>(std::views::iota(0, 1000));
  CHECK(std::accumulate(result.begin(), result.end(), 0L) == 332'833'500);
  pool.close();
  pool.join();
  CHECK(troupe::active_children().empty());
}

TEST_CASE("a literal argument of a task is checked, and converts if it fits") {
  troupe::pool pool{1};
  const auto twice = [](std::size_t number) { return 2 * number; };
  CHECK(pool.apply(twice, 3) == 6);
  CHECK_THROWS_AS(static_cast<void>(pool.apply(twice, -1)),
                  troupe::invalid_argument);
  // What loses nothing converts, in items as well.
  const auto halved = [](double number) { return number / 2; };
  CHECK(pool.map(halved, std::vector<int>{1, 2}) == std::vector{0.5, 1.0});
}
