// SPDX-License-Identifier: BSL-1.0
#include <support/leftovers.hpp>

#include <troupe/memory/run_memory.hpp>
#include <troupe/process/process.hpp>
#include <troupe/process/table.hpp>

#include <support/eventually.hpp>

#include <filesystem>
#include <iterator>
#include <system_error>
#include <utility>

namespace troupe::test {

namespace {

std::string living_processes() {
  std::string text;
  hosting::for_each_slot(
    [&](std::uint32_t index, const memory::process_slot& slot) {
      if (index != 0 && slot.current_state() != memory::slot_state::free)
        text += "process " + slot.name.get() + " in state "
                + std::to_string(slot.state.load()) + "; ";
    });
  return text;
}

std::string files() {
  std::string text;
  for (const char* folder : {"/dev/shm", "/tmp"}) {
    std::error_code failure;
    for (const auto& entry :
         std::filesystem::directory_iterator{folder, failure})
      if (entry.path().filename().string().starts_with("troupe-run"))
        text += "file " + entry.path().string() + "; ";
  }
  return text;
}

std::size_t entries_of(const char* folder) {
  std::error_code failure;
  const std::filesystem::directory_iterator all{folder, failure};
  return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

/// What a process, a pool or a state has as long as it lives. Whether all of
/// its processes have ended is looked at by itself.
bool is_kept(memory::object_kind kind) {
  using enum memory::object_kind;
  return kind == none || kind == ring || kind == inbox || kind == registry
         || kind == ledger || kind == share_table;
}

/// What is in `now` beyond `before`.
std::string difference(const inventory& before, const inventory& now) {
  std::string text;
  for (const auto& [kind, count] : now.objects) {
    const auto found = before.objects.find(kind);
    const auto had = found == before.objects.end() ? 0 : found->second;
    if (count > had)
      text += std::to_string(count - had) + " of kind " + memory::name_of(kind)
              + "; ";
  }
  if (now.descriptors > before.descriptors + descriptors_kept)
    text += std::to_string(now.descriptors - before.descriptors)
            + " descriptors; ";
  if (now.threads > before.threads + threads_kept)
    text += std::to_string(now.threads - before.threads) + " threads; ";
  return text;
}

std::map<memory::object_kind, std::size_t>& allowed() {
  static std::map<memory::object_kind, std::size_t> all;
  return all;
}

} // namespace

void may_leave(memory::object_kind kind, std::size_t count) {
  allowed()[kind] += count;
}

std::map<memory::object_kind, std::size_t> take_allowed() {
  return std::exchange(allowed(), {});
}

inventory inventory::take() {
  inventory result;
  auto& memory = memory::run_memory::current();
  using memory::head_page;
  const auto pages = memory.header().pages_high.load();
  for (std::uint32_t page = 1; page < pages; ++page) {
    // To look into a page that is not in use would take one.
    if (head_page::state_of(memory.page(page).word.load())
        != memory::page_state::open)
      continue;
    for (std::uint32_t i = 0; i < head_page::heads; ++i) {
      const auto& head = *memory.head_at(page * head_page::heads + i);
      const auto kind = static_cast<memory::object_kind>(head.kind.load());
      if (head.life_now().state() == memory::life_state::alive
          && !is_kept(kind))
        ++result.objects[kind];
    }
  }
  result.descriptors = entries_of("/proc/self/fd");
  result.threads = entries_of("/proc/self/task");
  return result;
}

std::string leftovers() {
  static_cast<void>(eventually([] { return living_processes().empty(); }));
  return living_processes() + files();
}

std::string leftovers(const inventory& before) {
  const auto processes = leftovers();
  static_cast<void>(
    eventually([&] { return difference(before, inventory::take()).empty(); }));
  return processes + difference(before, inventory::take());
}

} // namespace troupe::test
