// SPDX-License-Identifier: BSL-1.0
#include <troupe/sync/mutex_actor.hpp>
#include <troupe/sync/services.hpp>

#include <troupe/base/error.hpp>
#include <troupe/process/start.hpp>
#include <troupe/runtime/actor_system.hpp>
#include <troupe/shared/value.hpp>
#include <troupe/transport/caf_error.hpp>

#include <caf/scoped_actor.hpp>
#include <doctest/doctest.h>
#include <support/eventually.hpp>
#include <support/seed.hpp>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <optional>
#include <random>
#include <string>
#include <vector>

using troupe::test::eventually;
using troupe::test::seed;

namespace {

struct account {
  troupe::mutex lock;
  troupe::value<long> number;
  troupe::value<long> twin;
  troupe::value<int> inside;
  troupe::value<long> wrong;
  troupe::value<int> stop;

  void save(troupe::codec::encoder& to) const {
    to.save(lock);
    for (const auto* each : {&number, &twin, &wrong})
      to.save(*each);
    to.save(inside);
    to.save(stop);
  }

  static account load(troupe::codec::decoder& from) {
    auto lock = from.load<troupe::mutex>();
    auto number = from.load<troupe::value<long>>();
    auto twin = from.load<troupe::value<long>>();
    auto wrong = from.load<troupe::value<long>>();
    auto inside = from.load<troupe::value<int>>();
    auto stop = from.load<troupe::value<int>>();
    return {lock, number, twin, inside, wrong, stop};
  }
};

void be_inside(const account& on, bool owner_died) {
  if (on.inside.exchange(1) != 0 && !owner_died)
    ++on.wrong;
  if (owner_died)
    on.twin.raw() = on.number.raw();
  else if (on.twin.raw() != on.number.raw())
    ++on.wrong;
  on.number.raw() = on.number.raw() + 1;
  on.twin.raw() = on.twin.raw() + 1;
  on.inside.store(0);
}

void lock_by_word(account on) {
  while (on.stop.load() == 0) {
    const auto granted = on.lock.acquire();
    be_inside(on, granted.owner_died);
    on.lock.unlock();
  }
}

/// Acquires by a request, and asks for the actor again when that has died.
void lock_by_message(account on) {
  caf::scoped_actor self{troupe::actor_system()};
  auto door = actor_of(on.lock);
  while (on.stop.load() == 0) {
    std::optional<troupe::grant> granted;
    self->request(door, caf::infinite, troupe::acquire_atom_v)
      .receive([&](const troupe::grant& got) { granted = got; },
               [&](const caf::error&) { door = actor_of(on.lock); });
    if (!granted)
      continue;
    be_inside(on, granted->owner_died);
    bool answered = false;
    while (!answered)
      self->request(door, caf::infinite, troupe::release_atom_v)
        .receive([&] { answered = true; },
                 [&](const caf::error& why) {
                   // Released, and the answer was lost.
                   answered = why.category() == caf::type_id_v<troupe::errc>
                              && static_cast<troupe::errc>(why.code())
                                   == troupe::errc::not_owner;
                   if (!answered)
                     door = actor_of(on.lock);
                 });
  }
}

/// While there is this file, a services host of that process dies at its start.
std::filesystem::path order_to_die(std::int32_t root) {
  return std::filesystem::temp_directory_path()
         / ("troupe-services-die-" + std::to_string(root));
}

const bool configured = [] {
  troupe::configure_actors([](caf::actor_system_config&) {
    const auto parent = troupe::parent_process();
    if (parent && troupe::current_process().name() == "services"
        && std::filesystem::exists(order_to_die(parent->pid())))
      troupe::current_process().kill();
  });
  return true;
}();

} // namespace

TEST_CASE("the services host and its clients are killed at random") {
  std::minstd_rand random{seed()};
  const account on;
  std::vector<troupe::process> workers;
  for (int i = 0; i < 2; ++i) {
    workers.push_back(troupe::start<lock_by_word>(on));
    workers.push_back(troupe::start<lock_by_message>(on));
  }
  bool good = true;
  for (int i = 0; good && i < 200; ++i) {
    const auto before = on.number.load();
    const auto lead = static_cast<long>(random() % 2000);
    good = eventually([&] { return on.number.load() > before + lead; });
    if (random() % 2 == 0) {
      if (const auto host = troupe::sync::services::process())
        host->kill();
      continue;
    }
    const auto victim = random() % workers.size();
    workers[victim].kill();
    good = good && workers[victim].join().signaled();
    workers[victim] = victim % 2 == 0 ? troupe::start<lock_by_word>(on)
                                      : troupe::start<lock_by_message>(on);
  }
  CHECK(good);
  CHECK(on.wrong.load() == 0);
  on.stop.store(1);
  for (auto& each : workers) {
    const auto status = each.join_for(std::chrono::seconds{30});
    CHECK_MESSAGE((status && status->success()), each.name());
    each.kill();
  }
  workers.clear();
  troupe::sync::services::end();
  CHECK(on.wrong.load() == 0);
  const auto last = on.lock.holder();
  CHECK_FALSE(last);
}

TEST_CASE("a services host that dies at each start is given up") {
  const std::ofstream order{order_to_die(troupe::current_process().pid())};
  try {
    static_cast<void>(actor_of(troupe::mutex{}));
    FAIL("it lived");
  } catch (const troupe::error& thrown) {
    CHECK(thrown.code() == troupe::errc::process_died);
  }
  std::filesystem::remove(order_to_die(troupe::current_process().pid()));
  const troupe::mutex lock;
  CHECK(actor_of(lock) != nullptr);
  troupe::sync::services::end();
}
