// SPDX-License-Identifier: BSL-1.0
#include <troupe/memory/run_memory.hpp>

#include <troupe/base/align.hpp>
#include <troupe/base/error.hpp>
#include <troupe/memory/head_table.hpp>
#include <troupe/memory/layout.hpp>
#include <troupe/os/cycles.hpp>
#include <troupe/os/memory_file.hpp>

#include <boost/interprocess/mapped_region.hpp>

#include <algorithm>
#include <chrono>
#include <new>
#include <random>
#include <string>

namespace troupe::memory {

namespace {

namespace bip = boost::interprocess;

/// What Boost.Interprocess wants of something that can be mapped.
class mappable {
public:
  explicit mappable(int fd) noexcept : fd_(fd) {
  }

  [[nodiscard]] bip::mapping_handle_t get_mapping_handle() const noexcept {
    bip::mapping_handle_t handle{};
    handle.handle = fd_;
    handle.is_xsi = false;
    return handle;
  }

  [[nodiscard]] bip::mode_t get_mode() const noexcept {
    return bip::read_write;
  }

private:
  int fd_;
};

/// So much for objects is there at least, or the run does not start.
constexpr std::uint64_t least_for_objects = 1 << 20;
/// So much is left when a machine does not let all that is wanted be mapped.
constexpr std::uint64_t least_when_halved = 64 << 20;

/// Throws `invalid_argument` for limits that no run can have.
void require_possible(const limits& wanted) {
  if (wanted.processes < 2 || wanted.processes > 65536)
    throw invalid_argument("start a run with limits::processes = "
                             + std::to_string(wanted.processes),
                           "it must be from 2 to 65536");
  if (wanted.handles < 64 || wanted.handles > 1U << 24)
    throw invalid_argument("start a run with limits::handles = "
                             + std::to_string(wanted.handles),
                           "it must be from 64 to 16777216");
}

/// The tables of fixed size, which stand before the pages of heads.
struct table_places {
  std::uint32_t slots = 0;
  std::uint32_t counters_rows = 0;
  offset rows_at = 0;
  offset waits_at = 0;
  offset origins_at = 0;
  offset counters_at = 0;
  offset objects_at = 0;
  offset trace_at = 0;
  offset end = 0;
};

table_places place_tables(const limits& wanted, bool reports) {
  const auto page = os::page_size();
  table_places at;
  at.slots = static_cast<std::uint32_t>(round_up(wanted.processes, 64));
  at.counters_rows = at.slots + (reports ? report_rows : 0);
  const auto rows = std::uint64_t{at.slots} + 1;
  at.rows_at = round_up(4096 + rows * sizeof(process_slot), page);
  at.waits_at = round_up(at.rows_at + rows * sizeof(row_memory), page);
  at.origins_at
    = round_up(at.waits_at + std::uint64_t{at.slots} * sizeof(wait_rows), page);
  at.counters_at = round_up(at.origins_at + origin::count * sizeof(origin),
                            page);
  at.objects_at = round_up(
    at.counters_at + std::uint64_t{at.counters_rows} * sizeof(process_counters),
    page);
  at.trace_at = round_up(
    at.objects_at
      + (reports ? object_counters::count * sizeof(object_counters) : 0),
    page);
  at.end = round_up(at.trace_at + trace_ring::count * sizeof(trace_event),
                    page);
  return at;
}

/// Throws `invalid_argument` if the tables do not fit into what is wanted.
std::uint64_t wanted_size(const limits& wanted, const table_places& tables) {
  const auto size = round_up(wanted.address_space, os::page_size());
  if (size < tables.end + least_for_objects)
    throw invalid_argument("start a run with limits::address_space = "
                             + std::to_string(wanted.address_space),
                           "the tables alone need " + std::to_string(tables.end)
                             + " bytes",
                           "raise it, or lower processes");
  return size;
}

/// Enters all but what `lay_out` does, and the magic number.
void describe(run_header& header, const limits& wanted,
              const table_places& tables, bool reports) {
  std::random_device random;
  for (auto& word : header.identity)
    word = (std::uint64_t{random()} << 32) | random();
  header.memory_limit = wanted.memory != 0 ? wanted.memory : os::memory_size();
  header.slots = tables.slots;
  header.handles = wanted.handles;
  header.rows_at = tables.rows_at;
  header.waits_at = tables.waits_at;
  header.origins_at = tables.origins_at;
  header.counters_at = tables.counters_at;
  header.counters_rows = tables.counters_rows;
  header.objects_at = tables.objects_at;
  header.trace_at = tables.trace_at;
  header.reports = reports ? 1 : 0;
  header.made_at = std::chrono::steady_clock::now().time_since_epoch().count();
  header.made_at_cycles = os::cycles();
  header.layout = layout_of_memory();
  for (std::size_t kind = 0; kind < header.kinds.size(); ++kind)
    header.kinds[kind] = operations_of(static_cast<object_kind>(kind)).layout;
}

/// Lays the tables and regions out behind the process table. The shares of the
/// address space are so large that a run of small objects and one of large ones
/// both find room: a 32nd for heads, a quarter in small granules, the rest in
/// large ones.
void lay_out(run_header& header, std::uint64_t size, offset tables_end) {
  const auto page = os::page_size();
  const auto rows = std::uint64_t{header.slots} + 1;
  const auto rest = size - tables_end;
  const auto words = (rows + 63) / 64;
  const auto more_than = [words](std::uint64_t rows_inside) {
    return words > rows_inside / 64 ? words - rows_inside / 64 : 0;
  };
  const auto bytes_of = [page](std::uint64_t words_of_head) {
    return round_up(words_of_head * sizeof(std::uint64_t) * head_page::heads,
                    page);
  };
  header.size = size;
  header.more_words = more_than(object_head::rows_inside);
  header.more_second_words = more_than(object_head::second_rows_inside);
  header.more_first_bytes = bytes_of(header.more_words);
  header.more_bytes = header.more_first_bytes
                      + bytes_of(header.more_second_words);
  auto pages = std::min<std::uint64_t>(rest / 32 / head_page::bytes,
                                       (1U << 31) / head_page::heads);
  if (header.more_bytes != 0)
    pages = std::min(pages, rest / 4 / header.more_bytes);
  header.pages = static_cast<std::uint32_t>(pages);
  auto& small = header.regions[small_region];
  auto& large = header.regions[large_region];
  small.granule = 4096;
  large.granule = os::large_page;
  small.count = static_cast<std::uint32_t>(
    std::min<std::uint64_t>(rest / 4 / small.granule, 1U << 30));
  const auto most_large = rest / large.granule;
  header.pages_at = tables_end;
  small.words = round_up(header.pages_at + pages * sizeof(head_page), page);
  large.words = round_up(small.words + std::uint64_t{small.count} * 4, page);
  header.more_holders = round_up(large.words + most_large * 4, page);
  header.heads = round_up(header.more_holders + pages * header.more_bytes,
                          page);
  small.begin = round_up(header.heads + pages * head_page::bytes, page);
  large.begin = round_up(small.begin + small.count * small.granule,
                         large.granule);
  large.count = large.begin < size
                  ? static_cast<std::uint32_t>(std::min<std::uint64_t>(
                      (size - large.begin) / large.granule, 1U << 30))
                  : 0;
}

} // namespace

struct run_memory::mapping {
  mapping(int fd, std::uint64_t size) : place(os::reserve_address_space(size)) {
    try {
      region = bip::mapped_region(mappable{fd}, bip::read_write, 0,
                                  static_cast<std::size_t>(size), place,
                                  os::map_in_place);
    } catch (...) {
      os::release_address_space(place, size);
      throw;
    }
  }

