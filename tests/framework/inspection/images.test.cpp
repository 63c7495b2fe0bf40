// SPDX-License-Identifier: BSL-1.0
// Memory that is no run's, that of another version, and that of a run which was
// overwritten: a look says so, and never fails otherwise.
#include <troupe/inspection/snapshot.hpp>
#include <troupe/inspection/stalls.hpp>

#include <troupe/channel/pipe.hpp>
#include <troupe/channel/queue.hpp>
#include <troupe/memory/run_memory.hpp>
#include <troupe/os/memory_file.hpp>
#include <troupe/process/program.hpp>
#include <troupe/state/state.hpp>
#include <troupe/sync/barrier.hpp>
#include <troupe/sync/condition.hpp>
#include <troupe/sync/mutex.hpp>
#include <troupe/sync/semaphore.hpp>

#include <doctest/doctest.h>
#include <support/seed.hpp>

#include <cstddef>
#include <cstring>
#include <memory>
#include <random>
#include <utility>
#include <vector>

#include <sys/mman.h>

namespace inspection = troupe::inspection;

namespace {

/// A copy of the memory of the test's own run: what is in it, and its holes.
class image {
public:
  image()
    : size_(troupe::memory::run_memory::current().header().size),
      file_(troupe::os::make_memory_file("troupe-image", size_)),
      place_(::mmap(nullptr, size_, PROT_READ | PROT_WRITE,
                    MAP_SHARED | MAP_NORESERVE, file_.get(), 0)) {
    REQUIRE(place_ != MAP_FAILED);
    const auto run = troupe::os::reopen_for_reading(
      troupe::memory::run_memory::current().file());
    for (std::uint64_t at = 0;;) {
      at = troupe::os::next_data(run.get(), at);
      if (at >= size_)
        break;
      std::vector<std::byte> page(4096);
      REQUIRE(troupe::os::read_at(run.get(), at, page) == page.size());
      std::memcpy(bytes() + at, page.data(), page.size());
      pages_.push_back(at);
      at += page.size();
    }
  }

  image(const image&) = delete;
  image& operator=(const image&) = delete;

  ~image() {
    ::munmap(place_, size_);
  }

  [[nodiscard]] std::byte* bytes() const noexcept {
    return static_cast<std::byte*>(place_);
  }

  [[nodiscard]] troupe::memory::run_header& header() const noexcept {
    return *reinterpret_cast<troupe::memory::run_header*>(bytes());
  }

  /// Offsets of the pages that are no holes.
  [[nodiscard]] const std::vector<std::uint64_t>& pages() const noexcept {
    return pages_;
  }

  [[nodiscard]] inspection::look_result look() const {
    return inspection::look_at(file_);
  }

private:
  std::uint64_t size_;
  troupe::os::descriptor file_;
  void* place_;
  std::vector<std::uint64_t> pages_;
};

} // namespace

TEST_CASE("what is no run's memory is refused in a sentence") {
  const auto empty = troupe::os::make_memory_file("troupe-image", 1 << 20);
  const auto result = inspection::look_at(empty);
  CHECK_FALSE(result.seen.has_value());
  CHECK(result.refusal == "this is not the memory of a run of Troupe");
  const auto small = troupe::os::make_memory_file("troupe-image", 10);
  CHECK_FALSE(inspection::look_at(small).seen.has_value());
  CHECK_FALSE(inspection::look_at(troupe::os::descriptor{}).seen.has_value());
}

TEST_CASE("the run of another version is refused, and what fits is named") {
  const image copy;
  CHECK(copy.look().seen.has_value());
  copy.header().layout ^= 1;
  const auto result = copy.look();
  CHECK_FALSE(result.seen.has_value());
  CHECK(result.refusal.find("another version of Troupe") != std::string::npos);
  CHECK(result.refusal.find("use the command `troupe` that was built with that "
                            "version")
        != std::string::npos);
}

TEST_CASE("objects of another layout are told, and not read") {
  const troupe::mutex lock;
  const troupe::queue<int> items;
  const image copy;
  const auto kind
    = static_cast<std::size_t>(troupe::memory::object_kind::mutex);
  copy.header().kinds[kind] ^= 2;
  const auto result = copy.look();
  REQUIRE(result.seen);
  REQUIRE(result.seen->damage.size() == 1);
  CHECK(result.seen->damage.front().find("objects of kind mutex")
        != std::string::npos);
  const auto* found = result.seen->object(lock.id());
  REQUIRE(found != nullptr);
  CHECK(std::holds_alternative<std::monostate>(found->content));
  CHECK(std::holds_alternative<inspection::queue_record>(
    result.seen->object(items.id())->content));
}

TEST_CASE("memory that was overwritten anywhere is looked at without harm") {
  const troupe::mutex lock;
  const troupe::queue<int> items;
  items.put(1);
  const auto ends = troupe::pipe<int>();
  const troupe::semaphore units{2};
  const troupe::barrier all{2};
  const troupe::condition news;
  const troupe::state held;
  const image copy;
  std::mt19937_64 random{troupe::test::seed()};
  std::size_t seen = 0;
  for (int turn = 0; turn < 400; ++turn) {
    // Some words of some pages; each second time in what a look reads first.
    std::vector<std::pair<std::uint64_t, std::uint64_t>> before;
    const auto words = 1 + random() % 16;
    for (std::uint64_t i = 0; i < words; ++i) {
      const auto page = turn % 2 == 0 ? 0 : random() % copy.pages().size();
      const auto at = copy.pages()[page] + random() % 512 * 8;
      std::uint64_t word = 0;
      std::memcpy(&word, copy.bytes() + at, sizeof word);
      before.emplace_back(at, word);
      const auto other = random() % 3 == 0   ? random()
                         : random() % 2 == 0 ? word ^ (1ULL << random() % 64)
                                             : random() % 4096;
      std::memcpy(copy.bytes() + at, &other, sizeof other);
    }
    const auto result = copy.look();
    CHECK(result.seen.has_value() == result.refusal.empty());
    if (result.seen) {
      ++seen;
      for (const auto& each : result.seen->waits)
        static_cast<void>(inspection::sentence(*result.seen, each));
      static_cast<void>(inspection::sentences(
        *result.seen, inspection::find_stalls(*result.seen)));
    }
    for (auto at = before.rbegin(); at != before.rend(); ++at)
      std::memcpy(copy.bytes() + at->first, &at->second, sizeof at->second);
  }
  CHECK(seen > 100);
}
