// SPDX-License-Identifier: BSL-1.0
#include <troupe/memory/limits.hpp>

#include "scratch_run.hpp"

#include <troupe/base/error.hpp>

#include <doctest/doctest.h>

#include <vector>

using namespace troupe;
using namespace troupe::test;
using memory::object_kind;
using memory::reference;
using memory::run_memory;

namespace {

constexpr auto kind = object_kind::user;

/// Creates objects of `size` bytes until a limit is reached; returns them and
/// expects that the error names `member`.
std::vector<reference> fill(std::uint64_t size, const std::string& member) {
  std::vector<reference> made;
  for (;;) {
    try {
      made.push_back(reference::create(kind, size));
      made.back().data()[0] = static_cast<std::byte>(made.size());
    } catch (const limit_reached& failure) {
      const std::string what = failure.what();
      expect(what.find("limits::" + member) != what.npos,
             "the error does not name limits::" + member + ": " + what);
      return made;
    }
  }
}

void expect_unharmed(const std::vector<reference>& made) {
  for (std::size_t at = 0; at < made.size(); ++at)
    expect(made[at].data()[0] == static_cast<std::byte>(at + 1),
           "object " + std::to_string(at) + " changed");
}

} // namespace

TEST_CASE("reaching the limit of memory is an error that loses nothing") {
  CHECK(in_new_run({.memory = 1 << 20},
                   [] {
                     auto made = fill(60'000, "memory");
                     expect(made.size() == 16,
                            "of 16 objects of 15 pages and a head there are "
                              + std::to_string(made.size()));
                     expect_unharmed(made);
                     // One gone is room for one.
                     made.pop_back();
                     made.push_back(reference::create(kind, 60'000));
                     made.clear();
                     expect(fill(60'000, "memory").size() == 16,
                            "less room than before");
                   })
        == "");
}

TEST_CASE("reaching the limit of address space is an error that loses "
          "nothing") {
  CHECK(
    in_new_run({.address_space = 1ULL << 26, .processes = 64, .handles = 1024},
               [] {
                 const auto made = fill(1 << 20, "address_space");
                 expect(made.size() > 32, "too few");
                 expect_unharmed(made);
                 // A smaller one may still fit.
                 static_cast<void>(reference::create(kind, 1));
               })
    == "");
}

TEST_CASE("reaching the limit of handles is an error that loses nothing") {
  CHECK(in_new_run({.handles = 512},
                   [] {
                     auto made = fill(1, "handles");
                     expect(made.size() == 512,
                            "of 512 handles there are "
                              + std::to_string(made.size()));
                     expect_unharmed(made);
                     // A second reference to the same object is no second
                     // handle.
                     static_cast<void>(reference::attach(made[3].id(), kind));
                     made.pop_back();
                     made.push_back(reference::create(kind, 1));
                   })
        == "");
}

TEST_CASE("an object larger than everything is refused") {
  CHECK(in_new_run({},
                   [] {
                     for (const auto size :
                          {std::uint64_t{1} << 50, ~std::uint64_t{0}})
                       try {
                         static_cast<void>(reference::create(kind, size));
                         expect(false, "created");
                       } catch (const limit_reached&) {
                       }
                     static_cast<void>(reference::create(kind, 1));
                   })
        == "");
}

TEST_CASE("limits that make no run are refused") {
  CHECK(in_new_run({.processes = 1}, [] {}).find("limits::processes")
        != std::string::npos);
  CHECK(in_new_run({.processes = 70'000}, [] {}).find("limits::processes")
        != std::string::npos);
  CHECK(in_new_run({.handles = 1}, [] {}).find("limits::handles")
        != std::string::npos);
  CHECK(in_new_run({.address_space = 4096}, [] {}).find("limits::address_space")
        != std::string::npos);
}

TEST_CASE("the most processes still leave room for an object's head") {
  CHECK(in_new_run(
          {.address_space = 1ULL << 36, .processes = 65'536, .handles = 512},
          [] {
            const auto attach_and_die = [](auto where) {
              confirm(fork_into_slot(65'535,
                                     [where] {
                                       const auto mine
                                         = reference::attach(where, kind);
                                       ::raise(SIGKILL);
                                     }),
                      65'535);
            };
            auto made = reference::create(kind, 10);
            attach_and_die(made.id());
            made.reset();
            // Reads, and so takes, the ledger of every slot.
            expect(run_memory::current().reserved_bytes() == 0, "reserved");
            memory::warm_memory::give_back_own();
            const auto base = bytes_of_objects();
            made = reference::create(kind, 10);
            attach_and_die(made.id());
            made.reset();
            expect_nothing_left(base, "after a death");
          })
        == "");
}
