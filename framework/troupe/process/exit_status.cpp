// SPDX-License-Identifier: BSL-1.0
#include <troupe/process/exit_status.hpp>

#include <troupe/memory/run_memory.hpp>
#include <troupe/os/process_id.hpp>

#include <algorithm>
#include <atomic>
#include <string_view>
#include <utility>

namespace troupe {

namespace {

/// Takes off a line whose beginning is overwritten: it says less than none. But
/// of one that fills more than half of the window the end is kept.
std::string without_cut_line(std::string text) {
  constexpr std::string_view cut = "...";
  const auto end = std::min(text.find('\n'), text.size() - 1) + 1;
  if (end <= text.size() / 2)
    return text.erase(0, end);
  const auto kept = calls::end_of(text, text.size() - cut.size());
  return std::string{cut}.append(kept);
}

std::string tail_of(const memory::process_slot& slot) {
  const auto written = slot.tail_written.load(std::memory_order_acquire);
  const auto size = slot.tail.size();
  std::string text;
  const auto count = std::min<std::uint64_t>(written, size);
  text.reserve(count);
  for (auto at = written - count; at != written; ++at)
    text.push_back(slot.tail[at % size].load(std::memory_order_relaxed));
  return written > size ? without_cut_line(std::move(text)) : text;
}

} // namespace

exit_status::exit_status(const memory::process_slot& slot)
  : ending_(static_cast<memory::ending>(
      slot.ended_by.load(std::memory_order_relaxed))),
    code_(slot.code.load(std::memory_order_relaxed)),
    exception_{errc::remote_exception, slot.exception_type.get(),
               slot.exception_text.get(),
               calls::unpack(slot.inner_exceptions.get())},
    last_lines_(tail_of(slot)) {
}

exit_status::exit_status(memory::ending how, int code, std::string last_lines,
                         std::string reason) noexcept
  : ending_(how),
    code_(code),
    exception_{.text = std::move(reason)},
    last_lines_(std::move(last_lines)) {
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
      return "ended by exception " + exception_.description();
    case memory::ending::lost: return "lost: " + exception_.text;
  }
  return "ended in a way that this version does not know";
}

std::optional<exit_status> hosting::status_of(memory::slot_id process) {
  auto& memory = memory::run_memory::current();
  const auto is_dead = [&] {
    const auto* slot = memory.find(process);
    return slot != nullptr && slot->current_state() == memory::slot_state::dead;
  };
  if (!is_dead())
    return std::nullopt;
  exit_status status{memory.slot(process.index)};
  // acquire: what was read above is of before this second look.
  std::atomic_thread_fence(std::memory_order_acquire);
  return is_dead() ? std::optional{std::move(status)} : std::nullopt;
}

} // namespace troupe
