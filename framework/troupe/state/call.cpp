// SPDX-License-Identifier: BSL-1.0
#include <troupe/state/call.hpp>

#include <troupe/call/current_exception.hpp>
#include <troupe/process/remote_error.hpp>
#include <troupe/state/operation.hpp>

namespace troupe::held {

namespace {

/// More of an exception's text does not travel.
constexpr std::size_t longest_text = 64 << 10;

void write_failure(codec::packet& answer, errc code, std::string_view type,
                   std::string_view text,
                   const std::vector<exception_cause>& causes) {
  answer.clear();
  begin_answer(answer, answer_kind::failure);
  codec::encode_into(answer, code, std::string{type},
                     std::string{calls::beginning_of(text, longest_text)});
  if (!causes.empty())
    codec::encode_into(answer, causes);
}

/// What operation::find says.
constexpr std::string_view not_named = "the state's program does not name it";

template <errc... Codes>
[[noreturn]] void
throw_one_of(errc code, std::string_view attempted, std::string_view reason) {
  (((code == Codes) ? throw error_of<Codes>(attempted, reason) : void()), ...);
  throw error(code, attempted, reason);
}

} // namespace

std::int64_t call_head::limit_of(deadline when) noexcept {
  if (when.is_never())
    return -1;
  return std::chrono::duration_cast<std::chrono::nanoseconds>(when.left())
    .count();
}

deadline call_head::when() const {
  return limit < 0 ? deadline::never()
                   : deadline::after(std::chrono::nanoseconds{limit});
}

void encode_failure(codec::packet& answer, const std::exception_ptr& failure) {
  try {
    std::rethrow_exception(failure);
  } catch (const remote_error& thrown) {
    // One that a process died of has neither type nor text.
    if (thrown.code() == errc::remote_exception)
      write_failure(answer, thrown.code(), thrown.type(), thrown.text(),
                    thrown.causes());
    else
      write_failure(answer, thrown.code(), {}, thrown.what(), {});
  } catch (const error& thrown) {
    write_failure(
      answer, thrown.code(), {},
      thrown.what() + calls::text_of(calls::causes_of_current_exception()), {});
  } catch (...) {
    write_failure(answer, errc::remote_exception,
                  calls::type_of_current_exception(),
                  calls::text_of_current_exception(),
                  calls::causes_of_current_exception());
  }
}

void throw_code(errc code, std::string_view attempted,
                std::string_view reason) {
  using enum errc;
  throw_one_of<invalid_argument, invalid_state, stale_handle, limit_reached,
               malformed_bytes, closed, peer_died, process_died, timed_out,
               unknown_function, not_owner, would_deadlock, broken_barrier,
               not_authentic, connection_lost, cancelled, unknown_message_type,
               unknown_name>(code, attempted, reason);
}

void throw_failure(codec::decoder& from, const caller& where,
                   const operation& what) {
  const auto code = from.load<errc>();
  const auto type = from.load<std::string>();
  const auto text = from.load<std::string>();
  // Written only where there are some.
  const auto causes = from.left() > 0
                        ? from.load<std::vector<exception_cause>>()
                        : std::vector<exception_cause>{};
  from.finish();
  if (code == errc::remote_exception)
    hosting::raise(remote_error{where.description(), type, text, causes});
  if (code == errc::unknown_function
      && text.find(not_named) != std::string::npos)
    throw unknown_function("call " + what.name() + " in " + where.description(),
                           not_named, what.advice());
  throw_code(code, "call " + what.name() + " in " + where.description(), text);
}

} // namespace troupe::held
