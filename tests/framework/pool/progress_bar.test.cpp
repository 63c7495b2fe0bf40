// SPDX-License-Identifier: BSL-1.0
#include <troupe/pool/progress_bar.hpp>

#include <doctest/doctest.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>

#include <pty.h>
#include <unistd.h>

using troupe::progress_bar;

namespace {

/// What a bar draws, and at its end as the terminal shows it.
std::string drawn(const std::string& title, std::size_t done, std::size_t total,
                  const char* end = "") {
  std::string text(1, '\r');
  text.append(progress_bar::line(title, done, total));
  return text.append(end);
}

/// Stands for standard error, as long as it lives, and is read by the test.
class terminal {
public:
  terminal() {
    REQUIRE(::openpty(&ours_, &theirs_, nullptr, nullptr, nullptr) == 0);
    before_ = ::dup(STDERR_FILENO);
    REQUIRE(::dup2(theirs_, STDERR_FILENO) == STDERR_FILENO);
  }
  terminal(const terminal&) = delete;
  terminal& operator=(const terminal&) = delete;
  ~terminal() {
    ::dup2(before_, STDERR_FILENO);
    for (const int each : {ours_, theirs_, before_})
      ::close(each);
  }

  /// What was written since the last call: as many characters as `wanted` has,
  /// in however many pieces they come.
  [[nodiscard]] std::string shown(const std::string& wanted) const {
    std::string text;
    while (text.size() < wanted.size()) {
      std::array<char, 1024> piece{};
      const auto size = ::read(ours_, piece.data(), piece.size());
      if (size > 0)
        text.append(piece.data(), static_cast<std::size_t>(size));
      else if (size == 0 || errno != EINTR)
        break;
    }
    return text;
  }

private:
  int ours_ = -1;
  int theirs_ = -1;
  int before_ = -1;
};

} // namespace

TEST_CASE("a progress bar's line shows share, percentage and numbers") {
  CHECK(progress_bar::line("drops", 1, 4)
        == "drops [" + std::string(10, '#') + std::string(30, ' ')
             + "] 25% 1/4");
  CHECK(progress_bar::line("", 4, 4)
        == "[" + std::string(40, '#') + "] 100% 4/4");
}

TEST_CASE("no tasks at all are all done") {
  CHECK(progress_bar::line("", 0, 0)
        == "[" + std::string(40, '#') + "] 100% 0/0");
}

TEST_CASE("a bar that stops short ends its line with its last copy") {
  const terminal screen;
  std::optional<progress_bar> bar{std::in_place, "drops"};
  std::optional<progress_bar> copy{*bar};
  (*bar)(1, 4);
  CHECK(screen.shown(drawn("drops", 1, 4)) == drawn("drops", 1, 4));
  // Too soon to be drawn.
  (*copy)(2, 4);
  bar.reset();
  copy.reset();
  CHECK(screen.shown(drawn("drops", 2, 4, "\r\n"))
        == drawn("drops", 2, 4, "\r\n"));
}

TEST_CASE("a bar that was full has ended its line already") {
  const terminal screen;
  {
    const progress_bar bar{"drops"};
    bar(4, 4);
    CHECK(screen.shown(drawn("drops", 4, 4, "\r\n"))
          == drawn("drops", 4, 4, "\r\n"));
  }
  {
    const progress_bar unused{"none"};
  }
  const progress_bar next{"next"};
  next(0, 1);
  CHECK(screen.shown(drawn("next", 0, 1)) == drawn("next", 0, 1));
}
