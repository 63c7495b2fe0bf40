// SPDX-License-Identifier: BSL-1.0
#include <troupe/memory/run_memory.hpp>

#include "scratch_run.hpp"

#include <troupe/base/error.hpp>
#include <troupe/os/memory_file.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <fstream>
#include <string>

#include <sys/mman.h>
#include <sys/resource.h>

using namespace troupe;
using namespace troupe::test;
using memory::run_memory;

TEST_CASE("a process without a run is told what to do") {
  REQUIRE_FALSE(run_memory::exists());
  CHECK_THROWS_AS(static_cast<void>(run_memory::current()), invalid_state);
}

TEST_CASE("a process belongs to one run only") {
  CHECK(in_new_run({}, [] { run_memory::create({}); }).find("already")
        != std::string::npos);
}

TEST_CASE("a new run uses a few pages of its terabyte") {
  CHECK(in_new_run({},
                   [] {
                     expect(run_memory::current().used_bytes() <= 16 * 4096,
                            std::to_string(run_memory::current().used_bytes()));
                   })
        == "");
}

TEST_CASE("less address space than asked for serves too") {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  return; // A sanitizer needs more of it than any limit.
#else
  CHECK(in_new_run({}, [] {}) == "");
  for (const rlim_t most : {1ULL << 33, 1ULL << 30}) {
    CAPTURE(most);
    const auto pid = ::fork();
    if (pid == 0) {
      const rlimit tight{most, most};
      ::setrlimit(RLIMIT_AS, &tight);
      const auto result = in_new_run({}, [most] {
        expect(run_memory::current().header().size < most, "not halved");
        static_cast<void>(
          memory::reference::create(memory::object_kind::user, 1));
        static_cast<void>(
          memory::reference::create(memory::object_kind::user, most / 8));
      });
      std::fputs(result.c_str(), stderr);
      ::_exit(result.empty() ? 0 : 1);
    }
    int status = 0;
    ::waitpid(pid, &status, 0);
    CHECK(status == 0);
  }
#endif
}

TEST_CASE("the file of a run has no name and is nowhere to be found") {
  CHECK(in_new_run({},
                   [] {
                     std::ifstream maps{"/proc/self/maps"};
                     int found = 0;
                     for (std::string line; std::getline(maps, line);)
                       if (line.find("troupe-run") != line.npos) {
                         ++found;
                         expect(line.find("/memfd:troupe-run (deleted)")
                                  != line.npos,
                                line);
                       }
                     expect(found > 0, "not mapped");
                   })
        == "");
}

TEST_CASE("nobody can shrink the memory under the others") {
  CHECK(in_new_run({},
                   [] {
                     expect(::ftruncate(run_memory::current().file(), 4096)
                              != 0,
                            "shrunk");
                   })
        == "");
}

TEST_CASE("a descriptor that is no run's memory is refused") {
  const auto attach = [](const char* what, auto change) {
    CAPTURE(what);
    auto file = os::make_memory_file("not-a-run", 1 << 20);
    change(file.get());
    CHECK_THROWS_AS(run_memory::attach(std::move(file)), malformed_bytes);
    CHECK_FALSE(run_memory::exists());
  };
  attach("zeros", [](int) {});
  attach("the right magic and nothing else", [](int fd) {
    const auto magic = memory::run_header::right_magic;
    CHECK(::pwrite(fd, &magic, sizeof magic, 0) == sizeof magic);
  });
  attach("a wrong size", [](int fd) {
    memory::run_header header;
    header.magic = memory::run_header::right_magic;
    header.size = 1 << 21;
    CHECK(::pwrite(fd, &header, sizeof header, 0) == sizeof header);
  });
}

TEST_CASE("a slot's generation tells its processes apart") {
  CHECK(in_new_run({},
                   [] {
                     auto& memory = run_memory::current();
                     auto& slot = memory.slot(3);
                     slot.generation = 5;
                     slot.state = static_cast<std::uint32_t>(
                       memory::slot_state::running);
                     expect(memory.find({3, 5}) == &slot, "the present one");
                     expect(memory.find({3, 4}) == nullptr, "an earlier one");
                     expect(memory.find({1 << 20, 5}) == nullptr,
                            "no such slot");
                   })
        == "");
}
