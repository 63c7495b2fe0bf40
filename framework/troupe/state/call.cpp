// SPDX-License-Identifier: BSL-1.0
#include <troupe/state/call.hpp>

#include <troupe/calls/failure.hpp>
#include <troupe/process/remote_error.hpp>
#include <troupe/state/operation.hpp>

#include <utility>

namespace troupe::held {

namespace {

/// More of an exception's text does not travel.
constexpr std::size_t longest_text = 64 << 10;

void write_failure(codec::packet& answer, calls::failure thrown) {
  thrown.text.resize(calls::beginning_of(thrown.text, longest_text).size());
  answer.clear();
  begin_answer(answer, answer_kind::failure);
  codec::encode_into(answer, thrown);
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
    // What failed elsewhere is told as if it had failed here. One that a
    // process died of has neither type nor text.
    auto told = thrown.thrown();
    if (thrown.code() == errc::process_died)
      told.text = thrown.what();
    told.code = thrown.code();
    write_failure(answer, std::move(told));
  } catch (...) {
    write_failure(answer, calls::failure::being_handled());
  }
}

void throw_failure(codec::decoder& from, const caller& where,
                   const operation& what) {
  const auto thrown = from.load<calls::failure>();
  from.finish();
  if (thrown.code == errc::remote_exception)
    hosting::raise(remote_error{where.description(), thrown});
  const auto attempted = "call " + what.name() + " in " + where.description();
  if (thrown.code == errc::unknown_function
      && thrown.text.find(not_named) != std::string::npos)
    throw unknown_function(attempted, not_named, what.advice());
  throw_error(thrown.code, attempted, thrown.full_text());
}

} // namespace troupe::held
