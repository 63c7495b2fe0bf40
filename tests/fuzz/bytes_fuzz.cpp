// SPDX-License-Identifier: BSL-1.0

// libFuzzer's target for what reads bytes and needs no run: TROUPE_FUZZ_FEED is
// its function. With TROUPE_FUZZ_SEEDS, which names right ones,
// `--seeds=FOLDER` writes these there and ends.

#include TROUPE_FUZZ_INPUT

#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

extern "C" int LLVMFuzzerInitialize(int* argc, char*** argv) {
  constexpr std::string_view option{"--seeds="};
  for (int i = 1; i < *argc; ++i) {
    const std::string_view word{(*argv)[i]};
    if (!word.starts_with(option))
      continue;
    const std::filesystem::path folder{word.substr(option.size())};
    std::filesystem::create_directories(folder);
    int number = 0;
    for (const auto& each : fuzz::TROUPE_FUZZ_SEEDS()) {
      std::ofstream file{folder / ("right-" + std::to_string(++number)),
                         std::ios::binary};
      file.write(reinterpret_cast<const char*>(each.data()),
                 static_cast<std::streamsize>(each.size()));
    }
    std::exit(0);
  }
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  static_cast<void>(fuzz::TROUPE_FUZZ_FEED({data, size}));
  return 0;
}