  void* place;
  bip::mapped_region region;
};

run_memory::run_memory(os::descriptor file, std::uint64_t size)
  : file_(std::move(file)) {
  try {
    mapping_ = std::make_unique<mapping>(file_.get(), size);
  } catch (const bip::interprocess_exception& failure) {
    throw os_failure("map the memory of the run, " + std::to_string(size)
                       + " bytes of address space",
                     os::advice_for_address_space(),
                     failure.get_native_error());
  }
  base_ = static_cast<std::byte*>(mapping_->region.get_address());
}

run_memory::~run_memory() = default;

void run_memory::throw_none() {
  throw invalid_state("use Troupe", "this process has no run yet",
                      "make `troupe::program program{argc, argv};` the "
                      "first line of main");
}

run_memory& run_memory::create(const limits& wanted, bool reports) {
  if (exists())
    throw invalid_state("start a run", "this process belongs to one already",
                        "make one troupe::program only");
  require_possible(wanted);
  const auto tables = place_tables(wanted, reports);
  auto size = wanted_size(wanted, tables);
  std::unique_ptr<run_memory> memory;
  while (!memory) {
    try {
      memory.reset(
        new run_memory(os::make_memory_file("troupe-run", size), size));
    } catch (const os_failure&) {
      // A machine may limit address space (ulimit -v): less of it serves too.
      if (size / 2 < tables.end + least_when_halved)
        throw;
      size = round_up(size / 2, os::page_size());
    }
  }
  auto* header = new (memory->base_) run_header;
  describe(*header, wanted, tables, reports);
  lay_out(*header, size, tables.end);
  memory->locate_tables();
  header->magic = run_header::right_magic;
  memory->become({0, 1});
  reports_ = reports;
  current_ = memory.release();
  return *current_;
}

run_memory& run_memory::attach(os::descriptor file) {
  if (exists())
    throw invalid_state("join a run", "this process belongs to one already");
  // The header says how large the file is, so it is mapped alone first.
  std::uint64_t size = 0;
  {
    const run_memory first{file.duplicate(), 4096};
    const auto* header = reinterpret_cast<const run_header*>(first.base_);
    if (header->magic != run_header::right_magic
        || header->size != os::file_size(file.get())
        || header->heads >= header->size)
      throw malformed_bytes("join a run",
                            "the inherited descriptor is not a run's memory",
                            "start children through Troupe only");
    size = header->size;
  }
  current_ = new run_memory(std::move(file), size);
  current_->locate_tables();
  reports_ = current_->header().reports != 0;
  current_->become_nobody();
  return *current_;
}

void run_memory::become(slot_id self) noexcept {
  self_ = self;
  auto high = header().slots_high.load(std::memory_order_relaxed);
  while (high <= self.index
         && !header().slots_high.compare_exchange_weak(
           high, self.index + 1, std::memory_order_acq_rel)) {
  }
}

std::uint64_t run_memory::reserved_bytes() noexcept {
  // seq_cst: see ledger_row::begin.
  auto sum = row(header().slots).ledger.taken.load(std::memory_order_seq_cst);
  const auto high = header().slots_high.load(std::memory_order_seq_cst);
  for (std::uint32_t index = 0; index < high; ++index)
    sum += row(index).ledger.taken.load(std::memory_order_seq_cst);
  return sum > 0 ? static_cast<std::uint64_t>(sum) : 0;
}

process_slot* run_memory::find(slot_id id) noexcept {
  if (id.index >= header().slots)
    return nullptr;
  auto& found = slot(id.index);
  if (found.generation.load(std::memory_order_acquire) != id.generation
      || found.current_state() == slot_state::free)
    return nullptr;
  return &found;
}

void run_memory::locate_tables() noexcept {
  rows_ = reinterpret_cast<row_memory*>(base_ + header().rows_at);
  pages_ = reinterpret_cast<head_page*>(base_ + header().pages_at);
  heads_ = reinterpret_cast<object_head*>(base_ + header().heads);
}

std::uint32_t run_memory::head_of_place(offset place) noexcept {
  const auto& layout = header();
  const auto heads = std::uint64_t{layout.pages} * head_page::bytes;
  if (place >= layout.heads && place - layout.heads < heads)
    return static_cast<std::uint32_t>((place - layout.heads)
                                      / sizeof(object_head));
  for (const auto& region : layout.regions) {
    if (place < region.begin)
      continue;
    const auto granule = (place - region.begin) / region.granule;
    if (granule >= region.count)
      continue;
    // relaxed: the granule may be another's by the time the caller looks.
    const auto owner = reinterpret_cast<const std::atomic<std::uint32_t>*>(
                         base_ + region.words)[granule]
                         .load(std::memory_order_relaxed);
    // The highest bit: of a row, for its handle table.
    return owner == 0 || (owner & 0x8000'0000U) != 0 ? 0 : owner - 1;
  }
  return 0;
}

object_head* run_memory::find_object(object_id id, object_kind kind) noexcept {
  const auto index = head_number(id);
  if (!head_table::is_in_use(index))
    return nullptr;
  const auto side = side_of(id);
  if (is_object(side, id, kind))
    return side.head;
  head_table::looked_at(index);
  return nullptr;
}

std::uint64_t run_memory::used_bytes() const {
  return os::used_bytes(file_.get());
}

} // namespace troupe::memory
