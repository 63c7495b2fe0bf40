// SPDX-License-Identifier: BSL-1.0
#include <troupe/process/exit_status.hpp>

#include <troupe/os/process_id.hpp>

#include <algorithm>
#include <cstring>
#include <span>

namespace troupe {

namespace {

/// The bytes are another process's: nothing says that a zero ends them.
std::string bounded(std::span<const char> text) {
  return {text.begin(), std::find(text.begin(), text.end(), '\0')};
}

std::string tail_of(const memory::process_slot& slot) {
  const auto written = slot.tail_written.load(std::memory_order_acquire);
  const auto size = slot.tail.size();
  std::string text;
  const auto count = std::min<std::uint64_t>(written, size);
  text.reserve(count);
  for (auto at = written - count; at != written; ++at)
    text.push_back(slot.tail[at % size]);
  // A line whose beginning is overwritten says less than none.
  if (written > size)
    if (const auto end = text.find('\n'); end != std::string::npos)
      text.erase(0, end + 1);
  return text;
}

} // namespace

exit_status::exit_status(const memory::process_slot& slot)
  : ending_(static_cast<memory::ending>(
      slot.ended_by.load(std::memory_order_relaxed))),
    code_(slot.code.load(std::memory_order_relaxed)),
    exception_type_(bounded(slot.exception_type)),
    exception_text_(bounded(slot.exception_text)),
    last_lines_(tail_of(slot)) {
}

int exit_status::code() const noexcept {
  switch (ending_) {
    case memory::ending::signaled: return -code_;
    case memory::ending::lost:
    case memory::ending::none: return -255;
    default: return code_;
  }
}

std::string exit_status::signal_name() const {
  return signaled() ? os::signal_name(code_) : std::string{};
}

std::string exit_status::description() const {
  switch (ending_) {
    case memory::ending::none: return "not ended";
    case memory::ending::exited:
      return "exited with code " + std::to_string(code_);
    case memory::ending::signaled:
      return "killed by " + signal_name() + " (" + std::to_string(code_) + ")";
    case memory::ending::threw:
      return "ended by exception " + exception_type_ + ": " + exception_text_;
    case memory::ending::lost: return "lost: " + exception_text_;
  }
  return "ended in a way that this version does not know";
}

} // namespace troupe
