// SPDX-License-Identifier: BSL-1.0
#include <troupe/state/remote_caller.hpp>

#include <troupe/base/error.hpp>
#include <troupe/codec/codec.hpp>
#include <troupe/state/call.hpp>
#include <troupe/state/serving.hpp>

#include <cstddef>
#include <utility>

namespace troupe::held {

/// A target of an object that is named by its number.
class remote_caller::numbered final : public target {
public:
  numbered(object_number number, std::shared_ptr<remote_caller> via)
    : target(number, via), via_(std::move(via)) {
  }

  ~numbered() override {
    via_->give_back(number());
  }

  void save_as_handle(codec::encoder&) const override {
    throw invalid_argument("send a proxy to another process",
                           "a state of another program holds its object",
                           "let that process connect to it");
  }

private:
  std::shared_ptr<remote_caller> via_;
};

/// A call whose future withdraws it when it is dropped.
class remote_caller::withdrawing final : public pending {
public:
  withdrawing(std::shared_ptr<remote_caller> via, std::uint64_t number,
              std::unique_ptr<pending> of) noexcept
    : via_(std::move(via)), number_(number), of_(std::move(of)) {
  }

  ~withdrawing() override {
    if (!taken_ && !of_->wait(deadline::now()))
      via_->say(the_state, withdraw_operation, number_);
  }

  [[nodiscard]] bool wait(deadline limit) override {
    return of_->wait(limit);
  }

  [[nodiscard]] bool poll() override {
    return of_->poll();
  }

  void watch() override {
    of_->watch();
  }

  void unwatch() noexcept override {
    of_->unwatch();
  }

  void take(answer_reader& reader) override {
    taken_ = true;
    of_->take(reader);
  }

private:
  std::shared_ptr<remote_caller> via_;
  std::uint64_t number_;
  std::unique_ptr<pending> of_;
  bool taken_ = false;
};

std::unique_ptr<pending> remote_caller::send(codec::packet& request) {
  require_no_handles(request);
  const std::uint64_t number = ++last_call_;
  request.overwrite(offsetof(call_head, route), &number, sizeof number);
  return std::make_unique<withdrawing>(std::static_pointer_cast<remote_caller>(
                                         shared_from_this()),
                                       number, send_bytes(request.body()));
}

void remote_caller::call(codec::packet& request, answer_reader& reader) {
  require_no_handles(request);
  call_bytes(request.body(), reader);
}

void remote_caller::require_no_handles(const codec::packet& request) const {
  if (!request.handles().empty())
    throw invalid_argument("call " + description(),
                           "an argument is a handle of something in this run",
                           "send the value itself");
}

void remote_caller::save(codec::encoder& to, const target& object) {
  if (object.via().get() != this)
    throw invalid_argument("call " + description(),
                           "an argument is a proxy of another state's object",
                           "send a copy of the object");
  to.save(object.number());
}

std::shared_ptr<target> remote_caller::load(codec::decoder& from) {
  const auto number = from.load<object_number>();
  const std::scoped_lock guard{mutex_};
  auto& place = known_[number];
  ++place.named;
  if (auto found = place.object.lock())
    return found;
  auto made = std::make_shared<numbered>(
    number, std::static_pointer_cast<remote_caller>(shared_from_this()));
  place.object = made;
  return made;
}

void remote_caller::give_back(object_number number) noexcept {
  std::uint64_t times = 0;
  {
    const std::scoped_lock guard{mutex_};
    const auto found = known_.find(number);
    // Another thread may have been told of it anew.
    if (found == known_.end() || !found->second.object.expired())
      return;
    times = found->second.named;
    known_.erase(found);
  }
  say(number, give_back_operation, times);
}

void remote_caller::say(object_number object, std::uint64_t operation,
                        std::uint64_t what) noexcept {
  try {
    codec::packet request;
    codec::encode_into(request, call_head{{}, object, operation, 0}, what);
    send_and_forget(request.body());
  } catch (const std::bad_alloc&) {
    // The state keeps what it would have given up until the connection ends.
  }
}

} // namespace troupe::held
