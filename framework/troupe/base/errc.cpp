// SPDX-License-Identifier: BSL-1.0
#include <troupe/base/errc.hpp>

namespace troupe {

std::string_view to_string(errc code) noexcept {
  switch (code) {
    case errc::none: return "none";
    case errc::invalid_argument: return "invalid_argument";
    case errc::invalid_state: return "invalid_state";
    case errc::stale_handle: return "stale_handle";
    case errc::limit_reached: return "limit_reached";
    case errc::os_failure: return "os_failure";
    case errc::malformed_bytes: return "malformed_bytes";
    case errc::closed: return "closed";
    case errc::peer_died: return "peer_died";
    case errc::timed_out: return "timed_out";
    case errc::remote_exception: return "remote_exception";
    case errc::process_died: return "process_died";
    case errc::unknown_function: return "unknown_function";
    case errc::not_owner: return "not_owner";
    case errc::would_deadlock: return "would_deadlock";
    case errc::broken_barrier: return "broken_barrier";
    case errc::not_authentic: return "not_authentic";
    case errc::connection_lost: return "connection_lost";
    case errc::cancelled: return "cancelled";
    case errc::unknown_message_type: return "unknown_message_type";
    case errc::unknown_name: return "unknown_name";
    case errc::machine_lost: return "machine_lost";
  }
  return "unknown";
}

} // namespace troupe
