// SPDX-License-Identifier: BSL-1.0
// Page 4 of the tutorial: a socket and a pool's result in one loop.
#include <troupe/channel/queue.hpp>
#include <troupe/channel/wait_any.hpp>
#include <troupe/pool/pool.hpp>
#include <troupe/process/program.hpp>

#include <chrono>
#include <iostream>
#include <string>
#include <thread>
#include <vector>

#include <sys/socket.h>
#include <unistd.h>

using namespace std::chrono_literals;

/// Adds up, when it is told to.
long sum_to(long last, troupe::queue<bool> go) {
  static_cast<void>(go.get());
  long sum = 0;
  for (long i = 1; i <= last; ++i)
    sum += i;
  return sum;
}

std::string read_from(int socket) {
  char bytes[64];
  const auto size = ::read(socket, bytes, sizeof bytes);
  return size > 0 ? std::string(bytes, static_cast<std::size_t>(size)) : "";
}

void write_to(int socket, const std::string& text) {
  if (::write(socket, text.data(), text.size()) < 0)
    std::cerr << "nobody reads the answer" << std::endl;
}

/// Asks, and asks again when there is a result.
void ask(int socket, const troupe::queue<bool>& go) {
  write_to(socket, "how far?");
  std::cout << "answer: " << read_from(socket) << std::endl;
  go.put(true);
  std::cout << "answer: " << read_from(socket) << std::endl;
  ::close(socket);
}

int main(int argc, char** argv) {
  troupe::program program{argc, argv};
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0)
    return 1;
  const int socket = ends[0];
  troupe::queue<bool> go;
  //[loop
  troupe::pool pool{2};
  auto sum = pool.apply_async<sum_to>(100, go);
  std::jthread client{ask, ends[1], go};

  for (bool open = true; open;)
    switch (troupe::wait_any(socket, sum, 60s)) {
      case 0: {
        const auto question = read_from(socket);
        open = !question.empty();
        if (open)
          write_to(socket, "still adding");
        break;
      }
      case 1: write_to(socket, "it is " + std::to_string(sum.get())); break;
      default: std::cout << "nobody asks, nothing comes" << std::endl;
    }
  //]
  ::close(socket);
  //[futures
  std::vector<troupe::future<long>> futures;
  for (const long last : {10, 100})
    futures.push_back(troupe::async<sum_to>(last, go));
  go.put_many(std::vector{true, true});
  long total = 0;
  while (const auto index = troupe::wait_any(futures))
    total += futures[*index].get();
  std::cout << "together: " << total << std::endl;
  //]
}
