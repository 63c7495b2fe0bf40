// SPDX-License-Identifier: BSL-1.0
#include <troupe/process/process.hpp>

#include <troupe/os/process_id.hpp>

#include <support/eventually.hpp>
#include <support/folder.hpp>
#include <support/launched.hpp>
#include <support/sanitized.hpp>

#include <doctest/doctest.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

using troupe::test::beside_this_program;
using troupe::test::count;
using troupe::test::eventually;
using troupe::test::launched;

namespace {

const std::string role = beside_this_program("inherit_role");

troupe::test::launch_options
with_environment(std::vector<std::string> entries) {
  troupe::test::launch_options options;
  options.environment = std::move(entries);
  return options;
}

bool contains(const launched& program, const std::string& text) {
  return count(program.output(), text) > 0;
}

/// Whether this test may do what needs root; says so if not.
bool is_root() {
  if (::geteuid() == 0)
    return true;
  MESSAGE("skipped: it needs root");
  return false;
}

/// Whether a shell command succeeds here; says so if not.
bool works(const std::string& command) {
  if (is_root() && std::system((command + " >/dev/null 2>&1").c_str()) == 0)
    return true;
  MESSAGE("skipped: it needs " << command);
  return false;
}

const std::vector<std::string> as_nobody{"/usr/bin/setpriv", "--reuid=65534",
                                         "--regid=65534", "--clear-groups"};

std::vector<std::string> nobody_runs(std::vector<std::string> words) {
  words.insert(words.begin(), as_nobody.begin(), as_nobody.end());
  return words;
}

/// A copy of the roles' program that everybody may run, with these rights.
class copied_role {
public:
  explicit copied_role(mode_t mode) {
    ::chmod(folder_.path().c_str(), 0755);
    std::filesystem::copy_file(role, path());
    REQUIRE(::chmod(path().c_str(), mode) == 0);
  }

  [[nodiscard]] std::string path() const {
    return folder_.path() / "role";
  }

private:
  troupe::test::folder folder_;
};

} // namespace

TEST_CASE("children find what the program began with, whatever it changes and "
          "whoever dies") {
  launched program{{"/bin/sh", "-c",
                    "trap '' USR2; umask 027; cd /tmp; exec 7</dev/null; "
                    "exec \"$0\" settings",
                    role},
                   with_environment({"WORD=first"})};
  CHECK(program.wait() == 0);
  INFO(program.output());
  CHECK(count(program.output(), "changed: the same") == 2);
  CHECK(count(program.output(), "replaced: the same") == 6);
  // And the root itself has changed.
  CHECK(contains(program, "root: / umask 73 "));
}

TEST_CASE("what cannot be given again is an error that says so") {
  const copied_role copy{0755};
  launched program{{copy.path(), "hard_limit"}};
  CHECK(program.wait() == 0);
  INFO(program.output());
  CHECK(contains(program, "before: 9"));
  CHECK(contains(program, "status: lost: the fork server cannot be started"));
  CHECK(contains(program, "open files (ulimit -n)"));
}

TEST_CASE("a program that drops its user starts no more, and ends with all it "
          "has started") {
  if (!is_root())
    return;
  launched program{{role, "drops_user"}};
  const int status = program.wait();
  INFO(program.output());
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 5);
  CHECK(contains(program, "refused: start a process: this process had user 0 "
                          "(here 65534)"));
  CHECK(contains(program, "errno 1: send SIGKILL to process process-1"));
  CHECK(contains(program, "errno 1: send SIGTERM to process process-1"));
  CHECK(!contains(program, "sent:"));
  int child = 0;
  int server = 0;
  std::sscanf(program.output().c_str(), "child %d server %d", &child, &server);
  REQUIRE(server > 0);
  CHECK_FALSE(troupe::os::is_running({child, 0}));
  CHECK_FALSE(troupe::os::is_running({server, 0}));
}

