// SPDX-License-Identifier: BSL-1.0

// Lines of machines and of the lead itself, where nobody reads them.

#include <troupe/base/deadline.hpp>
#include <troupe/machines/printer.hpp>
#include <troupe/os/pipe.hpp>
#include <troupe/os/pipe_exchange.hpp>
#include <troupe/os/redirection.hpp>

#include <doctest/doctest.h>
#include <support/eventually.hpp>

#include <array>
#include <span>
#include <string>

using troupe::deadline;
using troupe::machines::printer;

namespace {

/// Standard error of this process as a pipe that nobody reads until asked to.
class unread {
public:
  unread() : before_(troupe::os::duplicate_standard(2)) {
    auto [reader, writer] = troupe::os::make_pipe();
    troupe::os::let_not_wait(reader.get());
    reader_ = std::move(reader);
    troupe::os::put_at(2, writer);
  }
  unread(const unread&) = delete;
  unread& operator=(const unread&) = delete;
  ~unread() {
    troupe::os::put_at(2, before_);
  }

  [[nodiscard]] bool is_written_to() const {
    return troupe::os::bytes_waiting(reader_.get()) > 0;
  }

  /// Appends what is there now.
  void read(std::string& to) const {
    std::array<std::byte, 4096> part{};
    while (
      const auto size = troupe::os::read_some(reader_.get(), std::span{part}))
      to.append(reinterpret_cast<const char*>(part.data()), size);
  }

private:
  troupe::os::descriptor before_;
  troupe::os::descriptor reader_;
};

} // namespace

TEST_CASE("lines of the lead that nobody reads are bounded in number, and then "
          "counted") {
  std::string text;
  {
    const unread here;
    printer lines;
    // More than a pipe holds, so that the thread that writes waits.
    const std::string long_line(200'000, 'x');
    lines.say(long_line);
    REQUIRE(troupe::test::eventually([&] { return here.is_written_to(); }));
    for (int i = 0; i < 1'000; ++i)
      lines.say("line " + std::to_string(i));
    CHECK(troupe::test::eventually([&] {
      here.read(text);
      return text.find(" more lines were left out") != std::string::npos;
    }));
    CHECK(lines.wait(lines.begun(), deadline::never()));
  }
  CHECK(text.find("troupe: line 0\n") != std::string::npos);
  CHECK(text.find("troupe: line 255\n") != std::string::npos);
  CHECK(text.find("troupe: line 256\n") == std::string::npos);
  const auto count = std::to_string(1'000 - printer::most_own);
  CHECK(text.find("troupe: " + count + " more lines were left out")
        != std::string::npos);
}

TEST_CASE("each line has its prefix and its end") {
  CHECK(troupe::machines::with_prefix("a│ ", "one\ntwo") == "a│ one\na│ two\n");
  CHECK(troupe::machines::with_prefix("a│ ", "") == "");
}
