// SPDX-License-Identifier: BSL-1.0
#include <troupe/state/call_condition.hpp>

#include <troupe/base/error.hpp>

#include <utility>

namespace troupe::held {

namespace {

class answer_condition final : public wait_condition {
public:
  explicit answer_condition(pending& of) noexcept : of_(of) {
  }

  [[nodiscard]] bool ready() override {
    return of_.poll();
  }

  void watch() override {
    of_.watch();
  }

  void unwatch() noexcept override {
    of_.unwatch();
  }

private:
  pending& of_;
};

class call_condition final : public wait_condition {
public:
  call_condition(std::function<future<void>()> ask,
                 std::function<bool()> ask_now) noexcept
    : ask_(std::move(ask)), ask_now_(std::move(ask_now)) {
  }

  void begin() override {
    // An answer of the wait before says nothing about now.
    answer_ = {};
    answered_ = nullptr;
    asked_ = false;
  }

  [[nodiscard]] bool ready() override {
    if (!std::exchange(asked_, true))
      try {
        answer_ = ask_();
        answered_ = answer_.when_ready();
      } catch (const error&) {
        // As for the answer: the use says why.
        answered_ = nullptr;
      }
    return answered_ == nullptr || answered_->ready();
  }

  [[nodiscard]] bool ready_now() override {
    try {
      return ask_now_();
    } catch (const error&) {
      return true;
    }
  }

  void watch() override {
    if (answered_ != nullptr)
      (watched_ = answered_)->watch();
  }

  void unwatch() noexcept override {
    if (watched_ != nullptr)
      std::exchange(watched_, nullptr)->unwatch();
  }

private:
  std::function<future<void>()> ask_;
  std::function<bool()> ask_now_;
  future<void> answer_;
  std::shared_ptr<wait_condition> answered_;
  std::shared_ptr<wait_condition> watched_;
  bool asked_ = false;
};

} // namespace

std::shared_ptr<wait_condition> when_answered(pending& of) {
  return std::make_shared<answer_condition>(of);
}

std::shared_ptr<wait_condition> when_returned(std::function<future<void>()> ask,
                                              std::function<bool()> ask_now) {
  return std::make_shared<call_condition>(std::move(ask), std::move(ask_now));
}

} // namespace troupe::held
