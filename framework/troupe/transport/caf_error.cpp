// SPDX-License-Identifier: BSL-1.0
#include <troupe/transport/caf_error.hpp>

#include <troupe/memory/run_memory.hpp>
#include <troupe/process/current_exception.hpp>
#include <troupe/process/exit_status.hpp>

#include <caf/message.hpp>

#include <cstdint>
#include <utility>

namespace troupe::transport {

caf::error make_error(errc code, std::string text) {
  return caf::make_error(code, std::move(text));
}

caf::error to_caf(const error& failure) {
  return make_error(failure.code(), failure.what());
}

caf::error exception_being_handled() {
  return caf::make_error(errc::remote_exception,
                         hosting::text_of_current_exception(),
                         hosting::type_of_current_exception());
}

std::string exception_type_of(const caf::error& failure) {
  const bool known
    = code_of(failure) == errc::remote_exception
      && failure.context().match_elements<std::string, std::string>();
  return known ? failure.context().get_as<std::string>(1) : "";
}

errc code_of(const caf::error& failure) noexcept {
  if (!failure || failure.category() != caf::type_id_v<errc>)
    return errc::none;
  return static_cast<errc>(failure.code());
}

std::string text_of(const caf::error& failure) {
  if (code_of(failure) != errc::none && !failure.context().empty()
      && failure.context().match_element<std::string>(0))
    return failure.context().get_as<std::string>(0);
  return to_string(failure);
}

int signal_of(const caf::error& death) noexcept {
  const bool known
    = code_of(death) == errc::peer_died
      && death.context().match_elements<std::string, std::int32_t>();
  return known ? death.context().get_as<std::int32_t>(1) : 0;
}

caf::error death_of(memory::slot_id process) {
  auto* slot = memory::run_memory::current().find(process);
  if (slot != nullptr) {
    const auto name = slot->name.get();
    const auto pid = slot->pid.load();
    // Last: it says whether the slot was the process's all along.
    if (const auto status = hosting::status_of(process))
      return caf::make_error(errc::peer_died,
                             "process '" + name + "' (pid "
                               + std::to_string(pid) + ") "
                               + status->description(),
                             std::int32_t{status->signal()});
  }
  return make_error(errc::peer_died,
                    "the process of the actor is dead and was joined");
}

} // namespace troupe::transport
