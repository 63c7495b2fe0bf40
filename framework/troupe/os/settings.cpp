// SPDX-License-Identifier: BSL-1.0
#include <troupe/os/settings.hpp>

#include <troupe/os/pipe.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <system_error>

#include <fcntl.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

namespace troupe::os {

namespace {

using limit_kind = decltype(RLIMIT_CPU);

/// In the order of their numbers, which are consecutive from 0.
constexpr std::array<const char*, RLIM_NLIMITS> limit_names{
  "processor time (ulimit -t)",
  "the size of files (ulimit -f)",
  "the size of data (ulimit -d)",
  "the size of stacks (ulimit -s)",
  "the size of core files (ulimit -c)",
  "resident memory (ulimit -m)",
  "processes (ulimit -u)",
  "open files (ulimit -n)",
  "locked memory (ulimit -l)",
  "address space (ulimit -v)",
  "file locks (ulimit -x)",
  "pending signals (ulimit -i)",
  "bytes in message queues (ulimit -q)",
  "nice values (ulimit -e)",
  "real-time priorities (ulimit -r)",
  "real-time processor time (ulimit -R)"};

/// As many processors as Linux can be built for.
constexpr std::size_t mask_words = 8192 / (8 * sizeof(std::uint64_t));
using processor_mask = std::array<std::uint64_t, mask_words>;

cpu_set_t* as_set(processor_mask& mask) noexcept {
  return reinterpret_cast<cpu_set_t*>(mask.data());
}

processor_mask own_processors() noexcept {
  processor_mask mask{};
  ::sched_getaffinity(0, sizeof mask, as_set(mask));
  return mask;
}

mode_t own_umask() {
  // Where it can be read without being set: other threads make files.
  std::ifstream file{"/proc/self/status"};
  for (std::string line; std::getline(file, line);)
    if (line.starts_with("Umask:"))
      return static_cast<mode_t>(std::strtoul(line.c_str() + 6, nullptr, 8));
  const auto mask = ::umask(077);
  ::umask(mask);
  return mask;
}

bool is_ignored(int signal) noexcept {
  struct sigaction action{};
  return ::sigaction(signal, nullptr, &action) == 0
         && (action.sa_flags & SA_SIGINFO) == 0 && action.sa_handler == SIG_IGN;
}

/// One bit for each signal.
std::uint64_t ignored_signals() noexcept {
  std::uint64_t result = 0;
  for (int signal = 1; signal <= 64; ++signal)
    if (is_ignored(signal))
      result |= std::uint64_t{1} << (signal - 1);
  return result;
}

std::vector<int> inheritable_descriptors() {
  std::vector<int> result;
  std::error_code failure;
  for (const auto& entry :
       std::filesystem::directory_iterator{"/proc/self/fd", failure}) {
    const int fd = std::atoi(entry.path().filename().c_str());
    const int flags = ::fcntl(fd, F_GETFD);
    if (fd > 2 && flags >= 0 && (flags & FD_CLOEXEC) == 0)
      result.push_back(fd);
  }
  return result;
}

descriptor keep_open(int fd) noexcept {
  return descriptor{::fcntl(fd, F_DUPFD_CLOEXEC, 3)};
}

/// Reads the numbers of `settings::text`.
class reader {
public:
  explicit reader(const char* text) noexcept : at_(text) {
  }

  std::uint64_t next() noexcept {
    char* end = nullptr;
    const auto value = std::strtoull(at_, &end, 10);
    at_ = end;
    return value;
  }

private:
  const char* at_;
};

const char* apply_limits(reader& from) noexcept {
  for (int number = 0; number < RLIM_NLIMITS; ++number) {
    const rlimit wanted{from.next(), from.next()};
    rlimit now{};
    const auto which = static_cast<limit_kind>(number);
    if (::getrlimit(which, &now) == 0
        && (now.rlim_cur != wanted.rlim_cur || now.rlim_max != wanted.rlim_max)
        && ::setrlimit(which, &wanted) != 0)
      return limit_names[static_cast<std::size_t>(number)];
  }
  return nullptr;
}

void apply_ignored(std::uint64_t wanted) noexcept {
  for (int signal = 1; signal <= 64; ++signal) {
    const bool ignore = (wanted >> (signal - 1) & 1) != 0;
    if (ignore == is_ignored(signal))
      continue;
    struct sigaction action{};
    action.sa_handler = ignore ? SIG_IGN : SIG_DFL;
    ::sigaction(signal, &action, nullptr);
  }
}

} // namespace

settings::settings()
  : directory_(above_standard(
      descriptor{::open(".", O_PATH | O_DIRECTORY | O_CLOEXEC)})),
    output_(keep_open(1)),
    error_(keep_open(2)),
    inheritable_(inheritable_descriptors()),
    umask_(own_umask()),
    // From -20 to 19; written without a sign.
    nice_(static_cast<std::uint64_t>(::getpriority(PRIO_PROCESS, 0) + 20)),
    ignored_(ignored_signals()) {
  for (int number = 0; number < RLIM_NLIMITS; ++number) {
    rlimit limit{};
    ::getrlimit(static_cast<limit_kind>(number), &limit);
    limits_.push_back(limit.rlim_cur);
    limits_.push_back(limit.rlim_max);
  }
  const auto mask = own_processors();
  processors_.assign(mask.begin(), mask.end());
  while (!processors_.empty() && processors_.back() == 0)
    processors_.pop_back();
}

std::string settings::text(std::uint64_t mark) const {
  auto limits = limits_;
  constexpr auto locks = static_cast<std::size_t>(RLIMIT_LOCKS) * 2;
  if (mark <= limits[locks + 1])
    limits[locks] = mark;
  std::string result = std::to_string(directory_ ? directory_.get() : 0);
  const auto add = [&](std::uint64_t word) {
    result += ' ' + std::to_string(word);
  };
  add(umask_);
  add(nice_);
  add(ignored_);
  for (const auto word : limits)
    add(word);
  add(processors_.size());
  for (const auto word : processors_)
    add(word);
  return result;
}

std::vector<int> settings::kept() const {
  if (!directory_)
    return {};
  return {directory_.get()};
}

std::vector<std::pair<int, int>> settings::streams() const {
  return {{output_ ? output_.get() : -1, 1}, {error_ ? error_.get() : -1, 2}};
}

std::vector<int> settings::opened_since() const {
  auto result = inheritable_descriptors();
  std::erase_if(result, [this](int fd) {
    return std::find(inheritable_.begin(), inheritable_.end(), fd)
           != inheritable_.end();
  });
  return result;
}

const char* settings::apply(const char* text) noexcept {
  reader from{text};
  const auto directory = static_cast<int>(from.next());
  if (directory > 0) {
    if (::fchdir(directory) != 0)
      return "the working directory";
    ::close(directory);
  }
  ::umask(static_cast<mode_t>(from.next()));
  const auto nice = static_cast<int>(from.next()) - 20;
  if (::getpriority(PRIO_PROCESS, 0) != nice
      && ::setpriority(PRIO_PROCESS, 0, nice) != 0)
    return "the nice value";
  apply_ignored(from.next());
  if (const char* refused = apply_limits(from))
    return refused;
  processor_mask wanted{};
  const auto words = from.next();
  for (std::size_t word = 0; word < words && word < wanted.size(); ++word)
    wanted[word] = from.next();
  // It fails only if none of them may be used any more: a cpuset was changed.
  if (words > 0 && own_processors() != wanted)
    ::sched_setaffinity(0, sizeof wanted, as_set(wanted));
  return nullptr;
}

} // namespace troupe::os
