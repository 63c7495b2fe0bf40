// SPDX-License-Identifier: BSL-1.0
#include <troupe/base/error.hpp>
#include <troupe/process/remote_error.hpp>
#include <troupe/state/dict.hpp>
#include <troupe/state/list.hpp>
#include <troupe/state/queue.hpp>
#include <troupe/state/remote_caller.hpp>
#include <troupe/state/serving.hpp>
#include <troupe/state/value.hpp>

#include <doctest/doctest.h>
#include <support/eventually.hpp>

#include <condition_variable>
#include <mutex>
#include <random>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace held = troupe::held;
using namespace std::chrono_literals;
using troupe::state;
using troupe::test::eventually;

// All of this runs inside of a state's process, which plays its own client of
// another program: what a network would carry goes from hand to hand.

namespace {

class answer_in_hand final : public held::pending {
public:
  struct place {
    std::mutex mutex;
    std::condition_variable filled;
    troupe::bytes answer;
    bool done = false;
  };

  explicit answer_in_hand(std::shared_ptr<place> from)
    : from_(std::move(from)) {
  }

  bool wait(troupe::deadline limit) override {
    std::unique_lock guard{from_->mutex};
    const auto done = [this] { return from_->done; };
    if (!limit.is_never())
      return from_->filled.wait_until(guard, limit.when(), done);
    from_->filled.wait(guard, done);
    return true;
  }

  void take(held::answer_reader& reader) override {
    static_cast<void>(wait(troupe::deadline::never()));
    reader.read(from_->answer, {});
  }

private:
  std::shared_ptr<place> from_;
};

class connection_in_hand final : public held::remote_caller {
public:
  explicit connection_in_hand(std::uint64_t client) : client_(client) {
  }

  std::unique_ptr<held::pending>
  send_bytes(troupe::bytes_view request) override {
    auto into = std::make_shared<answer_in_hand::place>();
    held::serve(client_, request, [into](troupe::bytes_view answer) {
      const std::scoped_lock guard{into->mutex};
      into->answer.assign(answer.begin(), answer.end());
      into->done = true;
      into->filled.notify_all();
    });
    return std::make_unique<answer_in_hand>(into);
  }

  void send_and_forget(troupe::bytes_view request) noexcept override {
    held::serve(client_, request, [](troupe::bytes_view) {});
  }

  [[nodiscard]] std::string description() const override {
    return "a state over a network";
  }

private:
  std::uint64_t client_;
};

state connect_to(std::uint64_t client) {
  return state{std::shared_ptr<held::caller>{
    std::make_shared<connection_in_hand>(client)}};
}

using numbers = held::list<int>;

/// Throws if `right` is not.
void expect(bool right, const std::string& what) {
  if (!right)
    throw std::runtime_error(what);
}

void use_remotely() {
  const auto away = connect_to(1);
  const auto before = away.size();
  {
    auto dict = away.make<held::dict<std::string, numbers>>();
    dict.set("a", away.make<numbers>({1, 2}));
    dict.at("a").push_back(3);
    expect(dict.at("a").snapshot() == std::vector{1, 2, 3}, "nested list");
    expect(away.size() == before + 2, "two objects");
    auto copy = dict.at("a");
    dict.clear();
    expect(copy.size() == 3, "the list lives by its proxy");
  }
  try {
    static_cast<void>(away.make<numbers>().at(0));
    expect(false, "it did not throw");
  } catch (const troupe::remote_error& thrown) {
    expect(thrown.type() == "std::out_of_range", thrown.type());
  }
}

void lose_connection() {
  const auto here = state::here();
  const auto tasks = here.make<held::queue<int>>();
  here.bind("tasks", tasks);
  {
    const auto away = connect_to(2);
    auto from = away.find<held::queue<int>>("tasks");
    auto kept = away.make<numbers>({1});
    auto waiting = from.call_async<&held::waiting_queue<int>::get>();
    expect(waiting.wait_for(0ms) == std::future_status::timeout, "it waits");
    held::client_gone(2);
    tasks.put(5);
    expect(tasks.get() == 5, "a client that is gone takes nothing");
  }
  here.unbind("tasks");
}

/// An object of which the client was not told.
void guess_numbers() {
  const auto secret = state::here().make<numbers>({1});
  troupe::codec::packet request;
  troupe::codec::encode_into(
    request,
    held::call_head{{},
                    secret.target()->number(),
                    held::operation_of<
                      std::vector<int>,
                      troupe::calls::named<&held::list_functions<int>::size>>.id(),
                    -1});
  bool refused = false;
  held::serve(3, request.body(), [&](troupe::bytes_view answer) {
    refused = answer[0] == std::byte{1};
  });
  expect(refused, "a number that was guessed is refused");
}

void send_garbage() {
  std::minstd_rand random{7};
  int answers = 0;
  int failures = 0;
  const auto count = [&](troupe::bytes_view answer) {
    ++answers;
    failures += answer[0] == std::byte{1} ? 1 : 0;
  };
  for (int i = 0; i < 3000; ++i) {
    troupe::bytes noise(random() % 120);
    for (auto& each : noise)
      each = static_cast<std::byte>(random());
    held::serve(4, noise, count);
  }
  expect(answers == 3000, "each is answered");
  expect(failures == 3000, "each is refused");
  // A right head with noise behind it.
  const auto away = connect_to(4);
  const auto list = away.make<numbers>({1, 2});
  for (int i = 0; i < 3000; ++i) {
    troupe::codec::packet request;
    troupe::codec::encode_into(
      request,
      held::call_head{{},
                      list.target()->number(),
                      held::operation_of<
                        std::vector<int>,
                        troupe::calls::named<&held::list_functions<int>::append>>.id(),
                      -1});
    troupe::bytes all(request.body().begin(), request.body().end());
    for (auto left = random() % 40; left != 0; --left)
      all.push_back(static_cast<std::byte>(random()));
    held::serve(4, all, count);
  }
  expect(answers == 6000, "each is answered, too");
  expect(failures == 6000, "each is refused, too");
  expect(list.snapshot() == std::vector{1, 2}, "nothing was appended");
  held::client_gone(4);
}

} // namespace

TEST_CASE("a client of another program has the same proxies") {
  const state here;
  here.run<&use_remotely>();
  CHECK(here.size() == 0);
}

TEST_CASE("what a lost connection had asked for and held is forgotten") {
  const state here;
  here.run<&lose_connection>();
  CHECK(here.size() == 0);
}

TEST_CASE("an object that was never named to a client is not there for it") {
  const state here;
  here.run<&guess_numbers>();
}

TEST_CASE("no bytes from outside do any harm") {
  const state here;
  const auto list = here.make<numbers>({1});
  here.run<&send_garbage>();
  CHECK(list.at(0) == 1);
}
