// SPDX-License-Identifier: BSL-1.0
#include <troupe/pool/child_start.hpp>

#include <csignal>

namespace troupe {

void start_watch::ends_by(std::function<void()> end) {
  {
    const std::scoped_lock guard{mutex_};
    end_ = end;
    if (!given_up_)
      return;
  }
  end();
}

void start_watch::has_process(process_view own) {
  {
    const std::scoped_lock guard{mutex_};
    process_ = own;
  }
  ends_by([own] { static_cast<void>(hosting::try_signal(own, SIGKILL)); });
}

std::optional<process_view> start_watch::process() const {
  const std::scoped_lock guard{mutex_};
  return process_;
}

void start_watch::give_up() {
  std::function<void()> end;
  {
    const std::scoped_lock guard{mutex_};
    if (std::exchange(given_up_, true))
      return;
    end = end_;
  }
  if (end)
    end();
}

bool start_watch::given_up() const {
  const std::scoped_lock guard{mutex_};
  return given_up_;
}

} // namespace troupe
