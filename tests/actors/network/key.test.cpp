// SPDX-License-Identifier: BSL-1.0
#include <troupe/base/error.hpp>
#include <troupe/network/address.hpp>
#include <troupe/network/connection.hpp>
#include <troupe/network/credentials.hpp>
#include <troupe/network/key.hpp>
#include <troupe/network/limits.hpp>
#include <troupe/network/listener.hpp>
#include <troupe/os/tcp.hpp>

#include <doctest/doctest.h>

#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

using troupe::network::address;
using troupe::network::connection;
using troupe::network::credentials;
using troupe::network::key;
using troupe::network::limits;
using troupe::network::listener;
using troupe::network::service;
using namespace std::chrono_literals;

namespace {

service echo() {
  return {[](std::uint64_t, troupe::bytes_view request,
             service::reply_function reply) { reply(request); },
          {},
          [](std::uint64_t) {}};
}

template <class T>
concept printable
  = requires(std::ostream& out, const T& value) { out << value; };

} // namespace

TEST_CASE("an address is loopback unless told otherwise") {
  CHECK(address{4242}.host() == "127.0.0.1");
  CHECK(address{}.port() == 0);
  CHECK(to_string(address{"::1", 4242}) == "[::1]:4242");
}

TEST_CASE("who listens at the address by default is reached there and nowhere "
          "else") {
  const key shared{"a key for tests only"};
  const listener door{address{}, shared, echo()};
  connection line{door.where(), shared};
  CHECK(line.ask({}).empty());
  // Of this machine too, and of its loopback, but another address.
  CHECK_THROWS_AS(static_cast<void>(
                    troupe::os::connect_tcp("127.0.0.2", door.where().port(),
                                            troupe::deadline::after(20s))),
                  troupe::os_failure);
  // One that listens everywhere is reached there.
  const listener wide{address{"0.0.0.0", 0}, shared, echo()};
  CHECK(troupe::os::connect_tcp("127.0.0.2", wide.where().port(),
                                troupe::deadline::after(20s)));
}

TEST_CASE("limits are what the pages say unless told otherwise") {
  CHECK(limits{}.silence == 10s);
  CHECK(limits{}.handshake == 5s);
  CHECK(limits{}.strangers == 64);
  CHECK(limits{}.clients == 256);
}

TEST_CASE("an address is read as it is written") {
  for (const std::string text :
       {"127.0.0.1:4242", "[::1]:1", "host.example:65535"})
    CHECK(to_string(address::parse(text)) == text);
  CHECK(address::parse("4242") == address{4242});
  for (const std::string text :
       {"", "host", "host:", ":1", "host:65536", "::1:4242", "host:12x"})
    CHECK_THROWS_AS(static_cast<void>(address::parse(text)),
                    troupe::invalid_argument);
}

TEST_CASE("a short key is refused, and a key cannot be printed") {
  CHECK_THROWS_AS(key{"fifteen letters"}, troupe::invalid_argument);
  CHECK(key{"sixteen letters!"}.reveal() == "sixteen letters!");
  CHECK_FALSE(printable<key>);
  CHECK(key::random().reveal().size() == 64);
  CHECK(key::random().reveal() != key::random().reveal());
}

TEST_CASE("a key is what its file holds, without the line's end") {
  const auto path = std::filesystem::temp_directory_path()
                    / ("troupe-key-" + std::to_string(::getpid()));
  std::ofstream{path} << "sixteen letters!\n";
  std::filesystem::permissions(path, std::filesystem::perms::owner_read
                                       | std::filesystem::perms::owner_write);
  const auto secret = std::string{key::from_file(path.string()).reveal()};
  std::filesystem::remove(path);
  CHECK(secret == "sixteen letters!");
  CHECK_THROWS_AS(static_cast<void>(key::from_file(path.string())),
                  troupe::os_failure);
}

TEST_CASE("the error about a short key does not tell it") {
  try {
    key{"hush-hush"};
    FAIL("it was taken");
  } catch (const troupe::invalid_argument& refused) {
    CHECK(std::string{refused.what()}.find("hush") == std::string::npos);
  }
}

TEST_CASE(
  "both ends derive the same pair from a key, and another from another") {
  const key shared{"the same on both ends"};
  const credentials here{shared};
  const credentials there{shared};
  const credentials other{key{"the Same on both ends"}};
  CHECK(::X509_cmp(here.certificate(), there.certificate()) == 0);
  CHECK(::X509_cmp(here.certificate(), other.certificate()) != 0);
  CHECK(::EVP_PKEY_eq(here.private_key(), there.private_key()) == 1);
  CHECK(::EVP_PKEY_eq(here.private_key(), other.private_key()) == 0);
}

TEST_CASE("a pair is derived once while it is in use, and for each key") {
  const auto first = credentials::of(key{"the same on both ends"});
  CHECK(credentials::of(key{"the same on both ends"}) == first);
  CHECK(credentials::of(key{"the Same on both ends"}) != first);
  CHECK(credentials::of(key{"the same on both end"}) != first);
}

TEST_CASE("the key and what is derived from it are in no file of a disk") {
  namespace files = std::filesystem;
  const key shared{"a key for tests only"};
  // Whoever wanted to write one would do it here.
  const auto folder = files::temp_directory_path()
                      / ("troupe-no-file-" + std::to_string(::getpid()));
  REQUIRE(files::create_directory(folder));
  const auto before = files::current_path();
  files::current_path(folder);
  ::setenv("TMPDIR", folder.c_str(), 1);
  ::setenv("HOME", folder.c_str(), 1);
  {
    const listener door{address{}, shared, echo()};
    connection line{door.where(), shared};
    CHECK(line.ask({}).empty());
    CHECK(files::is_empty(folder));
    // Nor is one open that has lost its name.
    for (const auto& each : files::directory_iterator{"/proc/self/fd"}) {
      std::error_code gone;
      const auto target = files::read_symlink(each.path(), gone).string();
      CAPTURE(target);
      CHECK_FALSE(target.starts_with(folder.string()));
    }
  }
  CHECK(files::is_empty(folder));
  files::current_path(before);
  files::remove_all(folder);
}
