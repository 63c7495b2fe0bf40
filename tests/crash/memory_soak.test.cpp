// SPDX-License-Identifier: BSL-1.0

// A run with little address space in which ten million objects of all kinds and
// sizes come and go, while the processes that make them are killed at random.
//
// The oracle: when all is over there are as many bytes reserved, pages used by
// objects, living objects and holds of them as at the beginning. What a second
// use of anything keeps on purpose is there at the beginning already: a small
// round of the same goes before.
//
// In the first part makers are killed, in the second senders and receivers.
// Nothing at all may be left in either.
#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#include <troupe/base/error.hpp>
#include <troupe/channel/pipe.hpp>
#include <troupe/channel/queue.hpp>
#include <troupe/memory/head_page.hpp>
#include <troupe/memory/own_row.hpp>
#include <troupe/pool/pool.hpp>
#include <troupe/process/program.hpp>
#include <troupe/shared/array.hpp>
#include <troupe/shared/buffer.hpp>
#include <troupe/shared/value.hpp>
#include <troupe/sync/barrier.hpp>
#include <troupe/sync/condition.hpp>
#include <troupe/sync/event.hpp>
#include <troupe/sync/mutex.hpp>
#include <troupe/sync/recursive_mutex.hpp>
#include <troupe/sync/semaphore.hpp>

#include "../framework/memory/scratch_run.hpp"

#include <support/eventually.hpp>
#include <support/leftovers.hpp>
#include <support/sanitized.hpp>
#include <support/seed.hpp>

#include <bit>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <unistd.h>

namespace {

using namespace std::chrono_literals;
using troupe::memory::object_kind;
using troupe::memory::reference;
using troupe::memory::run_memory;
using troupe::test::eventually;
using random_numbers = std::minstd_rand;

constexpr std::uint64_t most_objects = troupe::test::sanitized ? 300'000
                                                               : 10'000'000;
constexpr int kills_of_makers = troupe::test::sanitized ? 30 : 300;
constexpr int kills_of_senders = troupe::test::sanitized ? 20 : 150;
constexpr std::size_t makers = 4;
constexpr auto longest = 240s;

// What is there ---------------------------------------------------------------

/// All that a run has of objects.
struct inventory {
  std::uint64_t reserved = 0;
  std::uint64_t bytes = 0;
  std::uint64_t objects = 0;
  std::uint64_t holds = 0;

  static inventory take() {
    auto& memory = run_memory::current();
    troupe::memory::warm_memory::give_back_own();
    inventory result{memory.reserved_bytes(), troupe::test::bytes_of_objects(),
                     0, 0};
    // The handle table that the fork server takes when it first needs one, and
    // then has as long as it lives.
    if (memory.row(memory.header().slots).handle_chunks[0].load() != 0)
      result.bytes -= troupe::memory::handle_table::first_chunk
                      * sizeof(troupe::memory::object_id);
    const auto heads = memory.header().pages_high.load()
                       * troupe::memory::head_page::heads;
    for (std::uint32_t index = 1; index < heads; ++index) {
      const auto* head = memory.head_at(index);
      // Not of a page that is not in use: to read it would take its memory.
      if (troupe::memory::head_page::state_of(
            memory.page(index / troupe::memory::head_page::heads).word.load())
            != troupe::memory::page_state::open
          || (head->life_now().state() != troupe::memory::life_state::alive
              && head->life_now().state() != troupe::memory::life_state::ended))
        continue;
      ++result.objects;
      for (const auto& word : head->holders)
        result.holds += static_cast<std::uint64_t>(std::popcount(word.load()));
      for (const auto& word : head->second_holders)
        result.holds += static_cast<std::uint64_t>(std::popcount(word.load()));
    }
    return result;
  }

  [[nodiscard]] std::string text() const {
    return std::to_string(reserved) + " bytes reserved, "
           + std::to_string(bytes) + " used, " + std::to_string(objects)
           + " objects, " + std::to_string(holds) + " holds";
  }

  /// Nothing of this is more than there. A page less may be: of heads that was
  /// kept, empty, at that time.
  [[nodiscard]] bool is_within(const inventory& there) const noexcept {
    return reserved <= there.reserved && bytes <= there.bytes
           && objects <= there.objects && holds <= there.holds;
  }

