// SPDX-License-Identifier: BSL-1.0

// Programs that inheritance.test.cpp runs from outside: `inherit_role ROLE` is
// the root of a run of its own, whose settings or rights change on the way.

#include <troupe/base/error.hpp>
#include <troupe/memory/run_memory.hpp>
#include <troupe/process/inherited_descriptors.hpp>
#include <troupe/process/program.hpp>

#include <support/eventually.hpp>
#include <support/sleeping.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iostream>
#include <map>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

using namespace std::chrono_literals;
using troupe::test::await;
using troupe::test::eventually;
using troupe::test::sleep_for_ever;

constexpr unsigned nobody = 65534;

std::int32_t server() {
  return troupe::memory::run_memory::current().header().fork_server.load();
}

/// Kills the fork server, and waits until another serves.
void kill_server() {
  await([] { return server() != 0; });
  const auto old = server();
  ::kill(old, SIGKILL);
  await([old] { return server() != old; });
}

int square(int number) {
  return number * number;
}

/// What the calling process finds, in words.
std::string what_is_found() {
  std::ostringstream out;
  std::error_code failure;
  out << std::filesystem::current_path(failure).string();
  const auto mask = ::umask(0);
  ::umask(mask);
  out << " umask " << mask << " nice " << ::getpriority(PRIO_PROCESS, 0);
  for (int limit = 0; limit < RLIM_NLIMITS; ++limit) {
    rlimit now{};
    ::getrlimit(static_cast<decltype(RLIMIT_CPU)>(limit), &now);
    out << " limit " << limit << ' ' << now.rlim_cur << ' ' << now.rlim_max;
  }
  cpu_set_t processors;
  CPU_ZERO(&processors);
  ::sched_getaffinity(0, sizeof processors, &processors);
  out << " processors";
  for (int number = 0; number < CPU_SETSIZE; ++number)
    if (CPU_ISSET(number, &processors))
      out << ' ' << number;
  sigset_t blocked;
  ::pthread_sigmask(SIG_SETMASK, nullptr, &blocked);
  for (int signal = 1; signal < 32; ++signal) {
    struct sigaction action{};
    ::sigaction(signal, nullptr, &action);
    if (action.sa_handler == SIG_IGN)
      out << " ignored " << signal;
    if (sigismember(&blocked, signal) == 1)
      out << " blocked " << signal;
  }
  out << " descriptors";
  for (int fd = 3; fd < 256; ++fd)
    if (const int flags = ::fcntl(fd, F_GETFD);
        flags >= 0 && (flags & FD_CLOEXEC) == 0)
      out << ' ' << fd;
  struct stat output{};
  ::fstat(1, &output);
  out << " output " << output.st_dev << ' ' << output.st_ino << " user "
      << ::getuid() << ' ' << ::geteuid() << " group " << ::getgid();
  std::array<gid_t, 256> groups{};
  const int count = ::getgroups(static_cast<int>(groups.size()), groups.data());
  for (int at = 0; at < count; ++at)
    out << ' ' << groups.at(static_cast<std::size_t>(at));
  const char* word = std::getenv("WORD");
  out << " word " << (word != nullptr ? word : "none");
  return out.str();
}

std::string found_by(troupe::start_method method) {
  troupe::start_options options;
  options.method = method;
  return troupe::async<what_is_found>(options).get();
}

/// Changes all that a program may change of itself.
void change_everything() {
  std::filesystem::current_path("/");
  ::umask(0111);
  errno = 0;
  [[maybe_unused]] const int nice = ::nice(3);
  for (const auto limit : {RLIMIT_NOFILE, RLIMIT_CORE, RLIMIT_STACK}) {
    rlimit now{};
    ::getrlimit(limit, &now);
    now.rlim_cur = now.rlim_cur == RLIM_INFINITY ? 1 << 30 : now.rlim_cur / 2;
    ::setrlimit(limit, &now);
  }
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(static_cast<std::size_t>(std::max(::sched_getcpu(), 0)), &one);
  ::sched_setaffinity(0, sizeof one, &one);
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGUSR2, SIG_DFL);
  sigset_t blocked;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGUSR1);
  ::pthread_sigmask(SIG_BLOCK, &blocked, nullptr);
  // Without O_CLOEXEC, and in the place of the standard output.
  static_cast<void>(::open("/dev/null", O_RDONLY));
  ::dup2(::open("/dev/null", O_WRONLY | O_CLOEXEC), 1);
  ::setenv("WORD", "changed", 1);
}

