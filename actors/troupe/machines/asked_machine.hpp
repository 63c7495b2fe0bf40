// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/base/deadline.hpp>
#include <troupe/machines/known_machine.hpp>
#include <troupe/machines/lead_service.hpp>

#include <memory>
#include <optional>
#include <string_view>

namespace troupe::machines {

/// A machine as all processes know it that are not the root of the lead's run:
/// they ask the service of that.
class asked_machine final : public known_machine {
public:
  explicit asked_machine(machine_facts what) : facts_(std::move(what)) {
  }

  [[nodiscard]] const std::string& name() const noexcept override {
    return facts_.name;
  }
  [[nodiscard]] std::uint64_t number() const noexcept override {
    return facts_.number;
  }
  [[nodiscard]] const std::vector<std::string>&
  labels() const noexcept override {
    return facts_.labels;
  }
  [[nodiscard]] unsigned processors() const noexcept override {
    return static_cast<unsigned>(facts_.processors);
  }
  [[nodiscard]] std::uint64_t memory() const noexcept override {
    return facts_.memory;
  }
  /// @blocks on the lead, as do all that follow
  [[nodiscard]] bool is_there() const override;
  [[nodiscard]] std::shared_ptr<remote_call>
  start(start_order what, const placed_actors& actors) override;
  [[nodiscard]] caf::strong_actor_ptr
  spawn(spawn_order what, const placed_actors& actors) override;
  void signal(const remote_call& to, std::int32_t number) override;

private:
  const machine_facts facts_;
};

/// Those that are there. Throws `invalid_state`, which names `attempted`.
/// @blocks on the lead
[[nodiscard]] machine_list ask_for_list(std::string_view attempted);

/// The same when it is as `what` says; nothing: `limit` passed first.
/// @blocks on machines that join, until `limit`
[[nodiscard]] std::optional<machine_list>
ask_to_wait(std::string_view attempted, const wished& what, deadline limit);

} // namespace troupe::machines
