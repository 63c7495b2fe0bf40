// SPDX-License-Identifier: BSL-1.0
#include <troupe/os/proc.hpp>

#include <troupe/os/process_id.hpp>
#include <troupe/os/wait_word.hpp>

#include <doctest/doctest.h>
#include <support/eventually.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <thread>
#include <utility>

namespace os = troupe::os;
using namespace std::chrono_literals;
using troupe::test::eventually;

namespace {

/// A thread that does something, whose number is known.
class one_thread {
public:
  explicit one_thread(std::function<void()> what)
    : thread_([this, what = std::move(what)] {
        number_.store(os::this_thread_id());
        what();
      }) {
    REQUIRE(eventually([&] { return number_.load() != 0; }));
  }

  ~one_thread() {
    thread_.join();
  }

  one_thread(const one_thread&) = delete;
  one_thread& operator=(const one_thread&) = delete;

  [[nodiscard]] std::int32_t number() const {
    return number_.load();
  }

  [[nodiscard]] bool sleeps() const {
    const auto all = os::threads_of(os::this_pid());
    const auto found
      = std::find_if(all.begin(), all.end(),
                     [&](const auto& of) { return of.id == number(); });
    return found != all.end() && found->state == 'S';
  }

  [[nodiscard]] bool waits_for_own_process() const {
    return os::waits_for_own_process(os::this_pid(), number());
  }

  [[nodiscard]] std::uint64_t switches() const {
    const auto result = os::switches_of(os::this_pid(), number());
    REQUIRE(result);
    return *result;
  }

private:
  std::atomic<std::int32_t> number_{0};
  std::thread thread_;
};

} // namespace

TEST_CASE(
  "who waits for a lock of the standard library waits for its process") {
  std::mutex lock;
  std::unique_lock held{lock};
  {
    const one_thread waiting{[&] { const std::scoped_lock guard{lock}; }};
    CHECK(eventually([&] { return waiting.waits_for_own_process(); }));
    // It has not run since.
    const auto before = waiting.switches();
    CHECK(waiting.waits_for_own_process());
    CHECK(waiting.switches() == before);
    held.unlock();
  }
}

TEST_CASE("so does who waits for a condition, unless there is a limit") {
  std::mutex lock;
  std::condition_variable changed;
  bool done = false;
  const auto is_done = [&] { return done; };
  {
    const one_thread for_ever{[&] {
      std::unique_lock held{lock};
      changed.wait(held, is_done);
    }};
    const one_thread for_a_while{[&] {
      std::unique_lock held{lock};
      changed.wait_for(held, 1h, is_done);
    }};
    CHECK(eventually([&] { return for_ever.waits_for_own_process(); }));
    CHECK(eventually([&] { return for_a_while.sleeps(); }));
    CHECK_FALSE(for_a_while.waits_for_own_process());
    {
      const std::scoped_lock held{lock};
      done = true;
    }
    changed.notify_all();
  }
}

TEST_CASE("who waits for a word that another process may reach does not") {
  os::wait_word word{0};
  {
    const one_thread waiting{[&] {
      while (word.load() == 0)
        static_cast<void>(os::wait(word, 0, troupe::deadline::never()));
    }};
    CHECK(eventually([&] { return waiting.sleeps(); }));
    CHECK_FALSE(waiting.waits_for_own_process());
    word.store(1);
    os::wake_all(word);
  }
}

TEST_CASE("a thread that has run has left its processor more often") {
  std::atomic<bool> go_on{true};
  std::mutex lock;
  std::condition_variable changed;
  std::uint64_t asked = 0;
  std::uint64_t answered = 0;
  {
    const one_thread other{[&] {
      std::unique_lock held{lock};
      while (go_on.load()) {
        changed.wait(held, [&] { return asked != answered || !go_on.load(); });
        answered = asked;
      }
    }};
    for (int turn = 0; turn < 50; ++turn) {
      CHECK(eventually([&] { return other.waits_for_own_process(); }));
      const auto before = other.switches();
      std::uint64_t number = 0;
      {
        const std::scoped_lock held{lock};
        number = ++asked;
      }
      changed.notify_all();
      CHECK(eventually([&] {
        const std::scoped_lock held{lock};
        return answered == number;
      }));
      CHECK(eventually([&] { return other.waits_for_own_process(); }));
      CHECK(other.switches() > before);
    }
    go_on.store(false);
    changed.notify_all();
  }
}

TEST_CASE("of a thread that is not there nothing is known") {
  CHECK_FALSE(os::switches_of(os::this_pid(), 1));
  CHECK_FALSE(os::waits_for_own_process(os::this_pid(), 1));
}
