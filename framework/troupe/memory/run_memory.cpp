// SPDX-License-Identifier: BSL-1.0
#include <troupe/memory/run_memory.hpp>

#include <troupe/base/error.hpp>
#include <troupe/memory/burial.hpp>
#include <troupe/os/memory_file.hpp>

#include <boost/interprocess/mapped_region.hpp>

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

constexpr std::uint64_t smallest_space = 1ULL << 30;

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

run_memory& run_memory::create(const limits& wanted) {
  if (exists())
    throw invalid_state("start a run", "this process belongs to one already",
                        "make one troupe::program only");
  if (wanted.processes < 2 || wanted.processes > 65536)
    throw invalid_argument("start a run with limits::processes = "
                             + std::to_string(wanted.processes),
                           "it must be from 2 to 65536");
  if (wanted.handles < 64 || wanted.handles > 1U << 24)
    throw invalid_argument("start a run with limits::handles = "
                             + std::to_string(wanted.handles),
                           "it must be from 64 to 16777216");
  const auto page = os::page_size();
  const auto slots = static_cast<std::uint32_t>(round_up(wanted.processes, 64));
  const auto rows = std::uint64_t{slots} + 1;
  // Whole pages for each process, so that they can be given back.
  const auto handles = static_cast<std::uint32_t>(
    round_up(wanted.handles, page / sizeof(offset)));
  const auto ledger = round_up(4096 + rows * sizeof(process_slot), page);
  const auto holdings = round_up(ledger + rows * sizeof(ledger_row), page);
  const auto objects = holdings + rows * handles * sizeof(offset);
  auto size = round_up(wanted.address_space, page);
  if (size < objects + smallest_space / 1024)
    throw invalid_argument("start a run with limits::address_space = "
                             + std::to_string(wanted.address_space),
                           "the tables alone need " + std::to_string(objects)
                             + " bytes",
                           "raise it, or lower processes or handles");
  std::unique_ptr<run_memory> memory;
  while (!memory) {
    try {
      memory.reset(
        new run_memory(os::make_memory_file("troupe-run", size), size));
    } catch (const os_failure&) {
      // A machine may limit address space (ulimit -v): less of it serves too.
      if (size / 2 < objects + smallest_space)
        throw;
      size = round_up(size / 2, page);
    }
  }
  auto* header = new (memory->base_) run_header;
  std::random_device random;
  for (auto& word : header->identity)
    word = (std::uint64_t{random()} << 32) | random();
  header->size = size;
  header->memory_limit = wanted.memory != 0 ? wanted.memory : os::memory_size();
  header->slots = slots;
  header->handles = handles;
  header->ledger = ledger;
  header->holdings = holdings;
  header->objects = objects;
  header->next.store(objects, std::memory_order_relaxed);
  header->magic = run_header::right_magic;
  memory->become({0, 1});
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
        || header->objects >= header->size)
      throw malformed_bytes("join a run",
                            "the inherited descriptor is not a run's memory",
                            "start children through Troupe only");
    size = header->size;
  }
  current_ = new run_memory(std::move(file), size);
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
  auto sum = ledger(header().slots).taken.load(std::memory_order_seq_cst);
  const auto high = header().slots_high.load(std::memory_order_seq_cst);
  for (std::uint32_t index = 0; index < high; ++index)
    sum += ledger(index).taken.load(std::memory_order_seq_cst);
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

bool run_memory::may_find(offset where, object_kind kind) const noexcept {
  // By a system call: to read a page that was given back through the mapping
  // would take it again.
  return may_be_object(where) && os::peek(file_.get(), where) == magic_of(kind);
}

object_header* run_memory::find_object(offset where,
                                       object_kind kind) noexcept {
  if (!may_find(where, kind))
    return nullptr;
  auto* object = reinterpret_cast<object_header*>(at(where));
  if (object->magic.load(std::memory_order_acquire) != magic_of(kind)) {
    give_back_if_gone(where);
    return nullptr;
  }
  return object;
}

std::uint64_t run_memory::used_bytes() const {
  return os::used_bytes(file_.get());
}

} // namespace troupe::memory
