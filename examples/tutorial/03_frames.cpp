// SPDX-License-Identifier: BSL-1.0
// Tutorial, page 3: a stream of frames.

#include <troupe/channel/queue.hpp>
#include <troupe/process/program.hpp>
#include <troupe/shared/buffer.hpp>

#include <algorithm>
#include <cstddef>
#include <iostream>

//[frames
constexpr std::size_t frame_size = 24 << 20; // 4K, three bytes a pixel

void film(troupe::queue<troupe::buffer> frames) {
  for (int number = 0; number < 50; ++number) {
    const troupe::buffer frame(frame_size); // memory of a frame of before
    std::ranges::fill(frame, std::byte(number));
    frames.put(frame);
  }
  frames.close();
}

int main(int argc, char** argv) {
  troupe::program program{argc, argv};
  const troupe::queue<troupe::buffer> frames{4}; // four may wait
  troupe::process camera = troupe::start<film>(frames);
  int count = 0;
  std::byte last{};
  for (const troupe::buffer& frame : frames) {
    ++count;
    last = frame.data()[frame.size() / 2];
  }
  std::cout << count << " frames, the last one of colour "
            << std::to_integer<int>(last) << std::endl;
}
//]
