// SPDX-License-Identifier: BSL-1.0
#include <troupe/process/error_tail.hpp>

#include <troupe/memory/run_memory.hpp>
#include <troupe/os/pipe.hpp>

#include <cstdio>
#include <iostream>
#include <mutex>
#include <streambuf>
#include <string>
#include <string_view>

namespace troupe::hosting {

namespace {

constexpr int error_output = 2;

/// Writes whole lines and notes what it wrote in the process table.
class line_writer {
public:
  void write(std::string_view text) {
    const std::scoped_lock guard{mutex_};
    remember(text);
    pending_.append(text);
    if (ended_) {
      write_pending();
      return;
    }
    if (const auto end = pending_.rfind('\n'); end != std::string::npos) {
      os::write_all(error_output,
                    std::string_view{pending_}.substr(0, end + 1));
      pending_.erase(0, end + 1);
    }
    // A line longer than this tears rather than grow for ever.
    if (pending_.size() > 65536)
      write_pending();
  }

  /// From now on nothing waits for the end of its line: what destructors of
  /// static objects still say is written at once.
  void end() {
    const std::scoped_lock guard{mutex_};
    ended_ = true;
    write_pending();
  }

private:
  void write_pending() {
    os::write_all(error_output, pending_);
    pending_.clear();
  }

  static void remember(std::string_view text) noexcept {
    auto& slot = memory::run_memory::current().own_slot();
    auto at = slot.tail_written.load(std::memory_order_relaxed);
    for (const char byte : text)
      slot.tail[at++ % slot.tail.size()].store(byte, std::memory_order_relaxed);
    // release: pairs with the acquire of whoever reads the status.
    slot.tail_written.store(at, std::memory_order_release);
  }

  std::mutex mutex_;
  std::string pending_;
  bool ended_ = false;
};

line_writer& errors() {
  // Never destroyed: destructors of static objects may still write.
  static auto& writer = *new line_writer;
  return writer;
}

class line_buffer : public std::streambuf {
protected:
  int_type overflow(int_type symbol) override {
    if (!traits_type::eq_int_type(symbol, traits_type::eof())) {
      const char byte = traits_type::to_char_type(symbol);
      errors().write({&byte, 1});
    }
    return traits_type::not_eof(symbol);
  }

  std::streamsize xsputn(const char* text, std::streamsize size) override {
    errors().write({text, static_cast<std::size_t>(size)});
    return size;
  }
};

} // namespace

void set_up_streams() {
  std::setvbuf(stdout, nullptr, _IOLBF, 65536);
  static line_buffer& buffer = *new line_buffer;
  std::cerr.rdbuf(&buffer);
  std::clog.rdbuf(&buffer);
  cookie_io_functions_t functions{};
  functions.write = [](void*, const char* text, std::size_t size) {
    errors().write({text, size});
    return static_cast<ssize_t>(size);
  };
  if (std::FILE* stream = ::fopencookie(nullptr, "w", functions)) {
    std::setvbuf(stream, nullptr, _IONBF, 0);
    stderr = stream;
  }
}

void flush_output() noexcept {
  try {
    std::cout.flush();
    std::fflush(stdout);
  } catch (...) {
    // A stream that the user has told to throw: its state says the same.
    return;
  }
}

void flush_streams() noexcept {
  flush_output();
  std::fflush(nullptr);
  try {
    errors().end();
  } catch (...) {
    // Out of memory at the very end: nobody is left to tell.
    return;
  }
}

} // namespace troupe::hosting