  friend bool operator==(const inventory&, const inventory&) = default;
};

/// Others give back what is warm when they have been idle for a while.
bool comes_back_to(const inventory& base) {
  return eventually([&] { return inventory::take().is_within(base); }, 30s);
}

/// Waits until what others keep warm has gone back.
inventory settled() {
  auto before = inventory::take();
  static_cast<void>(eventually([&] {
    // Time: after which an idle process gives back what it keeps.
    std::this_thread::sleep_for(2 * troupe::memory::warm_memory::idle);
    return std::exchange(before, inventory::take()) == before;
  }));
  return before;
}

// Those who make --------------------------------------------------------------

/// Mostly small; up to 64 MiB, rarely.
std::size_t some_size(random_numbers& random) {
  const auto power = random() % 1024;
  const std::size_t most = power < 900    ? 64U << 10
                           : power < 1000 ? 1U << 20
                           : power < 1023 ? 8U << 20
                                          : 64U << 20;
  return 1024 + random() % (most - 1023);
}

template <class T, class... Args>
std::shared_ptr<void> kept(Args&&... args) {
  return std::make_shared<T>(std::forward<Args>(args)...);
}

/// Puts and gets, so that the queue has taken rings or objects for its items.
std::shared_ptr<void> used_queue(random_numbers& random) {
  auto made = std::make_shared<troupe::queue<std::string>>();
  for (int item = 0; item < 3; ++item)
    made->put(std::string(random() % 300, 'i'));
  static_cast<void>(made->get());
  return made;
}

std::shared_ptr<void> written_buffer(random_numbers& random) {
  auto made = std::make_shared<troupe::buffer>(some_size(random));
  made->bytes().front() = made->bytes().back() = std::byte{1};
  return made;
}

/// One object of the library.
std::shared_ptr<void> some_object(random_numbers& random) {
  switch (random() % 16) {
    case 0: return kept<troupe::array<int>>(std::size_t{16});
    case 1: return kept<troupe::array<double>>(random() % 100'000);
    case 2: return written_buffer(random);
    case 3: return kept<troupe::queue<int>>();
    case 4: return used_queue(random);
    case 5:
      return kept<std::pair<troupe::connection<int>, troupe::connection<int>>>(
        troupe::pipe<int>());
    case 6: return kept<troupe::mutex>();
    case 7: return kept<troupe::recursive_mutex>();
    case 8: return kept<troupe::semaphore>(2);
    case 9: return kept<troupe::event>();
    case 10: return kept<troupe::condition>();
    case 11: return kept<troupe::barrier>(2U);
    default: return kept<troupe::value<long>>(1);
  }
}

/// Makes and drops until `made` is `enough`. In any order: what is dropped is
/// not what was made last.
void make_objects(troupe::value<std::uint64_t> made, std::uint64_t enough,
                  unsigned start) {
  random_numbers random{start};
  std::vector<reference> bare(256);
  std::vector<std::shared_ptr<void>> whole(32);
  while (made.get() < enough) {
    for (int round = 0; round < 32; ++round) {
      for (int small = 0; small < 62; ++small)
        bare[random() % bare.size()] = reference::create(object_kind::user,
                                                         1 + random() % 256);
      bare[random() % bare.size()] = reference::create(object_kind::user,
                                                       1 + random() % 30'000);
      whole[random() % whole.size()] = some_object(random);
    }
    made += 32 * 64;
  }
}

/// Several processes of which some are killed and replaced.
class crowd {
public:
  using start_one = troupe::process (*)(std::size_t number, unsigned seed,
                                        const void* with);

  crowd(std::size_t size, start_one start, const void* with, unsigned seed)
    : start_(start), with_(with), random_(seed) {
    for (std::size_t number = 0; number < size; ++number)
      living_.push_back(begin(number));
  }

  /// Kills one and starts another in its place.
  void kill_one() {
    const auto number = random_() % living_.size();
    living_[number].kill();
    note(living_[number].join());
    living_[number] = begin(number);
  }

  void kill_all() {
    for (auto& each : living_)
      each.kill();
    join_all();
  }

  void join_all() {
    for (auto& each : living_)
      if (const auto status = each.join_for(longest); status)
        note(*status);
      else
        ++failed_;
    living_.clear();
  }

  /// How many ended otherwise than well or by the signal.
  [[nodiscard]] int failed() const noexcept {
    return failed_;
  }

private:
  troupe::process begin(std::size_t number) {
    return start_(number, static_cast<unsigned>(random_()), with_);
  }

  void note(const troupe::exit_status& status) {
    if (status.success() || status.signal() == SIGKILL)
      return;
    ++failed_;
    std::cerr << "a process failed: " << status.description() << std::endl;
  }

  start_one start_;
  const void* with_;
  random_numbers random_;
  std::vector<troupe::process> living_;
  int failed_ = 0;
};

/// Makes `enough` objects, with so many kills at random meanwhile.
int make_many(std::uint64_t enough, int kills, unsigned seed) {
  const troupe::value<std::uint64_t> made;
  struct order {
    troupe::value<std::uint64_t> made;
    std::uint64_t enough;
  };
  const order wanted{made, enough};
  crowd all{makers,
            [](std::size_t, unsigned start, const void* with) {
              const auto& what = *static_cast<const order*>(with);
              return troupe::start<make_objects>(what.made, what.enough, start);
            },
            &wanted, seed};
  for (int kill = 1; kill <= kills; ++kill) {
    // Spread over the time that it takes; the moment is anybody's guess.
    const auto due = enough / static_cast<unsigned>(kills + 1)
                     * static_cast<unsigned>(kill);
    if (!eventually([&] { return made.get() >= due; }, longest))
      return 1;
    all.kill_one();
  }
  all.join_all();
  return all.failed();
}

// Those who send --------------------------------------------------------------

using messages = troupe::queue<std::vector<std::string>>;
using buffers = troupe::queue<troupe::buffer>;

struct exchange {
  messages texts{8};
  buffers frames{8};
  troupe::value<std::uint64_t> sent;
  troupe::value<std::uint64_t> received;
};

std::string some_text(random_numbers& random) {
  return std::string(
    random() % 100 < 90 ? random() % 2000 : random() % (2U << 20), 't');
}

void send_things(messages texts, buffers frames,
                 troupe::value<std::uint64_t> sent, unsigned start) {
  random_numbers random{start};
  for (;;) {
    texts.put({some_text(random), some_text(random)});
    frames.put(troupe::buffer{some_size(random)});
    sent += 2;
  }
}

void receive_things(messages texts, buffers frames,
                    troupe::value<std::uint64_t> received) {
  for (;;) {
    static_cast<void>(texts.get());
    static_cast<void>(frames.get());
    received += 2;
  }
}

/// Two who send and two who receive.
std::uint64_t send_many(int kills, unsigned seed) {
  const exchange all_know;
  random_numbers random{seed};
  crowd all{4,
            [](std::size_t number, unsigned start, const void* with) {
              const auto& what = *static_cast<const exchange*>(with);
              return number % 2 == 0
                       ? troupe::start<send_things>(what.texts, what.frames,
                                                    what.sent, start)
                       : troupe::start<receive_things>(what.texts, what.frames,
                                                       what.received);
            },
            &all_know, seed};
  for (int kill = 0; kill < kills; ++kill) {
    const auto due = all_know.received.get() + random() % 100;
    CHECK(eventually([&] { return all_know.received.get() >= due; }, longest));
    all.kill_one();
  }
  all.kill_all();
  CHECK(all.failed() == 0);
  return all_know.received.get();
}

/// A task with a large argument and a large result, of which some kill their
/// worker.
std::string turn_round(const std::string& text) {
  if (text.size() % 61 == 0)
    ::raise(SIGKILL);
  return {text.rbegin(), text.rend()};
}

int work_in_a_pool(int tasks, unsigned seed) {
  random_numbers random{seed};
  std::vector<std::string> texts;
  for (int task = 0; task < tasks; ++task)
    texts.push_back(std::string(1 + random() % 400'000, 'p'));
  troupe::pool pool{2};
  auto results = pool.imap<turn_round>(texts);
  int died = 0;
  for (const auto& text : texts)
    try {
      const auto result = results.next();
      CHECK(result->size() == text.size());
    } catch (const troupe::remote_error&) {
      ++died;
    }
  return died;
}

} // namespace

TEST_CASE(
  "ten million objects come and go, their makers are killed, and nothing "
  "is left") {
  const auto seed = troupe::test::seed();
  REQUIRE(make_many(20'000, 2, seed) == 0);
  const auto base = settled();
  CHECK(make_many(most_objects, kills_of_makers, seed) == 0);
  CHECK_MESSAGE(comes_back_to(base), "not " << inventory::take().text()
                                            << ", but " << base.text()
                                            << troupe::test::pages_in_use());
}

TEST_CASE("who sends or receives and is killed leaves nothing") {
  const auto seed = troupe::test::seed();
  send_many(2, seed);
  const auto base = settled();
  const auto count = send_many(kills_of_senders, seed);
  std::cout << count << " messages were received, " << kills_of_senders
            << " processes killed" << std::endl;
  CHECK_MESSAGE(comes_back_to(base), "not " << inventory::take().text()
                                            << ", but " << base.text()
                                            << troupe::test::pages_in_use());
}

TEST_CASE("large arguments and results of tasks leave nothing, nor does the "
          "death of workers") {
  const auto seed = troupe::test::seed();
  static_cast<void>(work_in_a_pool(100, seed));
  const auto base = settled();
  const auto died = work_in_a_pool(troupe::test::sanitized ? 200 : 3000,
                                   seed + 1);
  std::cout << died << " workers died" << std::endl;
  CHECK_MESSAGE(comes_back_to(base), "not " << inventory::take().text()
                                            << ", but " << base.text()
                                            << troupe::test::pages_in_use());
}

int main(int argc, char** argv) {
  doctest::Context context{argc, argv};
  troupe::program program{argc, argv, {.size = {.address_space = 3ULL << 30}}};
  auto result = context.run();
  if (context.shouldExit())
    return result;
  if (const auto left = troupe::test::leftovers(); !left.empty()) {
    std::cerr << "the tests left behind: " << left << std::endl;
    result = EXIT_FAILURE;
  }
  return result;
}
