// SPDX-License-Identifier: BSL-1.0
#include <troupe/process/run_command.hpp>

#include <troupe/base/error.hpp>
#include <troupe/os/process_id.hpp>

#include <support/eventually.hpp>
#include <support/folder.hpp>
#include <support/processes.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace fs = std::filesystem;

using namespace std::chrono_literals;
using troupe::run_command;
using troupe::test::eventually;
using troupe::test::folder;
using troupe::test::running_with;

namespace {

troupe::command_result shell(const std::string& script,
                             troupe::command_options options = {}) {
  return run_command({"sh", "-c", script}, std::move(options));
}

void run(const std::vector<std::string>& command,
         troupe::command_options options = {}) {
  static_cast<void>(run_command(command, std::move(options)));
}

/// The errno and the text of the `os_failure` that `run` ends by.
template <class Run>
std::pair<int, std::string> failure_of(Run run) {
  try {
    static_cast<void>(run());
  } catch (const troupe::os_failure& failure) {
    return {failure.os_error(), failure.what()};
  }
  return {};
}

bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

/// Children of this process that have ended and that nobody has reaped.
std::size_t zombies() {
  std::size_t result = 0;
  for (const auto& thread : fs::directory_iterator{"/proc/self/task"}) {
    std::ifstream list{thread.path() / "children"};
    for (std::string child; list >> child;) {
      std::ifstream file{"/proc/" + child + "/stat"};
      std::string line;
      if (std::getline(file, line) && holds(line, ") Z "))
        ++result;
    }
  }
  return result;
}

} // namespace

TEST_CASE("a command gives its output, its error output and its exit code") {
  const auto result = shell("echo out; echo first >&2; echo last >&2; exit 3");
  CHECK(result.output == "out\n");
  CHECK(result.error_output == "first\nlast\n");
  CHECK(result.status.exited());
  CHECK(result.status.code() == 3);
  CHECK(result.status.last_lines() == "first\nlast\n");
  CHECK_FALSE(result.success());
  CHECK(run_command({"true"}).success());
}

TEST_CASE("words are passed as they are, and no shell sees them") {
  const auto result
    = run_command({"printf", "%s|", "a b", "$HOME", "*", "", "'"});
  CHECK(result.output == "a b|$HOME|*||'|");
}

TEST_CASE("a command that a signal ends tells which") {
  const auto result = shell("kill -TERM $$");
  CHECK(result.status.signal() == SIGTERM);
  CHECK(result.status.description() == "killed by SIGTERM (15)");
}

TEST_CASE("much input and much output at the same time do not wait for each "
          "other") {
  std::string input;
  for (int i = 0; input.size() < (std::size_t{20} << 20); ++i)
    input += std::to_string(i) + '\n';
  const auto result = run_command({"sh", "-c", "tee /dev/stderr"},
                                  {.limit = 60s, .input = input});
  CHECK(result.success());
  CHECK((result.output == input));
  CHECK((result.error_output == input));
}

TEST_CASE("a command that does not read its input is not waited for, and "
          "raises no SIGPIPE") {
  const std::string much(std::size_t{4} << 20, 'x');
  CHECK(run_command({"true"}, {.input = much}).success());
  CHECK(shell("head -c 3", {.input = much}).output == "xxx");
  // As with a pipe of a shell, that it goes on without reading is its affair.
  CHECK(shell("exec <&-; echo on", {.input = much}).output == "on\n");
}

TEST_CASE("without input a command reads nothing") {
  CHECK(run_command({"cat"}).output.empty());
}

TEST_CASE("a program that does not exist is named in the error") {
  const auto [error, text]
    = failure_of([] { return run_command({"no-such-program", "x"}); });
  CHECK(error == ENOENT);
  CHECK(text
        == "run no-such-program: No such file or directory; no directory "
           "of PATH has it: install it, or name it by its path");
  CHECK(failure_of([] { return run_command({"/no/such/program"}); }).first
        == ENOENT);
}

