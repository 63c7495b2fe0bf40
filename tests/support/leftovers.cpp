// SPDX-License-Identifier: BSL-1.0
#include <support/leftovers.hpp>

#include <troupe/memory/run_memory.hpp>
#include <troupe/process/process.hpp>
#include <troupe/process/table.hpp>

#include <support/eventually.hpp>

#include <filesystem>

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

} // namespace

std::string leftovers() {
  static_cast<void>(eventually([] { return living_processes().empty(); }));
  return living_processes() + files();
}

} // namespace troupe::test
