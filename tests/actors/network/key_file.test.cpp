// SPDX-License-Identifier: BSL-1.0

// Files that hold a key, and those that do not; and what is left of a key.

#include <troupe/base/error.hpp>
#include <troupe/memory/run_memory.hpp>
#include <troupe/network/connect.hpp>
#include <troupe/network/credentials.hpp>
#include <troupe/network/key.hpp>
#include <troupe/network/publish.hpp>
#include <troupe/shared/buffer.hpp>
#include <troupe/state/state.hpp>

#include <support/folder.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <new>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <malloc.h>
#include <sys/stat.h>
#include <unistd.h>

namespace fs = std::filesystem;

using troupe::network::credentials;
using troupe::network::key;
using troupe::test::folder;

namespace {

constexpr char veil = 0x55;

/// What is looked for, veiled, so that it is not found here.
std::string& veiled() {
  static std::string text;
  return text;
}

std::string veil_of(std::string_view text) {
  std::string result;
  for (const char each : text)
    result.push_back(static_cast<char>(each ^ veil));
  return result;
}

std::size_t found_in(std::string_view memory) {
  const auto& wanted = veiled();
  std::size_t result = 0;
  for (std::size_t at = 0; at + wanted.size() <= memory.size(); ++at) {
    std::size_t same = 0;
    while (same < wanted.size() && (memory[at + same] ^ veil) == wanted[same])
      ++same;
    result += same == wanted.size() ? 1 : 0;
  }
  return result;
}

/// Whether freed memory is looked at, and how often the key was in it.
std::atomic<bool> watching{false};
std::atomic<std::size_t> freed_with_key{0};

void give_back(void* block) noexcept {
  if (watching.exchange(false)) {
    freed_with_key += found_in(
      {static_cast<const char*>(block), ::malloc_usable_size(block)});
    watching.store(true);
  }
  std::free(block);
}

/// Replaces the key in it, and returns the path.
std::string key_file(const folder& in, const std::string& text,
                     mode_t mode = 0600) {
  return in.file("key", text, fs::perms{mode});
}

/// The text of the `invalid_argument` by which a file is refused.
std::string refusal_of(const std::string& path) {
  try {
    static_cast<void>(key::from_file(path));
  } catch (const troupe::invalid_argument& refused) {
    return refused.what();
  }
  return "it was taken";
}

/// How often the key is in the memory of the run.
std::size_t found_in_run() {
  const int fd = troupe::memory::run_memory::current().file();
  std::size_t result = 0;
  for (off_t at = 0; (at = ::lseek(fd, at, SEEK_DATA)) >= 0;) {
    const auto end = ::lseek(fd, at, SEEK_HOLE);
    std::vector<char> bytes(static_cast<std::size_t>(end - at));
    const auto size = ::pread(fd, bytes.data(), bytes.size(), at);
    if (size > 0)
      result += found_in({bytes.data(), static_cast<std::size_t>(size)});
    at = end;
  }
  return result;
}

} // namespace

// Of the whole program: memory that is given back may be looked at.
void* operator new(std::size_t size) {
  if (void* block = std::malloc(size == 0 ? 1 : size))
    return block;
  throw std::bad_alloc{};
}

void operator delete(void* block) noexcept {
  give_back(block);
}

void operator delete(void* block, std::size_t) noexcept {
  give_back(block);
}

TEST_CASE("a key is read from a file that is its user's alone") {
  const folder here;
  CHECK(key::from_file(key_file(here, "sixteen letters!\r\n")).reveal()
        == "sixteen letters!");
  CHECK(key::from_file(key_file(here, "sixteen letters!", 0400)).reveal()
        == "sixteen letters!");
  const std::string longest(key::most_in_file, 'x');
  CHECK((key::from_file(key_file(here, longest)).reveal() == longest));
}

TEST_CASE("a file that others may read or change is refused") {
  const folder here;
  for (const mode_t mode : {0644U, 0640U, 0604U, 0620U, 0602U}) {
    CAPTURE(mode);
    const auto path = key_file(here, "sixteen letters!", mode);
    const auto text = refusal_of(path);
    CHECK(text.starts_with("read a key from " + path
                           + ": others may read or change it: its mode is 06"));
    CHECK(text.ends_with("; chmod 600 " + path));
  }
}

TEST_CASE("another user's file is refused") {
  const folder here;
  const auto path = key_file(here, "sixteen letters!");
  if (::chown(path.c_str(), 12345, static_cast<gid_t>(-1)) != 0) {
    MESSAGE("skipped: only root gives a file away");
    return;
  }
  CHECK(refusal_of(path).find("it is user 12345's") != std::string::npos);
}

TEST_CASE("what is no regular file is refused, and not waited for") {
  const folder here;
  CHECK(refusal_of(here.path().string())
        == "read a key from " + here.path().string()
             + ": it is a directory; name a regular file");
  const auto pipe = here.path().string() + "/pipe";
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  CHECK(refusal_of(pipe).find("it is a named pipe") != std::string::npos);
  CHECK(refusal_of("/dev/zero").find("it is a device") != std::string::npos);
}

TEST_CASE("a huge file is refused without being read, and an empty one") {
  const folder here;
  const auto path = key_file(here, "sixteen letters!");
  fs::resize_file(path, std::uintmax_t{1} << 40);
  CHECK(refusal_of(path)
        == "read a key from " + path
             + ": it has more than 4096 bytes; name a file that holds a key "
               "and nothing else");
  for (const std::string nothing : {"", "\n", "\r\n\n"})
    CHECK(refusal_of(key_file(here, nothing)).find("it is empty")
          != std::string::npos);
  CHECK(refusal_of(key_file(here, "hush-hush\n"))
        == "read a key from " + path
             + ": it has less than 16 bytes; write what "
               "network::key::random().reveal() gives into it");
}

TEST_CASE("a file that is missing is named") {
  const folder here;
  const auto path = here.path().string() + "/none";
  try {
    static_cast<void>(key::from_file(path));
    FAIL("it was read");
  } catch (const troupe::os_failure& failure) {
    CHECK(failure.os_error() == ENOENT);
    CHECK(std::string{failure.what()}
          == "read a key from " + path
               + ": No such file or directory; name a file that exists");
  }
}

TEST_CASE("no memory is given back with a key in it") {
  veiled() = veil_of(key::random().reveal());
  const folder here;
  const auto path = key_file(here, veil_of(veiled()));
  freed_with_key = 0;
  watching = true;
  // That one is found which is not wiped.
  {
    const std::string plain = veil_of(veiled());
  }
  const auto plainly = freed_with_key.exchange(0);
  {
    const auto shared = key::from_file(path);
    const auto copy = shared;
    const credentials derived{copy};
  }
  watching = false;
  CHECK(plainly >= 1);
  CHECK(freed_with_key == 0);
}

TEST_CASE("a key that a state was given stands in no shared memory") {
  const auto shared = key::random();
  veiled() = veil_of(shared.reveal());
  {
    // That one is found which is there.
    const troupe::buffer plain{std::as_bytes(std::span{shared.reveal()})};
    CHECK(found_in_run() == 1);
    std::fill(plain.begin(), plain.end(), std::byte{});
  }
  const troupe::state state;
  const auto where = troupe::network::publish(state, troupe::network::address{},
                                              shared);
  CHECK(where.port() != 0);
  // It has the key all the same.
  {
    const auto far = troupe::connect(where, shared);
    CHECK_THROWS_AS(static_cast<void>(
                      troupe::connect(where, key{"another key for tests"})),
                    troupe::error);
  }
  CHECK(found_in_run() == 0);
  CHECK(troupe::network::unpublish(state, where));
}