TEST_CASE("what cannot be executed says why") {
  const folder here;
  const auto all = fs::perms::owner_all;
  const auto plain = here.file("plain", "echo", fs::perms::owner_read);
  CHECK(failure_of([&] { return run_command({plain}); }).first == EACCES);
  CHECK(failure_of([&] { return run_command({here.path()}); }).first == EACCES);
  const auto orphan = here.file("orphan", "#!/no/interpreter\n", all);
  const auto [error, text] = failure_of([&] { return run_command({orphan}); });
  CHECK(error == ENOENT);
  CHECK(holds(text, "the interpreter that its first line names"));
  const auto bare = here.file("bare", "echo bare\n", all);
  CHECK(failure_of([&] { return run_command({bare}); }).first == ENOEXEC);
  CHECK(run_command({"sh", bare}).output == "bare\n");
  const auto long_one = failure_of([&] {
    return run_command({"true", std::string(std::size_t{1} << 20, 'x')});
  });
  CHECK(long_one.first == E2BIG);
  CHECK(holds(long_one.second, "command_options::input"));
}

TEST_CASE("a command that makes no sense is refused") {
  CHECK_THROWS_AS(run({}), troupe::invalid_argument);
  CHECK_THROWS_AS(run({""}), troupe::invalid_argument);
  CHECK_THROWS_AS(run({"echo", std::string{"a\0b", 3}}),
                  troupe::invalid_argument);
  CHECK_THROWS_AS(run({"env"}, {.environment = {"=1"}}),
                  troupe::invalid_argument);
}

TEST_CASE("a command runs in the directory that is named, and its relative "
          "path is of there") {
  const folder here;
  here.file("tool", "#!/bin/sh\npwd\n", fs::perms::owner_all);
  const auto where = fs::canonical(here.path()).string() + "\n";
  CHECK(run_command({"pwd"}, {.directory = here.path()}).output == where);
  CHECK(run_command({"./tool"}, {.directory = here.path()}).output == where);
  CHECK(run_command({"pwd"}).output == fs::current_path().string() + "\n");
  const auto [error, text]
    = failure_of([] { return run_command({"ls"}, {.directory = "/no/such"}); });
  CHECK(error == ENOENT);
  CHECK(holds(text, "run ls in the directory /no/such: No such file"));
}

TEST_CASE("a command has the environment of its caller, as it is told to "
          "change it") {
  ::setenv("TEST_COMMAND_KEPT", "kept", 1);
  ::setenv("TEST_COMMAND_GONE", "gone", 1);
  const auto result
    = shell("echo $TEST_COMMAND_KEPT,$TEST_COMMAND_GONE,$TEST_COMMAND_NEW",
            {.environment = {"TEST_COMMAND_NEW=new", "TEST_COMMAND_GONE"}});
  CHECK(result.output == "kept,,new\n");
  const folder here;
  here.file("own-tool", "#!/bin/sh\necho own\n", fs::perms::owner_all);
  CHECK(
    run_command({"own-tool"}, {.environment = {"PATH=" + here.path().string()}})
      .output
    == "own\n");
  ::unsetenv("TEST_COMMAND_KEPT");
  ::unsetenv("TEST_COMMAND_GONE");
}

TEST_CASE("a command inherits no descriptor but 0 to 2") {
  const int own = ::open("/dev/null", O_RDONLY);
  REQUIRE(own > 2);
  REQUIRE(::dup2(own, 100) == 100);
  CHECK(shell("ls /proc/$$/fd").output == "0\n1\n2\n");
  ::close(own);
  ::close(100);
}

TEST_CASE("a command begins with no signal blocked or ignored") {
  sigset_t blocked;
  sigset_t before;
  sigfillset(&blocked);
  ::pthread_sigmask(SIG_BLOCK, &blocked, &before);
  const auto old = std::signal(SIGPIPE, SIG_IGN);
  const auto text = run_command({"cat", "/proc/self/status"}).output;
  std::signal(SIGPIPE, old);
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  CHECK(holds(text, "SigBlk:\t0000000000000000\n"));
  CHECK(holds(text, "SigIgn:\t0000000000000000\n"));
}

TEST_CASE("a command that closes its output goes on, and its end is waited "
          "for") {
  const folder here;
  const auto file = (here.path() / "written").string();
  const auto result
    = shell("exec >&- 2>&-; sleep 0.05; : > " + file + "; exit 7");
  CHECK(result.status.code() == 7);
  CHECK(fs::exists(file));
}

TEST_CASE("what a command leaves in the background is not waited for, and "
          "killed") {
  const auto mark = troupe::test::unique_seconds();
  const auto result = shell("sleep " + mark + " & echo begun", {.limit = 60s});
  CHECK(result.success());
  CHECK(result.output == "begun\n");
  CHECK(eventually([&] { return running_with(mark) == 0; }));
}

