// SPDX-License-Identifier: BSL-1.0
#include <troupe/os/private_file.hpp>

#include <troupe/base/error.hpp>
#include <troupe/os/descriptor.hpp>

#include <array>
#include <cerrno>
#include <cstdio>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace troupe::os {

namespace {

std::string octal(mode_t mode) {
  std::array<char, 8> text{};
  std::snprintf(text.data(), text.size(), "%04o", mode & 07777U);
  return text.data();
}

const char* kind_of(mode_t mode) noexcept {
  switch (mode & S_IFMT) {
    case S_IFDIR: return "a directory";
    case S_IFIFO: return "a named pipe";
    case S_IFSOCK: return "a socket";
    default: return "a device";
  }
}

void check(const struct stat& file, const std::string& attempted,
           const std::string& path) {
  if (!S_ISREG(file.st_mode))
    throw invalid_argument(attempted,
                           std::string{"it is "} + kind_of(file.st_mode),
                           "name a regular file");
  if (file.st_uid != ::geteuid() && file.st_uid != 0)
    throw invalid_argument(attempted,
                           "it is user " + std::to_string(file.st_uid)
                             + "'s, who may read and change it",
                           "let it be this user's: chown "
                             + std::to_string(::geteuid()) + " " + path);
  if ((file.st_mode & (S_IRWXG | S_IRWXO)) != 0)
    throw invalid_argument(attempted,
                           "others may read or change it: its mode is "
                             + octal(file.st_mode),
                           "chmod 600 " + path);
}

} // namespace

std::size_t read_private_file(const std::string& path, std::span<char> into,
                              const std::string& what) {
  const auto attempted = "read " + what + " from " + path;
  // A pipe, or a terminal, must not keep us.
  const descriptor file{
    ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)};
  if (!file)
    throw os_failure(attempted, errno == ENOENT
                                  ? "name a file that exists"
                                  : "let it be a regular file that this "
                                    "user may read");
  struct stat found{};
  if (::fstat(file.get(), &found) != 0)
    throw os_failure(attempted);
  check(found, attempted, path);
  std::size_t size = 0;
  for (;;) {
    // One byte more than fits, to see that there is more.
    char beyond = 0;
    const bool full = size == into.size();
    const auto got = ::read(file.get(), full ? &beyond : into.data() + size,
                            full ? 1 : into.size() - size);
    if (got < 0 && errno == EINTR)
      continue;
    if (got < 0)
      throw os_failure(attempted);
    if (got == 0)
      return size;
    if (full)
      throw invalid_argument(
        attempted, "it has more than " + std::to_string(into.size()) + " bytes",
        "name a file that holds " + what + " and nothing else");
    size += static_cast<std::size_t>(got);
  }
}

} // namespace troupe::os
