// SPDX-License-Identifier: BSL-1.0
#include <troupe/inspection/run_file.hpp>

#include <troupe/base/error.hpp>
#include <troupe/inspection/layouts.hpp>
#include <troupe/memory/extents.hpp>
#include <troupe/memory/layout.hpp>
#include <troupe/os/memory_file.hpp>

#include <algorithm>
#include <cstdio>

namespace troupe::inspection {

namespace {

std::string hexadecimal(std::uint64_t number) {
  std::array<char, 17> text{};
  std::snprintf(text.data(), text.size(), "%016llx",
                static_cast<unsigned long long>(number));
  return text.data();
}

} // namespace

run_file::run_file(int fd, std::string& why) : fd_(fd) {
  try {
    size_ = os::file_size(fd);
  } catch (const error& failure) {
    why = failure.what();
    return;
  }
  if (size_ < 4096 || !read(0, header_)
      || header_->magic != memory::run_header::right_magic) {
    why = "this is not the memory of a run of Troupe";
    return;
  }
  if (header_->layout != memory::layout_of_memory()) {
    why = "the run was made by another version of Troupe, whose memory is laid "
          "out otherwise (its layout is "
          + hexadecimal(header_->layout) + ", this program knows "
          + hexadecimal(memory::layout_of_memory())
          + "): use the command `troupe` that was built with that version";
    return;
  }
  const auto& header = *header_;
  const auto rows = std::uint64_t{header.slots} + 1;
  const bool makes_sense
    = header.size == size_ && header.slots <= 65536
      && header.rows_at >= 4096 + rows * sizeof(memory::process_slot)
      && header.waits_at >= header.rows_at
      && header.origins_at >= header.waits_at
      && header.counters_at > header.origins_at
      && header.counters_rows
           <= std::uint64_t{header.slots} + memory::report_rows
      && header.objects_at > header.counters_at
      && header.trace_at >= header.objects_at
      && header.pages_at > header.trace_at && header.heads > header.pages_at
      && header.heads < size_
      && header.pages <= (1U << 31) / memory::head_page::heads;
  if (!makes_sense)
    why = "the header of the run's memory was overwritten";
}

bool run_file::knows(memory::object_kind kind) const noexcept {
  const auto number = static_cast<std::size_t>(kind);
  if (number >= header_->kinds.size())
    return true;
  const auto theirs = header_->kinds[number];
  return theirs == 0 || theirs == layout_of_kind(kind);
}

bool run_file::read(std::uint64_t at, std::span<std::byte> into) const {
  return at <= size_ && into.size() <= size_ - at
         && os::read_at(fd_, at, into) == into.size();
}

std::uint32_t run_file::slots_used() const noexcept {
  return std::min(header_->slots_high.load(std::memory_order_relaxed),
                  header_->slots);
}

std::uint32_t run_file::pages_used() const noexcept {
  // Anew: whoever traces a run keeps this for long.
  const auto high
    = read_value<std::uint32_t>(offsetof(memory::run_header, pages_high));
  return std::min(high.value_or(0), header_->pages);
}

std::optional<std::uint32_t>
run_file::slot_of(std::uint64_t place) const noexcept {
  if (place < 4096 || place >= slot_at(header_->slots))
    return std::nullopt;
  return static_cast<std::uint32_t>((place - 4096)
                                    / sizeof(memory::process_slot));
}

std::optional<std::uint32_t> run_file::head_of(std::uint64_t place) const {
  const auto& header = *header_;
  const auto heads = std::uint64_t{pages_used()} * memory::head_page::bytes;
  if (place >= header.heads && place - header.heads < heads)
    return static_cast<std::uint32_t>((place - header.heads)
                                      / sizeof(memory::object_head));
  for (const auto& region : header.regions) {
    if (region.granule == 0 || place < region.begin)
      continue;
    const auto granule = (place - region.begin) / region.granule;
    if (granule >= region.count)
      continue;
    const auto owner = read_value<std::uint32_t>(region.words + granule * 4);
    // The highest bit: of a row, for its handle table.
    if (!owner || *owner == 0 || (*owner & 0x8000'0000U) != 0)
      return std::nullopt;
    return *owner - 1;
  }
  return std::nullopt;
}

std::string run_file::text_at(std::uint64_t number) const {
  copy_of<memory::origin> entry;
  if (number == 0 || number > memory::origin::count
      || !read(header().origins_at + (number - 1) * sizeof(memory::origin),
               entry))
    return {};
  return entry->text.get();
}

} // namespace troupe::inspection
