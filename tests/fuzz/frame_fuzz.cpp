// SPDX-License-Identifier: BSL-1.0

// libFuzzer's target: clang++ -fsanitize=fuzzer,address. The run is made once;
// the fork server, which executes this program too, never returns from there.

#include "frame_input.hpp"

#include <troupe/process/program.hpp>

#include <cstddef>

extern "C" int LLVMFuzzerInitialize(int* argc, char*** argv) {
  static troupe::program program{*argc, *argv};
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  static_cast<void>(fuzz::feed({data, size}));
  return 0;
}
