// SPDX-License-Identifier: BSL-1.0

// Two and three programs on loopback: who may join, who not, what both ends
// say, and that nothing is left.

#include "together.hpp"

#include <doctest/doctest.h>
#include <support/folder.hpp>
#include <support/sanitized.hpp>

#include <cstdlib>
#include <filesystem>

using namespace troupe::test;

namespace {

/// Makes a stripped copy, which is smaller. False: there is no `strip`.
bool strip(const std::string& from, const std::string& to) {
  const auto command = "strip -o " + to + ' ' + from + " 2>/dev/null";
  if (std::system(command.c_str()) != 0) {
    MESSAGE("there is no strip; skipped");
    return false;
  }
  REQUIRE(std::filesystem::file_size(to) < std::filesystem::file_size(from));
  return true;
}

const std::string with_library = "machine_role_with_library";

/// A folder with a build of the library that `with_library` loads.
class installed {
public:
  explicit installed(const std::string& build) {
    std::filesystem::copy_file(
      std::filesystem::path{TROUPE_LIBRARIES} / (build + ".so"), library());
  }

  /// Options for a program that loads it from there.
  [[nodiscard]] launch_options way() const {
    auto made = with_key();
    made.environment.push_back("LD_LIBRARY_PATH=" + folder_.path().string());
    return made;
  }

  [[nodiscard]] bool strip_it() {
    const auto whole = library() + ".whole";
    std::filesystem::rename(library(), whole);
    return strip(whole, library());
  }

private:
  [[nodiscard]] std::string library() const {
    return (folder_.path() / "libcook.so").string();
  }

  folder folder_;
};

} // namespace

TEST_CASE("a program that joins is a machine of the one that leads, and ends "
          "with it") {
  leading lead{{"square", "7"}};
  joining kitchen{lead.where(), {"--troupe.name=kitchen"}};
  REQUIRE(kitchen.joins());
  CHECK(exited_with(lead.wait(), 0));
  CHECK(lead.output().find("machine kitchen joined") != std::string::npos);
  CHECK(lead.output().find("result 49") != std::string::npos);
  CHECK(lead.output().find("result 7") != std::string::npos);
  CHECK(exited_with(kitchen.wait(), 0));
  CHECK(kitchen.output().find("joined " + lead.where() + " as kitchen")
        != std::string::npos);
  CHECK(leaves_nothing(lead.run()));
  CHECK(leaves_nothing(kitchen.run()));
}

TEST_CASE("a machine may come before its lead") {
  // A port that is free, if nobody takes it meanwhile.
  std::string where;
  {
    leading first{{"none"}};
    where = first.where();
  }
  joining kitchen{where};
  auto command = std::vector<std::string>{beside_this_program("machine_role"),
                                          "--troupe.listen=" + where, "square",
                                          "3"};
  launched lead{command, with_key()};
  CHECK(exited_with(lead.wait(), 0));
  CHECK(lead.output().find("result 9") != std::string::npos);
  CHECK(exited_with(kitchen.wait(), 0));
}

TEST_CASE("machines have names, labels, processors and memory") {
  leading lead{{"list", "3"}};
  joining one{lead.where(),
              {"--troupe.name=kitchen", "--troupe.labels=oven,gpu=2"}};
  REQUIRE(one.joins());
  joining two{lead.where(), {"--troupe.name=cellar"}};
  REQUIRE(two.joins());
  joining three{lead.where()};
  CHECK(exited_with(lead.wait(), 0));
  const auto& text = lead.output();
  CHECK(text.find("machine 1 kitchen labels oven gpu=2 processors=1 memory=1 "
                  "there=1 same=1")
        != std::string::npos);
  CHECK(text.find("machine 2 cellar labels processors=1") != std::string::npos);
  CHECK(text.find("none is called nobody: 1") != std::string::npos);
  CHECK(text.find("timed_out [wait for machine nobody") != std::string::npos);
  for (auto* each : {&one, &two, &three})
    CHECK(exited_with(each->wait(), 0));
}

