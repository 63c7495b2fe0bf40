// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/state/attempt.hpp>

#include <stdexcept>
#include <string>
#include <utility>

/// A class of a user's own, who knows nothing of Troupe.
class account {
public:
  explicit account(std::string owner, int balance = 0)
    : owner_(std::move(owner)), balance_(balance) {
    if (balance < 0)
      throw std::invalid_argument("a balance below zero");
  }

  int deposit(int amount) {
    return balance_ += amount;
  }

  int withdraw(int amount) {
    if (amount > balance_)
      throw std::domain_error("only " + std::to_string(balance_) + " there");
    return balance_ -= amount;
  }

  [[nodiscard]] int balance() const noexcept {
    return balance_;
  }

  [[nodiscard]] const std::string& owner() const {
    return owner_;
  }

  /// Waits until that much is there.
  troupe::held::attempt<int> withdraw_when_there(int amount) {
    if (balance_ < amount)
      return troupe::held::not_yet;
    return balance_ -= amount;
  }

  int visits = 0;

private:
  std::string owner_;
  int balance_;
};
