// SPDX-License-Identifier: BSL-1.0
#include <troupe/process/program.hpp>
#include <troupe/process/remote_error.hpp>
#include <troupe/state/list.hpp>
#include <troupe/state/state.hpp>

#include <iostream>
#include <stdexcept>
#include <string>
#include <utility>

//[class
class account {
public:
  explicit account(std::string owner, int balance = 0)
    : owner_(std::move(owner)), balance_(balance) {
  }

  int deposit(int amount) {
    return balance_ += amount;
  }

  int withdraw(int amount) {
    if (amount > balance_)
      throw std::domain_error("only " + std::to_string(balance_) + " there");
    return balance_ -= amount;
  }

  [[nodiscard]] int balance() const {
    return balance_;
  }

private:
  std::string owner_;
  int balance_;
};
//]

//[client
void pay_in(troupe::proxy<account> into, int times) {
  for (int i = 0; i < times; ++i)
    into.call<&account::deposit>(1);
}
//]

//[waiting
troupe::held::attempt<int> withdraw_when_there(account& from, int amount) {
  if (from.balance() < amount)
    return troupe::held::not_yet;
  return from.withdraw(amount);
}
//]

//[factory
troupe::proxy<account> open_account(std::string owner) {
  return troupe::state::here().make<account>(std::move(owner), 1);
}
//]

int main(int argc, char** argv) {
  troupe::program program{argc, argv};
  troupe::state bank;

  //[make
  auto savings = bank.make<account>("Sam", 100);
  std::cout << savings.call<&account::deposit>(10) << std::endl;
  //]

  //[processes
  auto first = troupe::start<pay_in>(savings, 500);
  auto second = troupe::start<pay_in>(savings, 500);
  first.join();
  second.join();
  std::cout << savings.call<&account::balance>() << std::endl;
  //]

  //[update
  const bool rich = savings.update(
    [](account& of, int fee) {
      of.withdraw(fee);
      return of.balance() > 1000;
    },
    5);
  std::cout << std::boolalpha << "rich: " << rich << std::endl;
  //]

  //[failure
  try {
    savings.call<&account::withdraw>(1'000'000);
  } catch (const troupe::remote_error& thrown) {
    std::cout << thrown.type() << ": " << thrown.text() << std::endl;
  }
  //]

  //[async
  auto later = savings.call_async<&account::deposit>(7);
  // ... something else ...
  std::cout << later.get() << std::endl;
  //]

  //[wait
  auto other = bank.make<account>("Ann");
  auto payment = other.call_async<&withdraw_when_there>(30);
  other.call<&account::deposit>(20);
  other.call<&account::deposit>(20);
  std::cout << "left: " << payment.get() << std::endl;
  if (!other.call_for<&withdraw_when_there>(std::chrono::milliseconds{5}, 99))
    std::cout << "not there in time" << std::endl;
  //]

  //[here
  const auto third = bank.run<open_account>("Tom");
  std::cout << third.call<&account::balance>() << std::endl;
  //]
}
