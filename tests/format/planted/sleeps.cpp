// SPDX-License-Identifier: BSL-1.0
#include <chrono>
#include <thread>

#include <unistd.h>

using namespace std::chrono_literals;

int main() {
  // Time: an input.
  std::this_thread::sleep_for(1ms);
  std::this_thread::sleep_for(2ms);
  ::usleep(3);
}
