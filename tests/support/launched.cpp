// SPDX-License-Identifier: BSL-1.0
#include <support/launched.hpp>

#include <support/eventually.hpp>
#include <support/patience.hpp>

#include <array>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utmp.h>

namespace troupe::test {

namespace {

/// In the new process: only what is safe after a fork of a threaded process.
[[noreturn]] void become(char* const* words, char* const* environment,
                         const launch_options& options, int out) {
  if (options.terminal) {
    ::login_tty(out);
  } else {
    ::dup2(out, 1);
    ::dup2(out, 2);
    ::close(out);
  }
  for (const int fd : options.closed)
    ::close(fd);
  if (options.kept >= 0)
    ::fcntl(options.kept, F_SETFD, 0);
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::signal(SIGINT, SIG_DFL);
  ::execve(words[0], words, environment);
  ::_exit(127);
}

std::vector<char*> pointers_to(std::vector<std::string>& words) {
  std::vector<char*> result;
  for (auto& word : words)
    result.push_back(word.data());
  result.push_back(nullptr);
  return result;
}

} // namespace

launched::launched(const std::vector<std::string>& command,
                   const launch_options& options)
  : limit_(std::chrono::steady_clock::now()
           + std::chrono::seconds{60} * patience()) {
  auto words = command;
  auto environment = options.environment;
  for (char** entry = environ; *entry != nullptr; ++entry)
    environment.emplace_back(*entry);
  const auto word_pointers = pointers_to(words);
  const auto environment_pointers = pointers_to(environment);
  std::array<int, 2> ends{-1, -1};
  if (options.terminal) {
    if (::openpty(&ends[0], &ends[1], nullptr, nullptr, nullptr) != 0)
      std::abort();
    ::fcntl(ends[0], F_SETFD, FD_CLOEXEC);
    ::fcntl(ends[1], F_SETFD, FD_CLOEXEC);
  } else if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    std::abort();
  }
  pid_ = ::fork();
  if (pid_ == 0)
    become(word_pointers.data(), environment_pointers.data(), options, ends[1]);
  ::close(ends[1]);
  out_ = ends[0];
}

launched::~launched() {
  if (status_ == -1 && pid_ > 0) {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, &status_, 0);
  }
  ::close(out_);
}

bool launched::read_more() {
  pollfd waiting{out_, POLLIN, 0};
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(
    limit_ - std::chrono::steady_clock::now());
  if (left.count() <= 0
      || ::poll(&waiting, 1, static_cast<int>(left.count())) <= 0)
    return false;
  std::array<char, 4096> text{};
  const auto size = ::read(out_, text.data(), text.size());
  if (size <= 0)
    return false;
  output_.append(text.data(), static_cast<std::size_t>(size));
  return true;
}

bool launched::wait_for(const std::string& text) {
  return wait_until([&](const std::string& output) {
    return output.find(text) != std::string::npos;
  });
}

bool launched::wait_until(
  const std::function<bool(const std::string&)>& enough) {
  while (!enough(output_))
    if (!read_more())
      return false;
  return true;
}

void launched::type(const std::string& text) const {
  [[maybe_unused]] const auto size = ::write(out_, text.data(), text.size());
}

void launched::signal(int number) const {
  ::kill(pid_, number);
}

int launched::wait() {
  while (read_more()) {
  }
  const bool ended
    = eventually([this] { return ::waitpid(pid_, &status_, WNOHANG) == pid_; },
                 std::chrono::seconds{30});
  if (!ended)
    status_ = -1;
  return status_;
}

std::uint64_t run_of(std::int32_t pid) {
  std::ifstream maps{"/proc/" + std::to_string(pid) + "/maps"};
  std::string line;
  while (std::getline(maps, line))
    if (line.find("/memfd:troupe-run") != std::string::npos) {
      // address, rights, offset, device, inode, path
      std::size_t at = 0;
      for (int field = 0; field < 4; ++field)
        at = line.find_first_not_of(' ', line.find(' ', at));
      return std::strtoull(line.c_str() + at, nullptr, 10);
    }
  return 0;
}

std::vector<std::int32_t> members_of(std::uint64_t run) {
  std::vector<std::int32_t> result;
  for (const auto& entry : std::filesystem::directory_iterator{"/proc"}) {
    const auto pid = std::atoi(entry.path().filename().c_str());
    if (pid > 0 && run != 0 && run_of(pid) == run)
      result.push_back(pid);
  }
  return result;
}

launch_options in_terminal() {
  launch_options options;
  options.terminal = true;
  return options;
}

bool ends_itself(launched& program, std::uint64_t run) {
  const int status = program.wait();
  return WIFEXITED(status) && WEXITSTATUS(status) == 0
         && eventually([run] { return members_of(run).empty(); });
}

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t result = 0;
  for (auto at = text.find(part); at != std::string::npos;
       at = text.find(part, at + 1))
    ++result;
  return result;
}

std::string beside_this_program(const std::string& name) {
  return (std::filesystem::read_symlink("/proc/self/exe").parent_path() / name)
    .string();
}

} // namespace troupe::test
