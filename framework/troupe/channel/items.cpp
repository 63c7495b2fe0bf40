// SPDX-License-Identifier: BSL-1.0
#include <troupe/channel/items.hpp>

#include <troupe/calls/failure.hpp>
#include <troupe/memory/run_memory.hpp>
#include <troupe/os/crash_point.hpp>

namespace troupe::channel {

memory::reference attach(codec::decoder& from, memory::object_kind kind) {
  auto held = from.handle(kind);
  TROUPE_CRASH_POINT("channel.attach.held");
  return held;
}

put_result result_of(mailbox::put_outcome outcome, const char* attempted) {
  switch (outcome) {
    case mailbox::put_outcome::done: return put_result::done;
    case mailbox::put_outcome::full: return put_result::full;
    case mailbox::put_outcome::closed:
      throw closed(attempted, "it is closed",
                   "close it only when nobody puts any more");
    case mailbox::put_outcome::no_reader: break;
  }
  throw closed(attempted, "nobody holds the other end any more",
               "look for the end of the process that had it");
}

void throw_ended(const char* attempted) {
  throw closed(attempted, "it is closed and everything in it has been taken",
               "use a range-for, or catch troupe::closed as the end");
}

namespace {

std::string described(memory::slot_id writer) {
  auto& memory = memory::run_memory::current();
  auto* slot = memory.find(writer);
  if (slot == nullptr)
    return "a process that is gone (slot " + std::to_string(writer.index) + ")";
  return memory::description_of(slot->name.get(), slot->pid.load());
}

bool is_standard(const std::exception_ptr& failure) {
  try {
    std::rethrow_exception(failure);
  } catch (const std::exception&) {
    return true;
  } catch (...) {
    return false;
  }
}

} // namespace

void blame_writer(memory::slot_id writer, std::string_view type,
                  const std::exception_ptr& failure) {
  const auto attempted = "take an item of type " + std::string{type}
                         + " that was put by " + described(writer);
  constexpr auto advice = "the item is dropped; those behind it are whole";
  try {
    std::rethrow_exception(failure);
  } catch (const stale_handle& problem) {
    throw stale_handle(attempted, problem.what());
  } catch (const error& problem) {
    throw malformed_bytes(attempted, problem.what(), advice);
  } catch (...) {
    const auto said = calls::failure::being_handled().description();
    throw malformed_bytes(attempted,
                          (is_standard(failure) ? "its load threw "
                                                : "its load threw no "
                                                  "std::exception, but ")
                            + said,
                          advice);
  }
}

} // namespace troupe::channel
