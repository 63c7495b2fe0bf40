// SPDX-License-Identifier: BSL-1.0
//
// What every carrier promises. A second one is another function in `all_kinds`.

#include <troupe/base/error.hpp>
#include <troupe/network/acceptor.hpp>
#include <troupe/network/admission.hpp>
#include <troupe/network/carrier.hpp>
#include <troupe/network/event_loop.hpp>
#include <troupe/network/tls_carrier.hpp>
#include <troupe/os/tcp.hpp>

#include <doctest/doctest.h>
#include <support/eventually.hpp>

#include <algorithm>
#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "shared_key.hpp"

using namespace troupe::network;
using troupe::bytes;
using troupe::bytes_view;
using troupe::test::eventually;
using troupe::test::shared;

namespace {

/// Bytes that tell their place, so that none can be missing or moved.
bytes filled(std::size_t size, unsigned seed = 0) {
  bytes made(size);
  for (std::size_t i = 0; i < size; ++i)
    made[i] = static_cast<std::byte>((i * 31 + i / 251 + seed) & 0xFFU);
  return made;
}

/// Notes what comes, in its order.
class recorder final : public carrier::receiver {
public:
  struct message {
    std::uint64_t tag = 0;
    std::size_t size = 0;
    bytes content;
  };

  void opened() override {
    const std::scoped_lock guard{mutex_};
    ++opened_;
  }

  void received(arrival& what) override {
    const std::scoped_lock guard{mutex_};
    after_loss_ |= !losses_.empty();
    message made{what.tag(), what.content().size(), {}};
    if (reads)
      made.content.assign(what.content().begin(), what.content().end());
    if (keeps)
      kept_.push_back(what.take());
    messages_.push_back(std::move(made));
  }

  void refused(std::uint64_t tag) override {
    const std::scoped_lock guard{mutex_};
    refused_.push_back(tag);
  }

  void lost(const loss& why) noexcept override {
    const std::scoped_lock guard{mutex_};
    losses_.push_back(why);
  }

  [[nodiscard]] std::vector<message> messages() const {
    const std::scoped_lock guard{mutex_};
    return messages_;
  }
  [[nodiscard]] std::size_t count() const {
    const std::scoped_lock guard{mutex_};
    return messages_.size();
  }
  [[nodiscard]] std::vector<std::uint64_t> tags() const {
    std::vector<std::uint64_t> all;
    for (const auto& each : messages())
      all.push_back(each.tag);
    return all;
  }
  [[nodiscard]] std::vector<std::uint64_t> refused_tags() const {
    const std::scoped_lock guard{mutex_};
    return refused_;
  }
  [[nodiscard]] std::vector<loss> losses() const {
    const std::scoped_lock guard{mutex_};
    return losses_;
  }
  [[nodiscard]] int times_opened() const {
    const std::scoped_lock guard{mutex_};
    return opened_;
  }
  [[nodiscard]] bool came_after_loss() const {
    const std::scoped_lock guard{mutex_};
    return after_loss_;
  }
  void release() {
    std::vector<payload> gone;
    const std::scoped_lock guard{mutex_};
    gone.swap(kept_);
  }

  std::atomic<bool> reads{true};
  std::atomic<bool> keeps{false};

private:
  mutable std::mutex mutex_;
  std::vector<message> messages_;
  std::vector<std::uint64_t> refused_;
  std::vector<loss> losses_;
  std::vector<payload> kept_;
  int opened_ = 0;
  bool after_loss_ = false;
};

/// Two ends that talk to each other.
class two_ends {
public:
  virtual ~two_ends() = default;

  [[nodiscard]] carrier& near() const {
    return *near_;
  }
  [[nodiscard]] carrier& far() const {
    return *far_;
  }

