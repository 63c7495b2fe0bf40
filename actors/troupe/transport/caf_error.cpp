// SPDX-License-Identifier: BSL-1.0
#include <troupe/transport/caf_error.hpp>

#include <troupe/calls/failure.hpp>
#include <troupe/memory/run_memory.hpp>
#include <troupe/process/exit_status.hpp>

#include <caf/message.hpp>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <utility>

namespace troupe::transport {

namespace {

/// More of what is inside of an exception does not travel.
constexpr std::size_t longest_causes = 64 << 10;

/// Whether it is of `exception_being_handled`: text, type and causes.
bool is_exception(const caf::error& failure) {
  return code_of(failure) == errc::remote_exception
         && failure.context()
              .match_elements<std::string, std::string, std::string>();
}

} // namespace

caf::error make_error(errc code, std::string text) {
  return caf::make_error(code, std::move(text));
}

caf::error to_caf(const error& failure) {
  const auto* outer = dynamic_cast<const std::nested_exception*>(&failure);
  const auto inner = outer != nullptr ? outer->nested_ptr() : nullptr;
  // The text of a remote_error tells what is inside of it.
  if (inner == nullptr || failure.code() == errc::remote_exception)
    return make_error(failure.code(), failure.what());
  return make_error(failure.code(),
                    failure.what() + std::string{", caused by "}
                      + calls::failure::of(inner).description());
}

caf::error exception_being_handled() {
  return to_caf(calls::failure::being_handled());
}

caf::error to_caf(const calls::failure& thrown) {
  return caf::make_error(errc::remote_exception, thrown.full_text(),
                         thrown.type,
                         calls::pack(thrown.causes, longest_causes));
}

caf::error error_being_handled() {
  try {
    throw;
  } catch (const error& failure) {
    return to_caf(failure);
  } catch (...) {
    return exception_being_handled();
  }
}

calls::failure failure_of(const caf::error& failure) {
  calls::failure told{.code = code_of(failure), .text = text_of(failure)};
  if (!is_exception(failure))
    return told;
  told.type = failure.context().get_as<std::string>(1);
  told.causes = calls::unpack(failure.context().get_as<std::string>(2));
  if (const auto causes = calls::text_of(told.causes);
      told.text.ends_with(causes))
    told.text.erase(told.text.size() - causes.size());
  return told;
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

namespace {

/// Text, signal, exit code or -1.
bool is_of_process(const caf::error& death) noexcept {
  return code_of(death) == errc::peer_died
         && death.context()
              .match_elements<std::string, std::int32_t, std::int32_t>();
}

} // namespace

int signal_of(const caf::error& death) noexcept {
  return is_of_process(death) ? death.context().get_as<std::int32_t>(1) : 0;
}

bool exited_in_order(const caf::error& death) noexcept {
  return is_of_process(death) && death.context().get_as<std::int32_t>(2) == 0;
}

caf::error death_of(memory::slot_id process) {
  auto* slot = memory::run_memory::current().find(process);
  if (slot != nullptr) {
    const auto name = slot->name.get();
    const auto pid = slot->pid.load();
    // Last: it says whether the slot was the process's all along.
    if (const auto status = hosting::status_of(process))
      return caf::make_error(
        errc::peer_died,
        "process '" + name + "' (pid " + std::to_string(pid) + ") "
          + status->description(),
        std::int32_t{status->signal()},
        std::int32_t{status->exited() ? status->code() : -1});
  }
  return make_error(errc::peer_died,
                    "the process of the actor is dead and was joined");
}

} // namespace troupe::transport