TEST_CASE("a name that is taken is refused; one that was not wished gets a "
          "number") {
  leading lead{{"none"}};
  joining first{lead.where(), {"--troupe.name=kitchen"}};
  REQUIRE(first.joins());
  joining second{lead.where(), {"--troupe.name=kitchen"}};
  CHECK(exited_with(second.wait(), 3));
  CHECK(second.output().find("refused by " + lead.where()
                             + ": it has a machine kitchen already")
        != std::string::npos);
  CHECK(lead.wait_for("was refused: there is a machine kitchen already"));
  joining third{lead.where()};
  REQUIRE(third.joins());
  joining fourth{lead.where()};
  REQUIRE(fourth.joins());
  CHECK(word_behind(fourth.output(), " as ")
        == word_behind(third.output(), " as ") + "-2");
}

TEST_CASE("another build is refused with a line at both ends and code 3") {
  leading lead{{"none"}};
  joining other{lead.where(), {"--troupe.name=kitchen"}, "machine_role_other"};
  CHECK(exited_with(other.wait(), 3));
  CHECK(count(other.output(), "refused by " + lead.where()
                                + ": it runs another build of machine_role (")
        == 1);
  CHECK(lead.wait_for("(kitchen) was refused: it runs another build of "
                      "machine_role_other ("));
  // And the lead goes on.
  joining same{lead.where()};
  CHECK(same.joins());
}

TEST_CASE("a stripped copy of the same build may join") {
  for (const std::string program :
       {"machine_role", "machine_role_without_id"}) {
    CAPTURE(program);
    const folder place;
    const auto copy = (place.path() / "stripped").string();
    if (!strip(beside_this_program(program), copy))
      return;
    leading lead{{"square", "5"}, {}, program};
    joining stripped{lead.where(), {}, copy};
    CHECK(exited_with(lead.wait(), 0));
    CHECK(lead.output().find("result 25") != std::string::npos);
    CHECK(exited_with(stripped.wait(), 0));
  }
}

TEST_CASE("a library that has functions is of the same build at both ends, or "
          "the machine is refused with a line at both ends and code 3") {
  for (const std::string builds : {"with_id", "without_id"}) {
    CAPTURE(builds);
    const installed here{builds};
    const installed next{builds + "_next"};
    leading lead{{"none"}, {}, with_library, here.way()};
    joining other{
      lead.where(), {"--troupe.name=kitchen"}, with_library, next.way()};
    CHECK(exited_with(other.wait(), 3));
    CHECK(count(other.output(),
                "refused by " + lead.where()
                  + ": it has another build of libcook.so; copy the library\n")
          == 1);
    CHECK(lead.wait_for("(kitchen) was refused: it has another build of "
                        "libcook.so; copy the library there\n"));
    // And the lead goes on.
    joining same{lead.where(), {}, with_library, here.way()};
    CHECK(same.joins());
  }
}

TEST_CASE("functions of a library run on a machine that has the same build of "
          "it, also a stripped one") {
  for (const std::string builds : {"with_id", "without_id"}) {
    CAPTURE(builds);
    const installed here{builds};
    installed there{builds};
    if (!there.strip_it())
      return;
    leading lead{{"cook", "5"}, {}, with_library, here.way()};
    joining kitchen{lead.where(), {}, with_library, there.way()};
    CHECK(exited_with(lead.wait(), 0));
    CHECK(lead.output().find("result 15") != std::string::npos);
    CHECK(exited_with(kitchen.wait(), 0));
  }
}

TEST_CASE("a program without a build id is known by what it has mapped") {
  leading lead{{"square", "5"}, {}, "machine_role_without_id"};
  joining other{lead.where(), {}};
  CHECK(exited_with(other.wait(), 3));
  joining same{lead.where(), {}, "machine_role_without_id"};
  CHECK(exited_with(lead.wait(), 0));
  CHECK(lead.output().find("result 25") != std::string::npos);
  CHECK(exited_with(same.wait(), 0));
}

TEST_CASE("without a key nobody listens and nobody joins") {
  launch_options keyless;
  keyless.environment = {"TROUPE_KEY="};
  for (const auto* option :
       {"--troupe.listen=127.0.0.1:0", "--troupe.join=127.0.0.1:1"}) {
    launched program{{beside_this_program("machine_role"), option, "none"},
                     keyless};
    CHECK(exited_with(program.wait(), 2));
    CHECK(program.output().find("invalid_argument: ") != std::string::npos);
    CHECK(program.output().find("there is no key") != std::string::npos);
  }
}

