// SPDX-License-Identifier: BSL-1.0
#include <troupe/pool/exception_of_request.hpp>

#include <map>
#include <mutex>
#include <utility>

namespace troupe::supervision {

namespace {

/// Those who wait, and what was thrown. Never destroyed: used during exit.
struct waiting {
  std::mutex mutex;
  std::map<caf::actor_id, std::exception_ptr> all;

  static waiting& here() {
    static auto& only = *new waiting;
    return only;
  }
};

} // namespace

exception_of_request::exception_of_request(caf::actor_id asker)
  : asker_(asker) {
  auto& those = waiting::here();
  const std::scoped_lock guard{those.mutex};
  those.all.emplace(asker, nullptr);
}

exception_of_request::~exception_of_request() {
  auto& those = waiting::here();
  const std::scoped_lock guard{those.mutex};
  those.all.erase(asker_);
}

std::exception_ptr exception_of_request::take() const {
  auto& those = waiting::here();
  const std::scoped_lock guard{those.mutex};
  return std::exchange(those.all.at(asker_), nullptr);
}

void exception_of_request::note(caf::actor_id asker) {
  auto& those = waiting::here();
  const std::scoped_lock guard{those.mutex};
  if (const auto found = those.all.find(asker); found != those.all.end())
    found->second = std::current_exception();
}

} // namespace troupe::supervision