TEST_CASE("a child that drops its user starts no more, and its root goes on") {
  if (!is_root())
    return;
  launched program{{role, "child_drops_user"}};
  CHECK(program.wait() == 0);
  CHECK(contains(program, "child: refused: start a process: this process had "
                          "user 0 (here 65534)"));
  CHECK(contains(program, "root: started 9"));
}

TEST_CASE("a program that gives up privileges starts no child that has them") {
  launched program{{role, "gives_up_privileges"}};
  CHECK(program.wait() == 0);
  CHECK(contains(program, "refused: start a process: this process had another "
                          "setting of no_new_privs"));
}

TEST_CASE("rights that are dropped before the program are dropped everywhere") {
  if (!is_root())
    return;
  const copied_role copy{0755};
  launched program{{copy.path(), "dropped_before"}};
  CHECK(program.wait() == 0);
  INFO(program.output());
  CHECK(count(program.output(), " user 65534 65534 group 65534 word") == 2);
}

TEST_CASE(
  "what children leave behind is reaped, and the program's own children "
  "are not") {
  for (const auto* name : {"grandchildren", "orphans"}) {
    CAPTURE(name);
    launched program{{role, name}};
    CHECK(program.wait() == 0);
    INFO(program.output());
    CHECK(contains(program, "zombies 1 kept 1 late 21"));
    CHECK(!contains(program, "child:"));
  }
}

TEST_CASE("a program that becomes a daemon before it is a program works") {
  for (const auto* name : {"daemon", "double_daemon"}) {
    CAPTURE(name);
    launched program{{role, name}};
    // Its output ends when nothing of the run is left.
    program.wait();
    INFO(program.output());
    CHECK(program.output() == "0 1 4 9 16 done\n");
  }
}

TEST_CASE("so does one whose first process waits until it is ready") {
  launched program{{role, "waited_for_daemon"}};
  CHECK(program.wait() == 0);
  INFO(program.output());
  CHECK(count(program.output(), "ready\n") == 1);
  CHECK(contains(program, "16 done\n"));
}

TEST_CASE("both processes of a fork before the program are programs") {
  launched program{{role, "both_go_on"}};
  program.wait();
  CHECK(count(program.output(), "done") == 2);
  CHECK(count(program.output(), "16") == 2);
}

TEST_CASE(
  "a program that another executes before it is a program is no part of "
  "its run") {
  launched program{{role, "executes_before"}};
  CHECK(program.wait() == 0);
  INFO(program.output());
  CHECK(contains(program, "16 done"));
  // In the root, and in each of its fork servers.
  CHECK(count(program.output(), "plain: user ") == 3);
  CHECK(count(program.output(), "started 9") == 3);
}

TEST_CASE("a program that closes what its fork server needs is told") {
  launched program{{role, "closes_before"}};
  CHECK(program.wait() == 0);
  CHECK(contains(program, "close no descriptors before troupe::program"));
  CHECK(contains(program, "the fork server cannot be started"));
}

TEST_CASE("a stranger's variable makes nothing of a program with borrowed "
          "rights") {
  if (!is_root())
    return;
  const copied_role plain{0755};
  const copied_role borrowed{04755};
  launched program{nobody_runs({plain.path(), "forge", borrowed.path()})};
  CHECK(program.wait() == 0);
  INFO(program.output());
  CHECK(contains(program, "plain: user 65534 0 started 9"));
  CHECK(contains(program, "victim ended with 0"));
  // Nonsense is not read either, and neither is any other variable.
  launched nonsense{nobody_runs({borrowed.path(), "plain"}),
                    with_environment(
                      {"TROUPE_SUMMONS=1 2 3",
                       "TROUPE_CRASH_POINT=process.start.reserved"})};
  CHECK(nonsense.wait() == 0);
  CHECK(contains(nonsense, "plain: user 65534 0 started 9"));
}

