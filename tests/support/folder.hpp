// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <filesystem>
#include <fstream>
#include <string>

#include <doctest/doctest.h>
#include <stdlib.h>

namespace troupe::test {

/// A folder of a test's own, that is gone with it.
class folder {
public:
  folder() {
    std::string name = std::filesystem::temp_directory_path() / "troupe-XXXXXX";
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path_ = name;
  }

  ~folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  folder(const folder&) = delete;
  folder& operator=(const folder&) = delete;

  /// Makes a file anew, and returns its path.
  std::string file(const std::string& name, const std::string& text,
                   std::filesystem::perms may
                   = std::filesystem::perms::owner_read
                     | std::filesystem::perms::owner_write) const {
    const auto path = path_ / name;
    std::ofstream{path, std::ios::binary | std::ios::trunc} << text;
    std::filesystem::permissions(path, may);
    return path;
  }

  [[nodiscard]] const std::filesystem::path& path() const noexcept {
    return path_;
  }

private:
  std::filesystem::path path_;
};

} // namespace troupe::test
