// SPDX-License-Identifier: BSL-1.0
#include <troupe/network/answer.hpp>

#include <troupe/base/error.hpp>
#include <troupe/mailbox/spinner.hpp>
#include <troupe/memory/run_memory.hpp>
#include <troupe/network/connection.hpp>
#include <troupe/network/frame.hpp>

#include <utility>

namespace troupe::network {

bool answer::wait(deadline limit) {
  return by_ != nullptr ? by_->wait(*this, limit) : sleep(limit);
}

bool answer::sleep(deadline limit) const {
  const auto done = [this] { return is_here(); };
  if (mailbox::spinner::of_this_thread().spin(done, limit))
    return true;
  slept_on_ = true;
  while (!done())
    if (!os::wait(state_, static_cast<std::uint32_t>(outcome::open), limit))
      return done();
  return true;
}

void answer::become(outcome state) noexcept {
  // Sequentially consistent, as the sleeper's store and look are.
  state_ = static_cast<std::uint32_t>(state);
  if (slept_on_)
    os::wake_all(state_);
  if (watched_)
    memory::notify(memory::run_memory::current().own_slot());
}

void answer::bring(arrival& what) {
  const auto content = what.content();
  if (content.size() <= longest_small) {
    small_.assign(content.begin(), content.end());
  } else {
    // Whoever asked has it: its credit is given back now, so that answers which
    // nobody takes hold up no other.
    large_ = what.take();
    large_.count_no_more();
  }
  become(outcome::here);
}

void answer::fail(outcome how, std::string why) noexcept {
  why_ = std::move(why);
  become(how);
}

void answer::require_here() {
  static_cast<void>(wait(deadline::never()));
  if (state() == outcome::lost)
    throw connection_lost("wait for an answer", why_);
  if (state() == outcome::too_long)
    throw limit_reached("call " + why_, "the answer has more than 1 GiB");
}

bytes_view answer::look() {
  require_here();
  return large_.size() > 0 ? large_.view() : bytes_view{small_};
}

bytes answer::take() {
  const auto content = look();
  return large_.size() > 0 ? bytes(content.begin(), content.end())
                           : std::move(small_);
}

} // namespace troupe::network
