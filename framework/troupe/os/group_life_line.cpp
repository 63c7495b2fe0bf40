// SPDX-License-Identifier: BSL-1.0
#include <troupe/os/group_life_line.hpp>

#include <troupe/os/child.hpp>

#include <array>
#include <csignal>

#include <fcntl.h>
#include <unistd.h>

namespace troupe::os {

namespace {

// Set with release by `enter`, emptied with release by `end`; taken with
// acquire by `forget_group_life_lines`, in a forked child.
using cell = std::atomic<const group_life_line*>;

/// All that there are, so that they are found without a lock after a fork.
struct cells {
  std::array<cell, 64> each{};
  // Set once with acq_rel by `enter`, when the new ones are empty; followed
  // with acquire by `enter` and `forget_group_life_lines`.
  std::atomic<cells*> next{nullptr};
};

constinit cells first;

/// The calling thread makes the child that is to hang on a line.
constinit thread_local bool arming = false;

cell& enter(const group_life_line* line) {
  for (auto* some = &first;;) {
    for (auto& each : some->each) {
      const group_life_line* nobody = nullptr;
      // release: pairs with the acquire in forget_group_life_lines.
      if (each.compare_exchange_strong(nobody, line, std::memory_order_release,
                                       std::memory_order_relaxed))
        return each;
    }
    // acquire: pairs with the release of whoever has added it.
    auto* more = some->next.load(std::memory_order_acquire);
    if (more == nullptr) {
      auto* fresh = new cells;
      if (some->next.compare_exchange_strong(more, fresh,
                                             std::memory_order_acq_rel)) {
        more = fresh;
      } else {
        delete fresh;
      }
    }
    some = more;
  }
}

} // namespace

/// In a child that was forked off this process.
void forget_group_life_lines() noexcept {
  // Some implementations of vfork are a fork, and ThreadSanitizer's is.
  if (arming)
    return;
  // acquire: pairs with the acq_rel in enter, which adds more.
  for (auto* some = &first; some != nullptr;
       some = some->next.load(std::memory_order_acquire))
    for (auto& each : some->each)
      // acquire: pairs with the release in enter.
      if (const auto* line = each.exchange(nullptr,
                                           std::memory_order_acquire)) {
        ::close(line->pipe_.reader.get());
        ::close(line->pipe_.writer.get());
      }
}

group_life_line::group_life_line() : pipe_(make_pipe()) {
  static const bool once = [] {
    in_forked_children(forget_group_life_lines);
    return true;
  }();
  static_cast<void>(once);
  listed_at_ = &enter(this);
}

group_life_line::~group_life_line() {
  end();
}

group_life_line::arming_child::arming_child() noexcept {
  arming = true;
}

group_life_line::arming_child::~arming_child() {
  arming = false;
}

bool group_life_line::arm_for_own_group() const noexcept {
  for (const int fd : {pipe_.reader.get(), pipe_.writer.get()})
    if (::fcntl(fd, F_SETSIG, SIGKILL) != 0
        || ::fcntl(fd, F_SETOWN, -::getpid()) != 0
        || ::fcntl(fd, F_SETFL, O_ASYNC) != 0)
      return false;
  return true;
}

void group_life_line::end() noexcept {
  if (listed_at_ == nullptr)
    return;
  // release: pairs with the exchange in enter of whoever has the place next.
  listed_at_->store(nullptr, std::memory_order_release);
  listed_at_ = nullptr;
  pipe_.reader.reset();
  pipe_.writer.reset();
}

} // namespace troupe::os
