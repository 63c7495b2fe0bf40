// SPDX-License-Identifier: BSL-1.0
#include <troupe/transport/caf_error.hpp>

#include <troupe/memory/run_memory.hpp>
#include <troupe/process/exit_status.hpp>

#include <caf/message.hpp>

#include <algorithm>

namespace troupe::transport {

caf::error make_error(errc code, std::string text) {
  return caf::make_error(code, std::move(text));
}

caf::error to_caf(const error& failure) {
  return make_error(failure.code(), failure.what());
}

errc code_of(const caf::error& failure) noexcept {
  if (!failure || failure.category() != caf::type_id_v<errc>)
    return errc::none;
  return static_cast<errc>(failure.code());
}

std::string text_of(const caf::error& failure) {
  if (code_of(failure) != errc::none
      && failure.context().match_elements<std::string>())
    return failure.context().get_as<std::string>(0);
  return to_string(failure);
}

caf::error death_of(memory::slot_id process) {
  auto* slot = memory::run_memory::current().find(process);
  if (slot == nullptr)
    return make_error(errc::peer_died,
                      "the process of the actor is dead and was joined");
  const auto* name = slot->name.data();
  std::string text = "process '";
  text.append(name, std::find(name, name + slot->name.size(), '\0'));
  text += "' (pid " + std::to_string(slot->pid.load()) + ") ";
  text += exit_status{*slot}.description();
  return make_error(errc::peer_died, std::move(text));
}

} // namespace troupe::transport