/// What children find before the root has changed, after, and when the fork
/// server was killed besides.
int settings() {
  using enum troupe::start_method;
  const std::array<std::string, 2> first{found_by(fork_server),
                                         found_by(spawn)};
  change_everything();
  const auto report = [&](const char* when) {
    const std::array<std::string, 2> now{found_by(fork_server),
                                         found_by(spawn)};
    for (std::size_t at = 0; at < now.size(); ++at)
      if (now.at(at) == first.at(at))
        std::cerr << when << ": the same\n";
      else
        std::cerr << when << ": " << now.at(at) << "\n instead of "
                  << first.at(at) << '\n';
  };
  report("changed");
  for (int round = 0; round < 3; ++round) {
    kill_server();
    report("replaced");
  }
  std::cerr << "root: " << what_is_found() << std::endl;
  return 0;
}

/// A limit that is lowered for good cannot be given again.
int hard_limit() {
  const rlimit low{128, 128};
  ::setrlimit(RLIMIT_NOFILE, &low);
  const auto old = server();
  std::cout << "before: " << troupe::async<square>(3).get() << std::endl;
  ::kill(server() != 0 ? server() : old, SIGKILL);
  for (;;) {
    const auto child = troupe::start<sleep_for_ever>();
    if (child.pid() == 0) {
      std::cout << "status: " << child.join().description() << std::endl;
      return 0;
    }
    child.kill();
  }
}

std::string what_start_says() {
  try {
    return "started " + std::to_string(troupe::async<square>(3).get());
  } catch (const troupe::invalid_state& refused) {
    return std::string{"refused: "} + refused.what();
  } catch (const troupe::error& failure) {
    return std::string{"failed: "} + failure.what();
  }
}

bool become_nobody() {
  return ::setgroups(0, nullptr) == 0 && ::setgid(nobody) == 0
         && ::setuid(nobody) == 0;
}

/// Drops its user while children run.
int drops_user() {
  troupe::start_options daemon;
  daemon.daemon = true;
  auto child = troupe::start<sleep_for_ever>(daemon);
  auto other = troupe::start<sleep_for_ever>(daemon);
  std::cout << "child " << child.pid() << " server " << server() << std::endl;
  static_cast<void>(other.pid());
  if (!become_nobody())
    return 1;
  std::cout << what_start_says() << std::endl;
  for (const auto signal : {SIGKILL, SIGTERM})
    try {
      const bool sent = child.send_signal(signal);
      std::cout << "sent: " << sent << std::endl;
    } catch (const troupe::os_failure& failure) {
      std::cout << "errno " << failure.os_error() << ": " << failure.what()
                << std::endl;
    }
  other.detach();
  return 5;
}

/// The same in a child, which may start none any more; its root goes on.
int child_drops_user() {
  std::cout << "child: " << troupe::async([] {
                              return become_nobody() ? what_start_says()
                                                     : "kept its user";
                            }).get()
            << "\nroot: " << what_start_says() << std::endl;
  return 0;
}

/// Gives up new privileges, which needs no rights.
int gives_up_privileges() {
  ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  std::cout << what_start_says() << std::endl;
  return 0;
}

/// Its rights were dropped before `program`.
int dropped_before() {
  for (int round = 0; round < 2; ++round) {
    std::cout << "child: " << troupe::async<what_is_found>().get() << std::endl;
    kill_server();
  }
  return 0;
}

/// Zombies among the children of this process.
int zombies() {
  int result = 0;
  for (const auto& thread :
       std::filesystem::directory_iterator{"/proc/self/task"}) {
    std::ifstream list{thread.path() / "children"};
    for (std::int32_t pid = 0; list >> pid;) {
      siginfo_t info{};
      if (::waitid(P_PID, static_cast<id_t>(pid), &info,
                   WEXITED | WNOHANG | WNOWAIT)
            == 0
          && info.si_pid == pid)
        ++result;
    }
  }
  return result;
}

