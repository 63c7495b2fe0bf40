// SPDX-License-Identifier: BSL-1.0
#include <troupe/memory/warm_memory.hpp>

#include "scratch_run.hpp"

#include <troupe/base/error.hpp>

#include <doctest/doctest.h>
#include <support/eventually.hpp>
#include <support/sleeping.hpp>

#include <algorithm>
#include <atomic>
#include <vector>

using namespace troupe;
using namespace troupe::test;
using memory::contents;
using memory::object_id;
using memory::object_kind;
using memory::reference;
using memory::run_memory;

namespace warm_memory = memory::warm_memory;

namespace {

constexpr auto kind = object_kind::user;
constexpr std::uint64_t frame = 24 << 20;

reference make_frame() {
  return reference::create(kind, frame, contents::unspecified);
}

std::uint64_t reserved() {
  return run_memory::current().reserved_bytes();
}

/// Has the process of slot `index` drop the last hold on `what`.
void drop_elsewhere(std::uint32_t index, reference what) {
  auto gone = reference::create(kind, sizeof(std::atomic<int>));
  auto* step = gone.as<std::atomic<int>>();
  const auto pid = fork_into_slot(index, [&, id = what.id()] {
    const auto mine = reference::attach(id, kind);
    step->store(1);
    troupe::test::await([&] { return step->load() != 1; });
  });
  troupe::test::await([&] { return step->load() != 0; });
  what.reset();
  step->store(2);
  expect(confirm(pid, index) == 0, "the other process");
}

} // namespace

TEST_CASE(
  "the memory of an object serves the next of its size, whoever dropped "
  "it") {
  CHECK(
    in_new_run(
      {},
      [] {
        warm_up(1);
        auto first = make_frame();
        auto* const place = first.data();
        place[frame - 1] = std::byte{7};
        first.reset();
        auto second = make_frame();
        expect(second.data() == place, "another place");
        expect(second.data()[frame - 1] == std::byte{7},
               "the memory was not there");
        drop_elsewhere(1, std::move(second));
        expect(make_frame().data() == place,
               "the last holder has kept it for itself");
        // A quarter less fits too, half does not.
        expect(reference::create(kind, frame / 2, contents::unspecified).data()
                 != place,
               "half of it takes all");
      })
    == "");
}

TEST_CASE("what promises zero is zero in memory of former objects") {
  CHECK(in_new_run({},
                   [] {
                     for (const std::uint64_t size :
                          {100ULL, 5000ULL, 1ULL << 20, 3ULL << 20})
                       for (int round = 0; round < 3; ++round) {
                         const auto made = reference::create(kind, size);
                         expect(std::ranges::all_of(made.bytes(),
                                                    [](std::byte each) {
                                                      return each
                                                             == std::byte{};
                                                    }),
                                "not zero");
                         std::ranges::fill(made.bytes(), std::byte{1});
                       }
                   })
        == "");
}

TEST_CASE("memory that is kept goes back when the run needs it") {
  CHECK(in_new_run({.memory = 1 << 30},
                   [] {
                     warm_up(1);
                     make_frame().reset();
                     expect(reserved() > frame, "nothing is kept");
                     // Of the process in slot 1, which does nothing.
                     std::vector<reference> all;
                     for (int count = 0; count < 100; ++count)
                       all.push_back(reference::create(kind, 10 << 20));
                     all.clear();
                     warm_memory::give_back_own();
                     expect(reserved() == 0, "still kept");
                   })
        == "");
}

TEST_CASE(
  "no more than an eighth of what the run may use is kept, nor more than "
  "16 payloads for a process") {
  CHECK(in_new_run({.memory = 1 << 30},
                   [] {
                     std::vector<reference> all;
                     for (int count = 0; count < 20; ++count)
                       all.push_back(make_frame());
                     all.clear();
                     expect(reserved() <= (1 << 30) / 8, "too much is kept");
                     expect(reserved() > frame, "nothing is kept");
                     warm_memory::give_back_own();
                     for (int count = 0; count < 40; ++count)
                       all.push_back(reference::create(kind, 10'000));
                     all.clear();
                     expect(reserved() == 16 * (3 * 4096 + 256),
                            std::to_string(reserved()));
                   })
        == "");
}

TEST_CASE("memory of sizes that nobody asks for any more makes room") {
  CHECK(in_new_run({},
                   [] {
                     std::vector<reference> all;
                     for (int count = 0; count < 16; ++count)
                       all.push_back(reference::create(kind, 10'000));
                     all.clear();
                     make_frame().reset();
                     auto* const place = make_frame().data();
                     expect(make_frame().data() == place, "not kept");
                   })
        == "");
}

TEST_CASE("memory that is kept goes back when its process waits") {
  CHECK(in_new_run({},
                   [] {
                     make_frame().reset();
                     expect(reserved() > frame, "nothing is kept");
                     os::wait_word word{0};
                     expect(warm_memory::wait(word, 0, deadline::never()),
                            "it did not return");
                     expect(reserved() == 0, "still kept");
                     // Also what it has kept for one that sleeps.
                     const auto gone = reference::create(kind, 100);
                     auto* id = gone.as<std::atomic<object_id>>();
                     const auto pid = fork_into_slot(1, [&] {
                       const auto made = make_frame();
                       id->store(made.id());
                       troupe::test::await([&] { return id->load() == 0; });
                       const_cast<reference&>(made).reset();
                       id->store(1);
                       troupe::test::sleep_for_ever();
                     });
                     troupe::test::await([&] { return id->load() != 0; });
                     {
                       const auto held = reference::attach(id->load(), kind);
                       id->store(0);
                       troupe::test::await([&] { return id->load() != 0; });
                     }
                     expect(reserved() > frame,
                            "nothing is kept for the other");
                     expect(warm_memory::wait(word, 0, deadline::never()),
                            "it did not return");
                     expect(reserved() < frame, "still kept for the other");
                     ::kill(pid, SIGKILL);
                     confirm(pid, 1);
                   })
        == "");
}

TEST_CASE("memory that is kept goes back with its process") {
  CHECK(in_new_run({},
                   [] {
                     warm_up(1);
                     const auto base = bytes_of_objects();
                     for (const bool killed : {false, true}) {
                       const auto pid = fork_into_slot(1, [&] {
                         make_frame().reset();
                         if (killed)
                           ::raise(SIGKILL);
                       });
                       confirm(pid, 1);
                       expect_nothing_left(base, "after its process");
                     }
                   })
        == "");
}

TEST_CASE("a million small objects take 256 bytes each") {
  CHECK(in_new_run({},
                   [] {
                     warm_up(0);
                     const auto base = bytes_of_objects();
                     constexpr std::uint64_t million = 1'000'000;
                     std::vector<reference> all;
                     all.reserve(million);
                     for (std::uint64_t count = 0; count < million; ++count)
                       all.push_back(reference::create(kind, 128));
                     expect(reserved() == million * 256,
                            std::to_string(reserved()));
                     // And 8 bytes in the table of who holds it.
                     expect(bytes_of_objects() - base < million * 276,
                            std::to_string(bytes_of_objects() - base));
                     all.clear();
                     warm_memory::give_back_own();
                     expect(reserved() == 0, "bytes stay reserved");
                     // The handle table stays until its process ends.
                     expect(bytes_of_objects() - base < million * 17,
                            std::to_string(bytes_of_objects() - base));
                   })
        == "");
}
