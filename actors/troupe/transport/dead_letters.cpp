// SPDX-License-Identifier: BSL-1.0
#include <troupe/transport/dead_letters.hpp>

#include <atomic>
#include <memory>
#include <mutex>

namespace troupe {

namespace {

using hook_type = std::function<void(const dead_letter&)>;

struct message_queue {
  // A relaxed count: nothing is published through it.
  std::atomic<std::uint64_t> count{0};
  std::mutex mutex;
  std::shared_ptr<const hook_type> hook;

  static message_queue& of_this_process() {
    // Never destroyed: proxies may be used during exit.
    static auto& box = *new message_queue;
    return box;
  }
};

} // namespace

std::uint64_t dead_letters() noexcept {
  return message_queue::of_this_process().count.load(std::memory_order_relaxed);
}

void on_dead_letter(hook_type hook) {
  auto& box = message_queue::of_this_process();
  auto shared = hook ? std::make_shared<const hook_type>(std::move(hook))
                     : std::shared_ptr<const hook_type>{};
  const std::scoped_lock guard{box.mutex};
  box.hook.swap(shared);
}

void transport::report_dead_letter(const dead_letter& message) noexcept {
  auto& box = message_queue::of_this_process();
  box.count.fetch_add(1, std::memory_order_relaxed);
  std::shared_ptr<const hook_type> hook;
  {
    const std::scoped_lock guard{box.mutex};
    hook = box.hook;
  }
  if (!hook)
    return;
  try {
    (*hook)(message);
  } catch (...) {
    // The hook's own trouble must not become the messages'.
  }
}

void transport::count_dead_letters(std::uint64_t number) noexcept {
  message_queue::of_this_process().count.fetch_add(number,
                                                   std::memory_order_relaxed);
}

} // namespace troupe
