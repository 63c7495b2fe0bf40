// SPDX-License-Identifier: BSL-1.0
#include <troupe/sync/semaphore.hpp>

#include <troupe/base/error.hpp>
#include <troupe/memory/run_memory.hpp>

namespace troupe {

namespace {

using memory::object_kind;
using sync::semaphore_units;

semaphore_units& units_at(std::byte* payload) noexcept {
  return *reinterpret_cast<semaphore_units*>(payload);
}

void holder_died(std::byte* payload, std::uint64_t,
                 std::uint32_t row) noexcept {
  repair_after_death(units_at(payload), row,
                     memory::run_memory::current().self().index);
}

void dispose(std::byte* payload, std::uint64_t) noexcept {
  units_at(payload).dispose();
}

const bool registered = memory::register_kind(
  object_kind::semaphore,
  {dispose, holder_died, holder_died, sync::semaphore_units::layout()});

} // namespace

semaphore::semaphore(std::ptrdiff_t initial, std::ptrdiff_t bound,
                     std::source_location made_at) {
  static_cast<void>(registered);
  if (initial < 0)
    throw invalid_argument("make a semaphore of " + std::to_string(initial)
                             + " units",
                           "it must not be negative");
  object_ = memory::reference::create(object_kind::semaphore,
                                      semaphore_units::size());
  units_ = object_.as<semaphore_units>();
  units_->initialise(initial, bound);
  memory::note_origin(object_, made_at);
}

semaphore::semaphore(codec::decoder& from)
  : object_(from.handle(object_kind::semaphore)),
    units_(object_ ? object_.as<semaphore_units>() : nullptr) {
  if (units_ == nullptr)
    from.refuse("semaphore", "an empty handle");
  if (object_.size() < semaphore_units::size())
    from.refuse("semaphore", "the handle of something smaller");
}

bool semaphore::acquire_before(deadline limit) const {
  return units_->take(sync::owner::this_thread(), limit);
}

void semaphore::acquire() const {
  if (!try_acquire())
    static_cast<void>(acquire_before(deadline::never()));
}

bool semaphore::try_acquire() const {
  return units_->try_take(sync::owner::this_thread().row());
}

void semaphore::release(std::ptrdiff_t units) const {
  const auto attempted = [&] {
    return "release " + std::to_string(units) + " of " + text();
  };
  if (units < 0)
    throw invalid_argument(attempted(), "it must not be negative");
  const auto row = sync::owner::this_thread().row();
  if (units_->give(row, units, row)
      == semaphore_units::release_result::above_bound)
    throw invalid_state(attempted(),
                        "it has " + std::to_string(value())
                          + " and its bound is "
                          + std::to_string(units_->bound()),
                        "release only what was acquired");
}

std::string semaphore::text() const {
  return "semaphore " + std::to_string(id());
}

} // namespace troupe
