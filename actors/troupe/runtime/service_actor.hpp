// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/transport/caf_version.hpp>

#include <caf/actor_addr.hpp>
#include <caf/system_messages.hpp>

#include <type_traits>
#include <utility>

namespace troupe::runtime {

/// From now on an exit message ends that service of this process.
void let_end(caf::actor_id service);

/// The same for all services of this process, which is ending.
void let_all_end() noexcept;

/// Returns the exit message in it, or nullptr.
[[nodiscard]] const caf::exit_msg*
exit_in(const caf::mailbox_element& what) noexcept;

/// Refuses a message that is a `caf::error`, at which CAF would end the actor:
/// answers it, if it is a request, and returns true.
[[nodiscard]] bool refuse_error(const caf::mailbox_element& what);

/// Returns whether an exit message may end that service.
[[nodiscard]] bool may_end(caf::actor_id service);

/// An actor of the library that serves many clients, and does not end because
/// one of them does.
///
/// Exit messages have no effect, whatever their reason (`kill` too), sender or
/// cause: a link, or `send_exit`. Nor have messages that are a `caf::error`,
/// which end other actors of CAF's. Whoever links to a service ends with it,
/// and not the other way round. The library itself ends a service by `let_end`
/// and an exit message.
template <class Base>
class service_actor final : public Base {
public:
  using Base::Base;
  using Base::enqueue;

  bool enqueue(caf::mailbox_element_ptr what,
               transport::version::execution_context* context) override {
    if (const auto* const told = exit_in(*what);
        told != nullptr && !may_end(this->id())) {
      // The end of the other side uses a link up.
      if (told->source && told->source != this->address())
        this->unlink_from(told->source);
      return true;
    }
    if (refuse_error(*what))
      return true;
    return Base::enqueue(std::move(what), context);
  }
};

/// The pointer to itself that the function of a service takes, in place of
/// CAF's `pointer` or `stateful_pointer`.
template <class Pointer>
using service = service_actor<std::remove_pointer_t<Pointer>>*;

} // namespace troupe::runtime
