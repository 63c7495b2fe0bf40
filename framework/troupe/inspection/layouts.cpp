// SPDX-License-Identifier: BSL-1.0
#include <troupe/inspection/layouts.hpp>

#include <troupe/channel/pipe_end.hpp>
#include <troupe/mailbox/message_queue.hpp>
#include <troupe/memory/counters.hpp>
#include <troupe/state/object_ref.hpp>
#include <troupe/sync/barrier_state.hpp>
#include <troupe/sync/condition_state.hpp>
#include <troupe/sync/event.hpp>
#include <troupe/sync/mutex_word.hpp>
#include <troupe/sync/semaphore_units.hpp>

namespace troupe::inspection {

std::uint32_t layout_of_kind(memory::object_kind kind) noexcept {
  using memory::object_kind;
  switch (kind) {
    case object_kind::queue: return mailbox::message_queue::layout();
    case object_kind::connection: return channel::pipe_end::layout();
    case object_kind::mutex: return sync::mutex_word::layout();
    case object_kind::semaphore: return sync::semaphore_units::layout();
    case object_kind::condition: return sync::condition_state::layout();
    case object_kind::event: return sync::event_state::layout();
    case object_kind::barrier: return sync::barrier_state::layout();
    case object_kind::state: return held::layout_of_parts();
    case object_kind::pool: return memory::pool_counters::layout();
    default: return 0;
  }
}

} // namespace troupe::inspection
