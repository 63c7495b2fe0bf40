// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/state/caller.hpp>
#include <troupe/state/wire.hpp>

namespace troupe::held {

class table;

/// Calls from within the state's own process: they are executed at once, by the
/// thread that calls. Proxies are numbers in their bytes.
///
/// A function of a held object that would have to wait for another one gets
/// `would_deadlock`: while it waits, nobody could make that other one ready.
class inside_caller final : public caller, public wire {
public:
  explicit inside_caller(table& of) noexcept : of_(of) {
  }

  [[nodiscard]] std::unique_ptr<pending> send(codec::packet& request) override;
  void call(codec::packet& request, answer_reader& reader) override;

  [[nodiscard]] wire* coding() noexcept override {
    return this;
  }

  [[nodiscard]] std::string description() const override {
    return "this state";
  }

  void save(codec::encoder& to, const target& object) override;
  [[nodiscard]] std::shared_ptr<target> load(codec::decoder& from) override;

private:
  table& of_;
};

} // namespace troupe::held
