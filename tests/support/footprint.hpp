// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <system_error>

#include <malloc.h>
#include <unistd.h>

namespace troupe::test {

/// What a process has, to be compared before and after. Also programs that
/// tests launch use it.
struct footprint {
  std::int64_t descriptors = 0;
  std::int64_t threads = 0;
  /// Bytes: of another process the pages that are its own, of the calling one
  /// what it has allocated.
  std::int64_t memory = 0;

  [[nodiscard]] static footprint of(std::int32_t pid) {
    const auto place = std::filesystem::path{"/proc"} / std::to_string(pid);
    footprint made;
    made.descriptors = entries_of(place / "fd");
    made.threads = entries_of(place / "task");
    std::ifstream file{place / "status"};
    for (std::string line; std::getline(file, line);)
      if (const std::string name{"RssAnon:"}; line.starts_with(name))
        made.memory = std::stoll(line.substr(name.size())) * 1024;
    return made;
  }

  [[nodiscard]] static footprint own() {
    auto made = of(::getpid());
    made.memory = static_cast<std::int64_t>(::mallinfo2().uordblks);
    return made;
  }

  /// "descriptors 0 threads 0 memory 128"
  [[nodiscard]] std::string since(const footprint& before) const {
    return "descriptors " + std::to_string(descriptors - before.descriptors)
           + " threads " + std::to_string(threads - before.threads) + " memory "
           + std::to_string(memory - before.memory);
  }

private:
  static std::int64_t entries_of(const std::filesystem::path& folder) {
    std::error_code failure;
    const std::filesystem::directory_iterator all{folder, failure};
    return std::distance(begin(all), end(all));
  }
};

} // namespace troupe::test
