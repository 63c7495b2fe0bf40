// SPDX-License-Identifier: BSL-1.0
// A queue and a process in an event loop that is not Troupe's.

#include <troupe/channel/queue.hpp>
#include <troupe/process/program.hpp>

#include <iostream>
#include <string>

#include <sys/epoll.h>
#include <unistd.h>

//[watch
void watch(int loop, int descriptor) {
  epoll_event wanted{};
  wanted.events = EPOLLIN;
  wanted.data.fd = descriptor;
  ::epoll_ctl(loop, EPOLL_CTL_ADD, descriptor, &wanted);
}
//]

int main(int argc, char** argv) {
  troupe::program program{argc, argv};

  //[make
  troupe::queue<std::string> news;
  auto writer = troupe::start(
    [](troupe::queue<std::string> to) { to.put("the sun shines"); }, news);

  const int loop = ::epoll_create1(EPOLL_CLOEXEC);
  watch(loop, news.readable_fd());
  watch(loop, writer.sentinel());
  //]

  //[loop
  bool runs = true;
  while (runs) {
    epoll_event got{};
    ::epoll_wait(loop, &got, 1, -1);
    while (const auto item = news.try_get())
      std::cout << "epoll brought: " << *item << std::endl;
    if (got.data.fd == writer.sentinel()) {
      std::cout << "the writer " << writer.join().description() << std::endl;
      runs = false;
    }
  }
  ::close(loop);
  //]
}
