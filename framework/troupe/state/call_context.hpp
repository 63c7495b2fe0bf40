// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/state/object.hpp>

namespace troupe::held {

class table;
class wire;

/// In which state, and for whom, a call is executed. A function that wants to
/// know takes one behind its object; who calls it does not give it:
///
///     attempt<void> acquire(const call_context& by, std::uint64_t thread);
///     lock.call<&lock_object::acquire>(thread);
struct call_context {
  table& objects;
  client_id client;
  /// How proxies stand in the bytes of that client; nullptr: as handles.
  wire* coding;
};

} // namespace troupe::held
