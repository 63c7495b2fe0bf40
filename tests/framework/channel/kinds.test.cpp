// SPDX-License-Identifier: BSL-1.0
// Kinds of items that other tests do not send.
#include <troupe/channel/pipe.hpp>
#include <troupe/channel/queue.hpp>
#include <troupe/process/future.hpp>
#include <troupe/process/start.hpp>

#include <support/passed.hpp>

#include <doctest/doctest.h>

#include <map>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

using troupe::queue;
using troupe::test::passed;

namespace {

using entry = std::map<std::string, int>::value_type;

struct row {
  const int id;
  const std::string name;
  bool operator==(const row&) const = default;
};

row row_of(entry from) {
  return {from.second, from.first};
}

/// A category that no library knows.
class shop_category final : public std::error_category {
public:
  [[nodiscard]] const char* name() const noexcept override {
    return "shop";
  }
  [[nodiscard]] std::string message(int) const override {
    return "sold out";
  }
};

const std::error_category& shop() {
  static const shop_category category;
  return category;
}

const troupe::codec::sendable_category shop_entry{shop()};

std::error_code sell(std::error_code before) {
  if (&before.category() != &shop() || before.value() != 1)
    return {};
  return {2, shop()};
}

} // namespace

TEST_CASE("items with constant members pass through queues and pipes") {
  const std::map<std::string, int> all{{"a", 1}, {"b", 2}};
  const queue<entry> entries;
  const queue<row> rows;
  auto child = troupe::start(
    [](queue<entry> from, queue<row> to) {
      for (const auto& each : from)
        to.put(row_of(each));
    },
    entries, rows);
  entries.put_many(all);
  entries.close();
  CHECK(passed(child));
  CHECK(rows.get() == row{1, "a"});
  CHECK(rows.try_get() == row{2, "b"});
  CHECK_FALSE(rows.try_get());
  rows.put_many(std::vector<row>{{3, "c"}, {4, "d"}});
  CHECK(rows.get_many(2) == std::vector<row>{{3, "c"}, {4, "d"}});

  auto [here, there] = troupe::pipe<row>();
  here.send({5, "e"});
  here.send({6, "f"});
  CHECK(there.receive() == row{5, "e"});
  CHECK(there.try_receive() == row{6, "f"});

  CHECK(troupe::async<row_of>(entry{"g", 7}).get() == row{7, "g"});
}

TEST_CASE("an error code means the same in a process that starts afresh") {
  for (const auto method :
       {troupe::start_method::fork_server, troupe::start_method::spawn}) {
    const troupe::start_options options{.method = method};
    const auto answer
      = troupe::async<sell>(options, std::error_code{1, shop()}).get();
    CHECK(&answer.category() == &shop());
    CHECK(answer.value() == 2);
  }
}