TEST_CASE("what a variable names must be of the same user") {
  if (!is_root())
    return;
  // Root executes what nobody has prepared: no rights are borrowed.
  const copied_role plain{0755};
  launched program{nobody_runs({plain.path(), "forge", "/usr/bin/true"})};
  CHECK(program.wait() == 0);
  launched other{{role, "plain"},
                 with_environment({"TROUPE_SUMMONS=1 0 0 0 0 0 0 1 2 1"})};
  CHECK(other.wait() != 0);
  CHECK(contains(other, "a descriptor that it names is closed, or of another "
                        "user"));
}

TEST_CASE("a program with borrowed rights has one fork server") {
  if (!is_root())
    return;
  const copied_role borrowed{04755};
  launched program{nobody_runs({borrowed.path(), "killed_plain"})};
  CHECK(program.wait() == 0);
  INFO(program.output());
  CHECK(contains(program, "started 9"));
  CHECK(contains(program, "the fork server cannot be started"));
  CHECK(contains(program, "setuid"));
}

TEST_CASE("the /proc of another PID namespace fools nobody") {
  if (!works("unshare --pid --fork --mount-proc true"))
    return;
  launched program{{"/usr/bin/unshare", "--pid", "--fork", "--mount-proc", role,
                    "begin_foreign"}};
  CHECK(program.wait() == 0);
  CHECK(
    contains(program, "alive 1 killed 1 joined 1 orphan killed by SIGKILL"));
}

TEST_CASE("a /proc that hides processes fools nobody") {
  const std::string hides = "mount -t proc -o hidepid=2 proc /proc";
  if (!works("unshare --mount sh -c '" + hides + "'"))
    return;
  const copied_role copy{0755};
  launched program{{"/usr/bin/unshare", "--mount", "/bin/sh", "-c",
                    hides
                      + " && exec setpriv --reuid=65534 --regid=65534 "
                        "--clear-groups \"$0\" foreign",
                    copy.path()}};
  CHECK(program.wait() == 0);
  CHECK(
    contains(program, "alive 1 killed 1 joined 1 orphan killed by SIGKILL"));
}

TEST_CASE("without /proc a program says what it needs") {
  if (!works("unshare --mount sh -c 'umount -l /proc'"))
    return;
  launched program{{"/usr/bin/unshare", "--mount", "/bin/sh", "-c",
                    "umount -l /proc && exec \"$0\" plain", role}};
  CHECK(program.wait() != 0);
  CHECK((contains(program, "mount /proc") || troupe::test::sanitized));
}

TEST_CASE(
  "a user who may have no more processes or threads is told which limit "
  "it is") {
  // A sanitizer starts a process of its own at the end.
  if (!is_root() || troupe::test::sanitized)
    return;
  const copied_role copy{0755};
  for (int limit = 1; limit < 5; ++limit) {
    CAPTURE(limit);
    // A number that no user of this machine has.
    launched program{
      {"/usr/bin/setpriv", "--reuid=64242", "--regid=64242", "--clear-groups",
       "/bin/bash", "-c",
       "ulimit -u " + std::to_string(limit) + "; exec \"$0\" plain",
       copy.path()}};
    program.wait();
    INFO(program.output());
    CHECK((contains(program, "ulimit -u, now " + std::to_string(limit))
           || contains(program, "started 9")));
    if (limit == 1)
      CHECK(!contains(program, "started 9"));
  }
}

TEST_CASE("a program that finds no address space is told which limit it is") {
  if (troupe::test::sanitized)
    return;
  launched program{
    {"/bin/sh", "-c", "ulimit -v 130000; exec \"$0\" plain", role}};
  CHECK(program.wait() != 0);
  CHECK(contains(program,
                 "bytes of address space: Cannot allocate memory; lift "
                 "the limit of address space (ulimit -v, now 130000)"));
}

TEST_CASE("one gibibyte of address space is enough for a small program") {
  if (troupe::test::sanitized)
    return;
  launched program{
    {"/bin/sh", "-c", "ulimit -v 1048576; exec \"$0\" plain", role}};
  const int status = program.wait();
  INFO(program.output());
  CHECK(status == 0);
}
