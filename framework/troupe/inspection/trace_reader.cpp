// SPDX-License-Identifier: BSL-1.0
#include <troupe/inspection/trace_reader.hpp>

#include <troupe/base/error.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <span>
#include <utility>

namespace troupe::inspection {

namespace {

using memory::run_header;
using memory::trace_event;
using memory::trace_kind;
using memory::trace_ring;

/// Events are written for so long after the last call.
constexpr std::chrono::seconds read_limit{2};

/// So many are read at once.
constexpr std::size_t at_once = 256;

os::descriptor writable(const os::descriptor& file) {
  auto result = os::reopen_for_writing(file.get());
  if (!result)
    throw os_failure("trace a run", "the kernel does not let its memory be "
                                    "written; trace it as its user");
  return result;
}

} // namespace

run_file trace_reader::opened(int fd) {
  std::string why;
  run_file result{fd, why};
  if (!why.empty())
    throw invalid_state("trace a run", why);
  return result;
}

trace_reader::trace_reader(const os::descriptor& file)
  : file_(writable(file)), run_(opened(file_.get())) {
  next_
    = run_.read_value<std::uint64_t>(offsetof(run_header, traced)).value_or(0);
  prolong();
}

trace_reader::~trace_reader() {
  const std::int64_t none = 0;
  static_cast<void>(os::write_at(file_.get(), offsetof(run_header, trace_until),
                                 std::as_bytes(std::span{&none, 1})));
}

void trace_reader::prolong() const {
  const std::int64_t until
    = std::chrono::nanoseconds{(std::chrono::steady_clock::now() + read_limit)
                                 .time_since_epoch()}
        .count();
  static_cast<void>(os::write_at(file_.get(), offsetof(run_header, trace_until),
                                 std::as_bytes(std::span{&until, 1})));
}

std::vector<traced_event> trace_reader::take() {
  prolong();
  std::vector<traced_event> result;
  const auto end = run_.read_value<std::uint64_t>(offsetof(run_header, traced))
                     .value_or(next_);
  if (end - next_ > trace_ring::count) {
    lost_ += end - next_ - trace_ring::count;
    next_ = end - trace_ring::count;
  }
  while (next_ < end) {
    const auto index = next_ % trace_ring::count;
    const auto count = std::min<std::uint64_t>(
      {at_once, end - next_, trace_ring::count - index});
    std::array<copy_of<trace_event>, at_once> events;
    std::array<copy_of<trace_event>, at_once> again;
    const auto at = run_.header().trace_at + index * sizeof(trace_event);
    static_assert(sizeof(copy_of<trace_event>) == sizeof(trace_event));
    const auto read = [&](auto& into) {
      return run_.read(at, std::as_writable_bytes(std::span{
                             into.data(), static_cast<std::size_t>(count)}));
    };
    if (!read(events) || !read(again))
      return result;
    for (std::size_t i = 0; i < count; ++i) {
      const auto expected = next_ + i + 1;
      const auto number = events[i]->number.load();
      if (number == expected && again[i]->number.load() == expected)
        result.push_back(decode(*events[i]));
      else
        ++lost_;
    }
    next_ += count;
  }
  std::sort(result.begin(), result.end(), [](const auto& a, const auto& b) {
    return std::pair{a.when, a.number} < std::pair{b.when, b.number};
  });
  return result;
}

traced_event trace_reader::decode(const trace_event& event) const {
  traced_event result;
  const auto what = event.what.load();
  const auto who = event.who.load();
  const auto kind = what >> trace_event::kind_shift;
  const auto detail = (what >> trace_event::detail_shift) & 0xFF;
  const auto value = what & trace_event::most_value;
  result.number = event.number.load();
  result.when = time_point{std::chrono::nanoseconds{event.when.load()}};
  result.slot = static_cast<std::uint32_t>(who >> 32);
  result.thread = static_cast<std::int32_t>(static_cast<std::uint32_t>(who));
  if (kind >= memory::trace_kinds)
    return result;
  result.kind = static_cast<trace_kind>(kind);
  switch (result.kind) {
    case trace_kind::wait_begins:
    case trace_kind::wait_ends:
      if (detail < memory::wait_kinds)
        result.wait = static_cast<memory::wait_kind>(detail);
      if (value == 0)
        break;
      if (const auto slot = run_.slot_of(value)) {
        result.target = wait_target{0, *slot};
      } else if (const auto head = run_.head_of(value)) {
        const auto generation = run_.read_value<std::uint32_t>(
          run_.head_at(*head) + offsetof(memory::object_head, generation));
        if (generation)
          result.target
            = wait_target{(memory::object_id{*generation} << 32) | *head, 0};
      }
      break;
    case trace_kind::task_begins:
    case trace_kind::task_ends: result.function = run_.text_at(value); break;
    case trace_kind::actor_begins:
    case trace_kind::actor_ends: result.actor = value; break;
    case trace_kind::submit_begins:
    case trace_kind::chunk_taken:
    case trace_kind::start_begins:
    case trace_kind::process_begins: result.link = value; break;
    case trace_kind::process_name: {
      std::array<char, trace_event::characters> text{};
      std::memcpy(text.data(), &value, text.size());
      result.name.assign(text.data(),
                         std::find(text.begin(), text.end(), '\0'));
      result.part = static_cast<std::uint32_t>(detail);
      break;
    }
    default: break;
  }
  return result;
}

} // namespace troupe::inspection
