// SPDX-License-Identifier: BSL-1.0
#include <troupe/pool/pending_start.hpp>

#include <troupe/base/error.hpp>
#include <troupe/os/thread.hpp>
#include <troupe/transport/caf_version.hpp>

#include <caf/actor_cast.hpp>
#include <caf/local_actor.hpp>
#include <caf/send.hpp>
#include <caf/type_id.hpp>

#include <thread>
#include <utility>

namespace troupe::supervision {

std::shared_ptr<pending_start> pending_start::begin(child_start start,
                                                    std::uint64_t number,
                                                    caf::local_actor* asker) {
  auto work = std::make_shared<pending_start>();
  os::start_thread([work, start = std::move(start), number,
                    whom = caf::actor_cast<caf::actor>(asker->address())] {
    work->run(start);
    transport::version::send_anonymously(whom, caf::ok_atom_v, number);
  }).detach();
  return work;
}

void pending_start::run(const child_start& start) noexcept {
  caf::actor made;
  std::exception_ptr failure;
  try {
    made = start(watch_);
    if (!made)
      throw invalid_state("start a child", "its start returned no actor");
  } catch (...) {
    failure = std::current_exception();
  }
  const std::scoped_lock guard{mutex_};
  if (abandoned_ && made)
    caf::anon_send_exit(made, caf::exit_reason::kill);
  made_ = std::move(made);
  failure_ = std::move(failure);
  done_ = true;
}

bool pending_start::done() const {
  const std::scoped_lock guard{mutex_};
  return done_;
}

caf::actor pending_start::take() {
  const std::scoped_lock guard{mutex_};
  if (failure_)
    std::rethrow_exception(std::exchange(failure_, nullptr));
  return std::move(made_);
}

void pending_start::abandon() {
  const std::scoped_lock guard{mutex_};
  abandoned_ = true;
  if (made_)
    caf::anon_send_exit(made_, caf::exit_reason::kill);
}

} // namespace troupe::supervision