/// Ends the calling process after a while.
[[noreturn]] void end_after(std::chrono::milliseconds delay) {
  // Time: an input; processes end before, while and after others are reaped.
  std::this_thread::sleep_for(delay);
  ::_exit(0);
}

/// Leaves processes behind, which end now and later.
void leave_some() {
  for (const auto delay : {0ms, 1ms, 20ms, 200ms})
    if (::fork() == 0) {
      // Which leave some behind themselves.
      if (::fork() == 0)
        end_after(delay);
      end_after(delay / 2);
    }
  [[maybe_unused]] const int ended = std::system("/bin/sleep 0.05 &");
}

/// What the root's own children end with must reach who waits for them.
bool own_children_are_kept() {
  const auto forked = ::fork();
  if (forked == 0)
    ::_exit(11);
  pid_t spawned = 0;
  const char* words[] = {"/bin/sh", "-c", "exit 12", nullptr};
  ::posix_spawn(&spawned, words[0], nullptr, nullptr, const_cast<char**>(words),
                environ);
  auto* const piped = ::popen("exit 13", "r");
  const bool system = WEXITSTATUS(std::system("exit 14")) == 14;
  // Time: they are zombies for a while, among those that others have left.
  std::this_thread::sleep_for(2ms);
  const auto code_of = [](pid_t pid) {
    int status = 0;
    return ::waitpid(pid, &status, 0) == pid ? WEXITSTATUS(status) : -1;
  };
  return system && code_of(forked) == 11 && code_of(spawned) == 12
         && WEXITSTATUS(::pclose(piped)) == 13;
}

/// Children leave processes behind while the root has children of its own, and
/// the fork server is killed again and again.
int grandchildren(bool kills) {
  bool kept = true;
  // One that is waited for at the very end.
  const auto late = ::fork();
  if (late == 0)
    ::_exit(21);
  std::thread waits{[&] {
    for (int round = 0; round < 60; ++round)
      kept = own_children_are_kept() && kept;
  }};
  for (int round = 0; round < 15; ++round) {
    std::vector<troupe::process> children;
    for (int number = 0; number < 3; ++number)
      children.push_back(troupe::start<leave_some>());
    if (kills)
      kill_server();
    for (auto& child : children)
      if (!child.join().success())
        std::cout << "child: " << child.join().description() << std::endl;
  }
  waits.join();
  static_cast<void>(eventually([] { return zombies() == 1; }, 30s));
  std::cout << "zombies " << zombies() << " kept " << kept;
  int status = 0;
  const bool own = ::waitpid(late, &status, 0) == late;
  std::cout << " late " << (own ? WEXITSTATUS(status) : -1) << std::endl;
  return 0;
}

int squares() {
  for (int number = 0; number < 5; ++number) {
    if (number == 3)
      kill_server();
    std::cout << troupe::async<square>(number).get() << ' ';
  }
  std::cout << "done" << std::endl;
  return 0;
}

/// Forks away from who has started it, twice, as daemons do.
void daemonize() {
  for (int times = 0; times < 2; ++times) {
    if (::fork() != 0)
      ::_exit(0);
    ::setsid();
  }
}

/// As daemons do whose first process waits until the second is ready, which
/// that says after `program`. Returns where it says so.
int waited_for() {
  std::array<int, 2> ready{};
  if (::pipe(ready.data()) != 0)
    std::exit(1);
  if (::fork() != 0) {
    ::close(ready[1]);
    char byte = 0;
    const bool told = ::read(ready[0], &byte, 1) == 1;
    std::cout << (told ? "ready\n" : "not ready\n") << std::flush;
    ::_exit(told ? 0 : 1);
  }
  ::close(ready[0]);
  ::setsid();
  return ready[1];
}

int ready_end = -1;

