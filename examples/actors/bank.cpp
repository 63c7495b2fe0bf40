// SPDX-License-Identifier: BSL-1.0
// A bank with transfers: message types of one's own, typed actors, errors as
// answers. An account lives in one process and handles one message at a time,
// so no lock is needed and no money is lost.

#include <troupe/process/program.hpp>
#include <troupe/runtime/spawn.hpp>
#include <troupe/transport/type_table.hpp>

#include <caf/all.hpp>

#include <iostream>
#include <string>
#include <vector>

enum class refusal : std::uint8_t { none = 0, not_enough_money };

std::string to_string(refusal why) {
  return why == refusal::none ? "none" : "not_enough_money";
}

template <class Inspector>
bool inspect(Inspector& f, refusal& x) {
  auto get = [&] { return static_cast<std::uint8_t>(x); };
  auto set = [&](std::uint8_t value) {
    x = static_cast<refusal>(value);
    return value <= 1;
  };
  return f.apply(get, set);
}

struct order {
  std::uint32_t number = 0;
  std::int64_t cents = 0;
  std::string purpose;
};

template <class Inspector>
bool inspect(Inspector& f, order& x) {
  return f.object(x).fields(f.field("number", x.number),
                            f.field("cents", x.cents),
                            f.field("purpose", x.purpose));
}

using account
  = caf::typed_actor<caf::result<std::int64_t>(caf::put_atom, order),
                     caf::result<std::int64_t>(caf::sub_atom, order),
                     caf::result<std::int64_t>(caf::get_atom)>;

CAF_BEGIN_TYPE_ID_BLOCK(bank, caf::first_custom_type_id)
  CAF_ADD_TYPE_ID(bank, (order))
  CAF_ADD_TYPE_ID(bank, (refusal))
  CAF_ADD_TYPE_ID(bank, (account))
CAF_END_TYPE_ID_BLOCK(bank)

CAF_ERROR_CODE_ENUM(refusal)

account::behavior_type open_account(account::pointer, std::int64_t balance) {
  auto cents = std::make_shared<std::int64_t>(balance);
  return {
    [cents](caf::put_atom, const order& x) { return *cents += x.cents; },
    [cents](caf::sub_atom, const order& x) -> caf::result<std::int64_t> {
      if (*cents < x.cents)
        return caf::make_error(refusal::not_enough_money, x.purpose);
      return *cents -= x.cents;
    },
    [cents](caf::get_atom) { return *cents; },
  };
}

/// Takes from one account and, if that was possible, gives to the other.
bool transfer(caf::scoped_actor& self, const account& from, const account& to,
              const order& what) {
  bool taken = false;
  self->request(from, caf::infinite, caf::sub_atom_v, what)
    .receive([&](std::int64_t) { taken = true; },
             [](caf::error& reason) {
               if (reason == refusal::not_enough_money)
                 std::cout << "refused: " << to_string(reason) << std::endl;
             });
  if (taken)
    self->request(to, caf::infinite, caf::put_atom_v, what)
      .receive([](std::int64_t) {}, [](caf::error&) {});
  return taken;
}

int main(int argc, char** argv) {
  troupe::use_messages<caf::id_block::bank>();
  troupe::program program{argc, argv};
  caf::scoped_actor self{troupe::actor_system()};
  troupe::host vault{"vault"};
  const std::vector<account> accounts{vault.spawn<open_account>(50'000),
                                      vault.spawn<open_account>(20'000),
                                      troupe::spawn<open_account>(0)};
  int done = 0;
  for (std::uint32_t i = 0; i < 300; ++i)
    done += transfer(self, accounts[i % 3], accounts[(i + 1) % 3],
                     {i, 100, "rent"})
              ? 1
              : 0;
  static_cast<void>(
    transfer(self, accounts[0], accounts[1], {999, 100'000'000, "a yacht"}));
  std::int64_t total = 0;
  for (const auto& each : accounts)
    self->request(each, caf::infinite, caf::get_atom_v)
      .receive([&](std::int64_t cents) { total += cents; }, [](caf::error&) {});
  std::cout << done << " transfers, and still " << total / 100 << " euros"
            << std::endl;
  caf::anon_send_exit(accounts[2], caf::exit_reason::user_shutdown);
}