TEST_CASE("who has another key is refused, and says so") {
  leading lead{{"none"}};
  launch_options other;
  other.environment = {"TROUPE_KEY=another key for tests of machines"};
  joining stranger{lead.where(), {}, "machine_role", other};
  CHECK(exited_with(stranger.wait(), 3));
  CHECK(stranger.output().find("it has not this key") != std::string::npos);
  CHECK(lead.wait_for("it did not show the key"));
}

TEST_CASE("the key may be in a file, which is its user's alone") {
  const folder place;
  const auto path = place.file("key", "a key for tests of machines only\n");
  launch_options keyless;
  keyless.environment = {"TROUPE_KEY="};
  leading lead{{"square", "4"}};
  joining kitchen{
    lead.where(), {"--troupe.key-file=" + path}, "machine_role", keyless};
  CHECK(exited_with(lead.wait(), 0));
  CHECK(exited_with(kitchen.wait(), 0));
  std::filesystem::permissions(path, std::filesystem::perms::all);
  joining open{
    lead.where(), {"--troupe.key-file=" + path}, "machine_role", keyless};
  CHECK(exited_with(open.wait(), 2));
}

TEST_CASE("a machine that finds nobody says so after its join-timeout") {
  joining lonely{"127.0.0.1:1", {"--troupe.join-timeout=1"}};
  CHECK(exited_with(lonely.wait(), 3));
  CHECK(lonely.output().find("nobody leads at 127.0.0.1:1: ")
        != std::string::npos);
}

TEST_CASE(
  "a wrong option is an error of its own type before anything is made") {
  launched program{{beside_this_program("machine_role"), "--troupe.listn=1"},
                   with_key()};
  CHECK(exited_with(program.wait(), 2));
  CHECK(program.output().find("invalid_argument: take the option "
                              "--troupe.listn=1: there is no such option")
        != std::string::npos);
}

TEST_CASE("a program that does not know of machines refuses their options") {
  launched program{{beside_this_program("machine_role_plain"),
                    "--troupe.listen=127.0.0.1:0"},
                   with_key()};
  CHECK(exited_with(program.wait(), 2));
  CHECK(program.output().find("invalid_argument: take the option "
                              "--troupe.listen=127.0.0.1:0: nothing in this "
                              "program takes options of Troupe's")
        != std::string::npos);
  // Behind "--" they are the program's own.
  launched own{{beside_this_program("machine_role_plain"), "a", "--",
                "--troupe.listen=x"},
               with_key()};
  CHECK(exited_with(own.wait(), 0));
  CHECK(own.output().find("arguments: a -- --troupe.listen=x")
        != std::string::npos);
}

TEST_CASE(
  "who uses no machines has no thread and no socket of them, and may not "
  "ask for them") {
  launched plain{{beside_this_program("machine_role"), "list", "1"},
                 with_key()};
  CHECK(exited_with(plain.wait(), 2));
  CHECK(plain.output().find("invalid_state: wait for 1 machines: this program "
                            "leads no machines, and is none")
        != std::string::npos);
  launched idle{{beside_this_program("machine_role"), "none"}, with_key()};
  REQUIRE(idle.wait_for("waiting"));
  std::size_t threads = 0;
  const auto place = std::filesystem::path{"/proc"}
                     / std::to_string(idle.pid());
  for (const auto& each : std::filesystem::directory_iterator{place / "task"}) {
    static_cast<void>(each);
    ++threads;
  }
  // Its own, and the root's guard.
  CHECK(threads == 2 + sanitizer_threads);
  for (const auto& each : std::filesystem::directory_iterator{place / "fd"}) {
    // Its second thread reads files of /proc at times.
    std::error_code gone;
    const auto target = std::filesystem::read_symlink(each, gone).string();
    CAPTURE(target);
    CHECK_FALSE(target.starts_with("socket:"));
  }
}