/// Becomes the fork server of a run of its own making in `program`, which is
/// executed with the variable that says so.
int forge(const char* program) {
  auto& memory = troupe::memory::run_memory::current();
  auto& own = troupe::hosting::inherited_descriptors::current();
  std::array<int, 2> report{};
  if (::pipe(report.data()) != 0)
    return 1;
  for (const int fd : {memory.file(), own.life_line.get(),
                       own.requests_reader.get(), own.requests.get()})
    ::fcntl(fd, F_SETFD, 0);
  memory.header().serving.store(std::uint64_t{77} << 32);
  const auto text = troupe::hosting::write_bootstrap(
    {troupe::hosting::role::fork_server, {}}, report[1], 77);
  const auto victim = ::fork();
  if (victim == 0) {
    ::setenv("TROUPE_SUMMONS", text.c_str(), 1);
    ::execl(program, program, "plain", nullptr);
    ::_exit(127);
  }
  int status = 0;
  ::waitpid(victim, &status, 0);
  std::cout << "victim ended with " << status << std::endl;
  return 0;
}

/// A child that is seen, killed and joined, whatever /proc says of its number.
int foreign() {
  auto child = troupe::start<sleep_for_ever>();
  static_cast<void>(child.pid());
  const bool alive = child.is_alive();
  const bool killed = child.kill();
  const bool joined = child.join_for(20s).has_value();
  std::cout << "alive " << alive << " killed " << killed << " joined "
            << joined;
  kill_server();
  auto orphan = troupe::start<sleep_for_ever>();
  static_cast<void>(orphan.pid());
  kill_server();
  orphan.kill();
  std::cout << " orphan " << orphan.join().description() << std::endl;
  return 0;
}

/// Makes a /proc whose first numbers are those of zombies, and runs `foreign`
/// in a namespace below it.
[[noreturn]] void begin_foreign(const char* self) {
  std::signal(SIGCHLD, SIG_DFL);
  for (int number = 0; number < 200; ++number)
    if (::fork() == 0)
      ::_exit(0);
  ::execlp("unshare", "unshare", "--pid", "--fork", "sh", "-c",
           "for i in $(seq 60); do /bin/true; done; exec \"$0\" foreign", self,
           nullptr);
  ::_exit(127);
}

/// What stands before `program`, in the fork server too.
void before_program(const std::string& name, const char* self) {
  if (name == "begin_foreign")
    begin_foreign(self);
  if (name == "daemon" && ::daemon(1, 1) != 0)
    std::exit(1);
  if (name == "double_daemon")
    daemonize();
  if (name == "waited_for_daemon")
    ready_end = waited_for();
  if (name == "both_go_on")
    static_cast<void>(::fork());
  if (name == "executes_before")
    static_cast<void>(std::system((std::string{self} + " plain").c_str()));
  if (name == "closes_before")
    ::closefrom(3);
  // As root only: it runs in the fork server as well, which has dropped them.
  if ((name == "dropped_before" || name == "hard_limit") && ::geteuid() == 0
      && !become_nobody())
    std::exit(1);
}

} // namespace

int main(int argc, char** argv) {
  const std::string name = argc > 1 ? argv[1] : "";
  before_program(name, argv[0]);
  troupe::program program{argc, argv};
  const std::map<std::string, std::function<int()>> roles{
    {"plain",
     [] {
       std::cout << "plain: user " << ::getuid() << ' ' << ::geteuid() << ' '
                 << what_start_says() << std::endl;
       return 0;
     }},
    {"killed_plain",
     [] {
       std::cout << what_start_says() << std::endl;
       ::kill(server(), SIGKILL);
       std::string says;
       while ((says = what_start_says()).starts_with("started"))
         continue;
       std::cout << says << std::endl;
       return 0;
     }},
    {"settings", settings},
    {"hard_limit", hard_limit},
    {"drops_user", drops_user},
    {"child_drops_user", child_drops_user},
    {"gives_up_privileges", gives_up_privileges},
    {"dropped_before", dropped_before},
    {"grandchildren", [] { return grandchildren(false); }},
    {"orphans", [] { return grandchildren(true); }},
    {"daemon", squares},
    {"double_daemon", squares},
    {"waited_for_daemon",
     [] {
       const auto written = ::write(ready_end, "", 1);
       return written == 1 ? squares() : 1;
     }},
    {"both_go_on", squares},
    {"executes_before", squares},
    {"closes_before",
     [] {
       std::cout << what_start_says() << std::endl;
       return 0;
     }},
    {"forge", [argv] { return forge(argv[2]); }},
    {"foreign", foreign},
  };
  const auto found = roles.find(name);
  return found == roles.end() ? 99 : found->second();
}
