// SPDX-License-Identifier: BSL-1.0
#include <troupe/network/connect.hpp>

#include <troupe/network/connection.hpp>
#include <troupe/state/remote_caller.hpp>

#include <memory>
#include <string>
#include <utility>

namespace troupe {

namespace network {

namespace {

class pending_answer final : public held::pending {
public:
  pending_answer(connection& by, std::shared_ptr<answer> of) noexcept
    : by_(by), of_(std::move(of)) {
  }

  [[nodiscard]] bool wait(deadline limit) override {
    return by_.wait(*of_, limit);
  }

  [[nodiscard]] bool poll() override {
    return by_.poll(*of_);
  }

  void watch() override {
    by_.watch(*of_);
  }

  void unwatch() noexcept override {
    by_.unwatch(*of_);
  }

  void take(held::answer_reader& reader) override {
    reader.read(of_->look(), {});
  }

private:
  /// Of the caller, which each call keeps.
  connection& by_;
  std::shared_ptr<answer> of_;
};

/// Calls a state at the other end of a connection.
class distant_caller final : public held::remote_caller {
public:
  distant_caller(const address& where, const key& shared, const limits& bounds,
                 deadline limit)
    : line_(where, shared, bounds, limit) {
  }

  [[nodiscard]] std::unique_ptr<held::pending>
  send_bytes(bytes_view request) override {
    return std::make_unique<pending_answer>(line_, line_.call(request));
  }

  void call_bytes(bytes_view request, held::answer_reader& reader) override {
    reader.read(line_.ask_and_look(request)->look(), {});
  }

  void send_and_forget(bytes_view request) noexcept override {
    line_.tell(request);
  }

  [[nodiscard]] std::string description() const override {
    return to_string(line_.where());
  }

private:
  connection line_;
};

} // namespace

} // namespace network

state connect(const network::address& where, const network::key& shared,
              const network::limits& bounds, deadline limit) {
  return state{
    std::make_shared<network::distant_caller>(where, shared, bounds, limit)};
}

} // namespace troupe
