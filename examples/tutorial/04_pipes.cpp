// SPDX-License-Identifier: BSL-1.0
// Tutorial, page 4: pipes, and waiting for many things.

#include <troupe/channel/pipe.hpp>
#include <troupe/channel/wait_any.hpp>
#include <troupe/process/program.hpp>

#include <chrono>
#include <iostream>
#include <string>
#include <vector>

using namespace std::chrono_literals;

//[narrate
void narrate(troupe::connection<std::string> out) {
  out.send("It was a dark and stormy night;");
  out.send("the rain fell in torrents");
  troupe::current_process().kill();
}
//]

using numbers = troupe::connection<long>;

void count_to(numbers out, long last) {
  for (long number = 1; number <= last; ++number)
    out.send(number);
}

void report(troupe::queue<std::string> news, numbers cue) {
  static_cast<void>(cue.receive());
  news.put("it rains");
  static_cast<void>(cue.receive());
}

int main(int argc, char** argv) {
  troupe::program program{argc, argv};
  {
    //[listen
    auto [in, out] = troupe::pipe<std::string>(troupe::one_way);
    auto narrator = troupe::start<narrate>(out);
    out.close();
    try {
      for (;;)
        std::cout << in.receive() << std::endl;
    } catch (const troupe::closed&) {
      std::cout << "the narrator was " << narrator.join().description()
                << std::endl;
    }
    //]
  }
  {
    //[many
    std::vector<numbers> readers;
    std::vector<troupe::process> children;
    for (const long last : {10, 20, 30}) {
      auto [in, out] = troupe::pipe<long>(troupe::one_way);
      children.push_back(troupe::start<count_to>(out, last));
      readers.push_back(in);
    }
    long sum = 0;
    while (!readers.empty()) {
      const std::vector<troupe::wait_source> sources{readers.begin(),
                                                     readers.end()};
      const auto ready = troupe::wait_any(sources);
      try {
        sum += readers[ready].receive();
      } catch (const troupe::closed&) {
        readers.erase(readers.begin() + static_cast<long>(ready));
      }
    }
    std::cout << "three pipes brought " << sum << std::endl;
    //]
  }
  //[kinds
  troupe::queue<std::string> news;
  auto [cue, other] = troupe::pipe<long>();
  auto reporter = troupe::start<report>(news, other);

  const auto what = [&](std::chrono::seconds limit) {
    switch (troupe::wait_any(news, reporter, limit)) {
      case 0: return "news: " + news.get();
      case 1: return "the reporter " + reporter.join().description();
      default: return std::string{"nothing yet"};
    }
  };
  std::cout << what(0s) << std::endl;
  cue.send(1);
  std::cout << what(60s) << std::endl;
  cue.send(2);
  std::cout << what(60s) << std::endl;
  //]
}
