// SPDX-License-Identifier: BSL-1.0

// The system calls that ten thousand operations make in the thread that calls
// them, in the steady state: those with which a thread waits, or wakes one that
// waits, are left out, for their number says how busy the machine is. Each is
// counted the second time, when what is made once is made.

#include "suite.hpp"

#include <support/system_calls.hpp>

#include <troupe/channel/pipe.hpp>
#include <troupe/channel/queue.hpp>
#include <troupe/pool/pool.hpp>
#include <troupe/process/program.hpp>
#include <troupe/runtime/spawn.hpp>
#include <troupe/shared/value.hpp>
#include <troupe/state/state.hpp>
#include <troupe/state/value.hpp>
#include <troupe/sync/mutex.hpp>

#include <caf/all.hpp>

#include <cstdint>
#include <numeric>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace {

namespace held = troupe::held;

int increment(int number) {
  return number + 1;
}

caf::behavior sink() {
  return {[](int) {}};
}

/// Of the process whose calls are counted; it ends with it.
troupe::pool& workers() {
  static auto& all = *new troupe::pool{2};
  return all;
}

std::vector<int> numbers(int count) {
  std::vector<int> result(static_cast<std::size_t>(count));
  std::iota(result.begin(), result.end(), 0);
  return result;
}

void put(int operations, troupe::queue<int> into) {
  for (int i = 0; i < operations; ++i)
    into.put(i);
}

/// Of a queue that stays as full as it is; `put` makes no system call.
void get(int operations, troupe::queue<int> from) {
  for (int i = 0; i < operations; ++i) {
    static_cast<void>(from.get());
    from.put(i);
  }
}

/// Of a queue that becomes empty, which gives its memory back to the system:
/// two calls for each piece, from 64 KiB to 2 MiB.
void empty(int operations, troupe::queue<int> which) {
  for (int i = 0; i < operations; ++i)
    static_cast<void>(which.get());
}

void send_and_receive(int operations, troupe::connection<int> one,
                      troupe::connection<int> other) {
  for (int i = 0; i < operations; ++i) {
    one.send(i);
    static_cast<void>(other.receive());
  }
}

void lock(int operations, troupe::mutex word) {
  for (int i = 0; i < operations; ++i) {
    word.lock();
    word.unlock();
  }
}

void add(int operations, troupe::value<int> to) {
  for (int i = 0; i < operations; ++i)
    to += 1;
}

void call(int operations, held::value<int> of) {
  for (int i = 0; i < operations; ++i)
    of += 1;
}

void send_messages(int operations, caf::actor to) {
  for (int i = 0; i < operations; ++i)
    caf::anon_send(to, i);
}

void map_one_by_one(int operations) {
  static const auto input = numbers(100);
  for (int i = 0; i < operations / 100; ++i)
    static_cast<void>(workers().map<increment>(input, 1));
}

void imap(int operations) {
  static const auto input = numbers(operations);
  for (const int each : workers().imap_unordered<increment>(input))
    static_cast<void>(each);
}

void apply(int operations) {
  for (int i = 0; i < operations; ++i)
    static_cast<void>(workers().apply<increment>(i));
}

template <auto Function, class... Args>
bool report(bench::suite& suite, const std::string& what, const Args&... args) {
  if (!suite.wants(what))
    return false;
  const auto calls = troupe::test::system_calls_of<
    Function, troupe::test::counted::besides_waiting>(args...);
  if (calls)
    suite.report(what, static_cast<double>(*calls), "calls");
  else
    suite.absent(what, "processes may not be traced here");
  return calls.has_value();
}

template <auto Function, class... Args>
void count(bench::suite& suite, const std::string& what, const Args&... args) {
  if (report<Function>(suite, what, args...))
    suite.at_most(0, what);
}

} // namespace

int main(int argc, char** argv) {
  troupe::program program{argc, argv};
  bench::suite suite{"system_calls", argc, argv};
  const int operations = suite.scaled(10'000, 100);
  troupe::queue<int> filling;
  count<put>(suite, "put", operations, filling);
  troupe::queue<int> full;
  full.put_many(numbers(2 * operations));
  report<empty>(suite, "get_until_empty", operations, full);
  troupe::queue<int> half_full;
  half_full.put_many(numbers(operations));
  count<get>(suite, "get", operations, half_full);
  const auto [one, other] = troupe::pipe<int>();
  count<send_and_receive>(suite, "send_and_receive", operations, one, other);
  count<lock>(suite, "lock", operations, troupe::mutex{});
  count<add>(suite, "add_to_value", operations, troupe::value<int>{});
  const troupe::state state;
  count<call>(suite, "call_of_a_state", operations,
              state.make<held::value<int>>());
  count<send_messages>(suite, "message", operations, troupe::spawn<sink>());
  count<map_one_by_one>(suite, "map_one_by_one", operations);
  count<imap>(suite, "imap_unordered", operations);
  count<apply>(suite, "apply", operations);
  return 0;
}