TEST_CASE("a command that is out of time is killed with all that it has "
          "started, in whatever session") {
  const auto mark = troupe::test::unique_seconds();
  const auto sleep = "sleep " + mark;
  // In its group; in a session of its own; the same without a parent.
  const auto script = sleep + " & setsid " + sleep + " & setsid sh -c '" + sleep
                      + " & exit' ; " + sleep;
  std::atomic<bool> all_began{false};
  std::stop_source too_late;
  std::thread watcher{[&] {
    all_began = eventually(
      [&] { return running_with("sleep" + std::string(1, '\0') + mark) == 4; });
    too_late.request_stop();
  }};
  CHECK_THROWS_AS(shell(script, {.stop = too_late.get_token()}),
                  troupe::cancelled);
  watcher.join();
  CHECK(all_began);
  CHECK(eventually([&] { return running_with(mark) == 0; }));
  try {
    static_cast<void>(shell(script, {.limit = 50ms}));
    FAIL("it was not limited");
  } catch (const troupe::timed_out& late) {
    // On a busy machine before it has begun.
    CHECK(holds(late.what(), "run sh: it"));
    CHECK(holds(late.what(), "; raise command_options::limit"));
  }
  CHECK(eventually([&] { return running_with(mark) == 0; }));
}

TEST_CASE("a command that writes without end is out of time as well, or over "
          "its limit") {
  CHECK_THROWS_AS(run({"yes"}, {.output_limit = 1 << 20}),
                  troupe::limit_reached);
  CHECK_THROWS_AS(shell("exec yes >&2", {.output_limit = 1 << 20}),
                  troupe::limit_reached);
  CHECK_THROWS_AS(shell("while :; do echo; done", {.limit = 100ms}),
                  troupe::timed_out);
  CHECK(run_command({"head", "-c", "1048576", "/dev/zero"},
                    {.output_limit = 1 << 20})
          .output.size()
        == 1 << 20);
}

TEST_CASE("a command whose caller was asked to stop, or has no time, does not "
          "begin") {
  std::stop_source source;
  source.request_stop();
  CHECK_THROWS_AS(run({"true"}, {.stop = source.get_token()}),
                  troupe::cancelled);
  CHECK_THROWS_AS(run({"true"}, {.limit = -1s}), troupe::timed_out);
}

TEST_CASE("a program that is still being written is waited for, for a while") {
  const folder here;
  const auto tool = (here.path() / "tool").string();
  fs::copy_file("/bin/true", tool);
  int writing = ::open(tool.c_str(), O_WRONLY | O_CLOEXEC);
  REQUIRE(writing >= 0);
  const auto [error, text] = failure_of([&] { return run_command({tool}); });
  CHECK(error == ETXTBSY);
  CHECK(holds(text, "close the file after it was written"));
  std::thread closer{[&] {
    // Time: several tries of the caller.
    std::this_thread::sleep_for(20ms);
    ::close(writing);
  }};
  CHECK(run_command({tool}).success());
  closer.join();
}

TEST_CASE("many threads run commands at a time, and no zombie stays") {
  std::vector<std::thread> threads;
  std::atomic<int> right{0};
  for (int each = 0; each < 8; ++each)
    threads.emplace_back([&, each] {
      for (int turn = 0; turn < 10; ++turn) {
        const auto text = std::to_string(each) + ' ' + std::to_string(turn);
        if (run_command({"cat"}, {.input = text}).output == text)
          ++right;
      }
    });
  for (auto& each : threads)
    each.join();
  CHECK(right == 80);
  CHECK(eventually([] { return zombies() == 0; }));
}

TEST_CASE("where the system reaps children itself, a command ends, and its "
          "status is said to be lost") {
  struct sigaction ignore{};
  struct sigaction before{};
  ignore.sa_handler = SIG_IGN;
  ::sigaction(SIGCHLD, &ignore, &before);
  const auto result = shell("echo out; exit 3");
  ::sigaction(SIGCHLD, &before, nullptr);
  CHECK(result.output == "out\n");
  CHECK(result.status.code() == -255);
  CHECK(holds(result.status.description(), "ignores SIGCHLD"));
}