  const std::shared_ptr<recorder> at_near = std::make_shared<recorder>();
  const std::shared_ptr<recorder> at_far = std::make_shared<recorder>();

protected:
  std::shared_ptr<carrier> near_;
  std::shared_ptr<carrier> far_;
};

class two_tls_ends final : public two_ends {
public:
  two_tls_ends() {
    // What is found by its silence only is not found here.
    limits bounds;
    bounds.silence = std::chrono::hours{1};
    auto listening = std::make_shared<troupe::os::descriptor>(
      troupe::os::listen_tcp("127.0.0.1", 0));
    const auto port = troupe::os::local_port(listening->get());
    entrance_ = std::make_shared<acceptor>(
      far_loop_, server_, bounds,
      std::make_shared<admission>(bounds, address{port}),
      [this](const std::shared_ptr<tls_carrier>& by) {
        far_ = by;
        return at_far;
      });
    far_loop_->post(
      [this, listening] { entrance_->start(std::move(*listening)); });
    near_ = tls_carrier::make_client(
      near_loop_, client_,
      troupe::os::connect_tcp(
        "127.0.0.1", port, troupe::deadline::after(std::chrono::seconds{20})),
      bounds, at_near);
    REQUIRE(eventually([&] {
      return at_near->times_opened() == 1 && at_far->times_opened() == 1;
    }));
  }
  two_tls_ends(const two_tls_ends&) = delete;
  two_tls_ends& operator=(const two_tls_ends&) = delete;

  ~two_tls_ends() override {
    near_->close();
    far_->close();
    far_loop_->post([this] { entrance_->close(); });
    near_loop_->stop();
    far_loop_->stop();
  }

private:
  std::shared_ptr<const credentials> shown_ = credentials::of(shared());
  tls_context client_{shown_, tls_context::role::client};
  tls_context server_{shown_, tls_context::role::server};
  std::shared_ptr<event_loop> near_loop_ = std::make_shared<event_loop>();
  std::shared_ptr<event_loop> far_loop_ = std::make_shared<event_loop>();
  std::shared_ptr<acceptor> entrance_;
};

struct kind {
  const char* name;
  std::function<std::unique_ptr<two_ends>()> make;
};

std::vector<kind> all_kinds() {
  return {{"TLS", [] { return std::make_unique<two_tls_ends>(); }}};
}

/// Until it is gone no more than a few pieces go from the near end to the far
/// one: the far one keeps all that it may. So a test can give the sender
/// several messages before any is sent, however slow its thread is.
class held_up {
public:
  explicit held_up(two_ends& ends) : ends_(ends) {
    ends_.at_far->reads = false;
    ends_.at_far->keeps = true;
    ends_.near().send({filler, filler, bytes(most_unanswered), false, false});
    REQUIRE(eventually([&] { return ends_.at_far->count() == 1; }));
  }
  held_up(const held_up&) = delete;
  held_up& operator=(const held_up&) = delete;

  ~held_up() {
    ends_.at_far->keeps = false;
    ends_.at_far->release();
  }

  /// The tag of the message that is kept, which arrives first.
  static constexpr std::uint64_t filler = 1'000'000;

private:
  two_ends& ends_;
};

/// Runs `check` with two ends of each kind.
void with_each(const std::function<void(two_ends&)>& check) {
  for (const auto& each : all_kinds()) {
    INFO(std::string{each.name});
    const auto ends = each.make();
    check(*ends);
  }
}

} // namespace

TEST_CASE("both ends are opened, once") {
  with_each([](two_ends& ends) {
    CHECK(ends.at_near->times_opened() == 1);
    CHECK(ends.at_far->times_opened() == 1);
  });
}

TEST_CASE("messages of every size arrive once and whole, both ways") {
  with_each([](two_ends& ends) {
    const std::vector<std::size_t> sizes{0,
                                         1,
                                         23,
                                         16'384,
                                         longest_small - 1,
                                         longest_small,
                                         longest_small + 1,
                                         longest_piece,
                                         longest_piece + 1,
                                         3 * longest_piece,
                                         5'000'000};
    const auto check = [&](carrier& from, const recorder& to) {
      for (std::size_t i = 0; i < sizes.size(); ++i)
        from.send(
          {i + 1, i, filled(sizes[i], static_cast<unsigned>(i)), false, false});
      REQUIRE(eventually([&] { return to.count() == sizes.size(); }));
      auto came = to.messages();
      std::sort(came.begin(), came.end(),
                [](const auto& a, const auto& b) { return a.tag < b.tag; });
      for (std::size_t i = 0; i < sizes.size(); ++i) {
        CHECK(came[i].tag == i + 1);
        CHECK((came[i].content == filled(sizes[i], static_cast<unsigned>(i))));
      }
    };
    check(ends.near(), *ends.at_far);
    check(ends.far(), *ends.at_near);
  });
}

