// SPDX-License-Identifier: BSL-1.0
// Page 10: a pool.

#include <troupe/channel/queue.hpp>
#include <troupe/pool/pool.hpp>
#include <troupe/process/program.hpp>

#include <chrono>
#include <iostream>
#include <ranges>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>

long square(long n) {
  return n * n;
}

//[picky
int picky(int n) {
  if (n == 2)
    throw std::invalid_argument("two is refused");
  if (n == 3)
    troupe::current_process().kill();
  return n;
}
//]

void sleep_long() {
  std::this_thread::sleep_for(std::chrono::minutes{10});
}

//[state
struct dictionary {
  std::string language;
};

dictionary open_dictionary(std::string language) {
  return {std::move(language)};
}

std::string translate(std::string word) {
  return word + " (" + troupe::worker_state<dictionary>().language + ")";
}
//]

int main(int argc, char** argv) {
  troupe::program program{argc, argv};

  troupe::pool pool{2};

  //[async
  auto later = pool.apply_async<square>(9);
  if (later.wait_for(std::chrono::seconds{30}) == std::future_status::ready)
    std::cout << "later: " << later.get() << '\n';
  //]

  //[endless
  long sum = 0;
  auto squares = pool.imap<square>(std::views::iota(1L));
  for (int i = 0; i < 10; ++i)
    sum += *squares.next();
  std::cout << "the first ten squares add up to " << sum << '\n';
  //]

  //[requests
  troupe::queue<long> requests;
  requests.put(2);
  for (const long answer : pool.imap<square>(requests)) {
    std::cout << "answer " << answer << '\n';
    if (answer > 1000)
      break;
    requests.put(answer);
  }
  //]

  //[failures
  for (const int number : {1, 2, 3, 4}) {
    try {
      const int result = pool.apply<picky>(number);
      std::cout << number << ": " << result << '\n';
    } catch (const troupe::remote_error& failure) {
      if (failure.code() == troupe::errc::remote_exception)
        std::cout << number << ": " << failure.type() << ": " << failure.text()
                  << '\n';
      else
        std::cout << number << ": its worker was "
                  << failure.status().description() << '\n';
    }
  }
  //]

  //[limit
  troupe::pool hasty{{.size = 1, .hard_limit = std::chrono::milliseconds{100}}};
  try {
    hasty.apply<sleep_long>();
  } catch (const troupe::timed_out&) {
    std::cout << "too slow: its worker was killed and replaced\n";
  }
  //]

  //[hooks
  troupe::pool translators{
    {.size = 1}, troupe::worker_hooks{}.on_start<open_dictionary>("French")};
  std::cout << translators.apply<translate>("pool") << '\n';
  //]

  pool.close();
  pool.join();
}
