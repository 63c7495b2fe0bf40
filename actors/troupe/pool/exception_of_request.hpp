// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <caf/fwd.hpp>

#include <exception>

namespace troupe::supervision {

/// The exception that a request of a thread of this process has met in the
/// supervisor, beside the error that is the answer: so a start that fails in
/// `start_child` throws the type that it throws in the constructor.
class exception_of_request {
public:
  /// From now on `note` keeps it for the actor that asks.
  explicit exception_of_request(caf::actor_id asker);
  exception_of_request(const exception_of_request&) = delete;
  exception_of_request& operator=(const exception_of_request&) = delete;
  ~exception_of_request();

  /// Returns it; nullptr if there was none.
  [[nodiscard]] std::exception_ptr take() const;

  /// For the supervisor: the request of that actor has met the exception that
  /// is being handled. Does nothing for other actors.
  static void note(caf::actor_id asker);

private:
  caf::actor_id asker_;
};

} // namespace troupe::supervision
