// SPDX-License-Identifier: BSL-1.0
#include <troupe/machines/component.hpp>

#include <troupe/base/error.hpp>
#include <troupe/machines/joined.hpp>
#include <troupe/machines/lead.hpp>
#include <troupe/machines/leave_signal.hpp>
#include <troupe/machines/options.hpp>
#include <troupe/network/key.hpp>
#include <troupe/os/descriptor.hpp>
#include <troupe/os/environment.hpp>
#include <troupe/os/tcp.hpp>
#include <troupe/process/option_taker.hpp>

#include <memory>
#include <optional>
#include <string>

namespace troupe::machines {

namespace {

constexpr const char* key_variable = "TROUPE_KEY";

/// What `prepare` leaves to `begin`.
struct prepared {
  options said;
  std::optional<network::key> shared;
  os::descriptor listening;
  std::unique_ptr<output_pipes> output;
};

std::unique_ptr<prepared>& pending() {
  static std::unique_ptr<prepared> value;
  return value;
}

network::key key_of(const options& said) {
  if (said.key_file)
    return network::key::from_file(*said.key_file);
  const auto attempted = said.listen ? "lead machines" : "join a machine";
  const char* secret = os::environment_value(key_variable);
  if (secret == nullptr || *secret == 0)
    throw invalid_argument(attempted,
                           "there is no key, and without one nobody listens "
                           "and nobody joins",
                           "put the same secret into TROUPE_KEY on all "
                           "machines, or into a file: --troupe.key-file=PATH");
  network::key shared{secret};
  // What the processes of the run execute need not know it.
  os::forget_environment(key_variable);
  return shared;
}

void prepare(std::span<const std::string_view> given) {
  auto said = read_options(given);
  if (!said.listen && !said.join)
    return;
  auto made = std::make_unique<prepared>();
  made->shared.emplace(key_of(said));
  if (said.listen) {
    made->listening = os::listen_tcp(said.listen->host(), said.listen->port());
  } else {
    leave_signal::install();
    made->output = std::make_unique<output_pipes>(!said.output_stays);
  }
  made->said = std::move(said);
  pending() = std::move(made);
}

void begin() {
  const auto made = std::move(pending());
  if (made == nullptr)
    return;
  if (made->said.listen)
    return lead::begin(made->said, *made->shared, std::move(made->listening));
  work_for_lead(made->said, *made->shared, std::move(*made->output));
}

void end() noexcept {
  if (auto* const leads = lead::current())
    leads->end();
}

} // namespace

bool take_options() noexcept {
  static constexpr hosting::option_taker taker{&prepare, &begin, &end};
  hosting::take_options(taker);
  return true;
}

} // namespace troupe::machines