TEST_CASE("messages of one stream arrive in their order, however long they "
          "are") {
  with_each([](two_ends& ends) {
    for (std::uint64_t i = 0; i < 60; ++i)
      ends.near().send(
        {i, 7, filled(i % 3 == 0 ? 300'000 : i * 1000), false, false});
    REQUIRE(eventually([&] { return ends.at_far->count() == 60; }));
    const auto tags = ends.at_far->tags();
    CHECK(std::is_sorted(tags.begin(), tags.end()));
  });
}

TEST_CASE("what one thread sends in one stream keeps its order behind many "
          "small ones") {
  with_each([](two_ends& ends) {
    // More than is sent in a row before a piece has its turn.
    for (std::uint64_t i = 0; i < 40; ++i)
      ends.near().send({i, 7, filled(60'000), false, false});
    ends.near().send({40, 7, filled(longest_small + 1), false, false});
    ends.near().send({41, 7, {}, false, false});
    REQUIRE(eventually([&] { return ends.at_far->count() == 42; }));
    const auto tags = ends.at_far->tags();
    CHECK(std::is_sorted(tags.begin(), tags.end()));
  });
}

TEST_CASE("a small message overtakes a long one of another stream") {
  with_each([](two_ends& ends) {
    const auto large = filled(48 << 20);
    {
      const held_up stopped{ends};
      ends.near().send({1, 1, large, false, false});
      ends.near().send({2, 2, filled(10), false, false});
    }
    REQUIRE(eventually([&] { return ends.at_far->count() == 3; }));
    CHECK((ends.at_far->tags()
           == std::vector<std::uint64_t>{held_up::filler, 2, 1}));
  });
}

TEST_CASE("long messages of different streams take turns") {
  with_each([](two_ends& ends) {
    const auto large = filled(40 << 20);
    {
      const held_up stopped{ends};
      ends.near().send({1, 1, large, false, false});
      ends.near().send({2, 2, filled(4 << 20), false, false});
      ends.near().send({3, 3, filled(1 << 20), false, false});
    }
    REQUIRE(eventually([&] { return ends.at_far->count() == 4; }));
    CHECK((ends.at_far->tags()
           == std::vector<std::uint64_t>{held_up::filler, 3, 2, 1}));
  });
}

TEST_CASE("what goes behind all arrives behind all that was sent before") {
  with_each([](two_ends& ends) {
    const auto large = filled(20 << 20);
    const auto smaller = filled(5 << 20);
    ends.at_far->reads = false;
    ends.near().send({1, 1, large, false, false});
    ends.near().send({2, 2, smaller, false, false});
    ends.near().send({3, 3, {}, false, true});
    ends.near().send({4, 4, {}, false, false});
    ends.near().send({5, 5, {}, false, true});
    REQUIRE(eventually([&] { return ends.at_far->count() == 5; }));
    // Which of 1 and 2 comes first, and whether 4 overtakes them, depends on
    // how fast this thread is.
    const auto tags = ends.at_far->tags();
    const auto place = [&](std::uint64_t tag) {
      return std::ranges::find(tags, tag) - tags.begin();
    };
    CHECK(place(3) > place(1));
    CHECK(place(3) > place(2));
    CHECK(place(5) == 4);
  });
}

TEST_CASE("what is borrowed is read where it stands, until it is sent") {
  with_each([](two_ends& ends) {
    const auto large = filled(30 << 20);
    ends.near().send({1, 1, large, true, false});
    CHECK((ends.near().borrows(large.data()) || ends.at_far->count() == 1));
    REQUIRE(eventually([&] { return ends.at_far->count() == 1; }));
    CHECK((ends.at_far->messages()[0].content == large));
    CHECK(eventually([&] { return !ends.near().borrows(large.data()); }));
  });
}

TEST_CASE("threads send at once, and each keeps its order") {
  with_each([](two_ends& ends) {
    constexpr std::uint64_t threads = 4;
    constexpr std::uint64_t each = 300;
    {
      std::vector<std::jthread> crew;
      for (std::uint64_t t = 0; t < threads; ++t)
        crew.emplace_back([&ends, t] {
          for (std::uint64_t i = 0; i < each; ++i)
            ends.near().send({t * 1000 + i, t,
                              filled(i % 50 == 0 ? 200'000 : i), false, false});
        });
    }
    REQUIRE(eventually([&] { return ends.at_far->count() == threads * each; }));
    std::vector<std::uint64_t> next(threads, 0);
    for (const auto tag : ends.at_far->tags())
      CHECK(tag % 1000 == next[tag / 1000]++);
  });
}

TEST_CASE("a receiver that keeps what came holds up the sender, until it gives "
          "it back") {
  const auto one = filled(1 << 20);
  constexpr std::size_t all = 150;
  const auto most = most_unanswered / one.size() + 1;
  const auto check = [&](two_ends& ends, bool in_turns, std::size_t least) {
    ends.at_far->reads = false;
    ends.at_far->keeps = true;
    for (std::size_t i = 0; i < all; ++i)
      ends.near().send({i, in_turns ? i : 1, one, false, false});
    CHECK(eventually([&] { return ends.at_far->count() >= least; }));
    // A message that goes the other way is not held up, and shows that time has
    // passed.
    ends.far().send({1, 1, filled(3 << 20), false, false});
    CHECK(eventually([&] { return ends.at_near->count() == 1; }));
    CHECK(ends.at_far->count() <= most);
    CHECK(eventually([&] {
      ends.at_far->release();
      return ends.at_far->count() == all;
    }));
  };
  SUBCASE("one after the other") {
    with_each([&](two_ends& ends) { check(ends, false, most - 1); });
  }
  // How many are whole when no more may be sent depends on how fast this thread
  // is. One is: else nobody could give anything back.
  SUBCASE("in turns") {
    with_each([&](two_ends& ends) { check(ends, true, 1); });
  }
}

TEST_CASE("a message that is too long to be sent is told of") {
  with_each([](two_ends& ends) {
    ends.far().refuse(42);
    CHECK(eventually([&] {
      return ends.at_near->refused_tags() == std::vector<std::uint64_t>{42};
    }));
  });
}

TEST_CASE(
  "the end of a connection is told once at both ends, and nothing comes "
  "after it") {
  with_each([](two_ends& ends) {
    for (std::uint64_t i = 0; i < 100; ++i)
      ends.far().send({i, i, filled(100'000), false, false});
    ends.near().close();
    ends.near().close();
    CHECK(eventually([&] {
      return ends.at_near->losses().size() == 1
             && ends.at_far->losses().size() == 1;
    }));
    CHECK((ends.at_near->losses()[0].why == loss::cause::closed_here));
    const auto count = ends.at_near->count();
    ends.near().send({1, 1, filled(10), false, false});
    ends.far().send({1, 1, filled(10), false, false});
    ends.far().close();
    CHECK_FALSE(ends.at_near->came_after_loss());
    CHECK_FALSE(ends.at_far->came_after_loss());
    CHECK(ends.at_near->count() == count);
    CHECK(ends.at_near->losses().size() == 1);
    CHECK(ends.at_far->losses().size() == 1);
  });
}

TEST_CASE("what was sent before the end is there before it") {
  with_each([](two_ends& ends) {
    ends.far().send({1, 1, filled(1000), false, false});
    ends.far().close();
    CHECK(eventually([&] { return ends.at_near->losses().size() == 1; }));
    CHECK((ends.at_near->losses()[0].why == loss::cause::closed_there));
    CHECK((ends.at_near->tags() == std::vector<std::uint64_t>{1}));
  });
}
