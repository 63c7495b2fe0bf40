// SPDX-License-Identifier: BSL-1.0
#include <troupe/machines/printer.hpp>

#include <troupe/base/wait_before.hpp>
#include <troupe/memory/process_slot.hpp>
#include <troupe/memory/run_memory.hpp>
#include <troupe/os/pipe.hpp>
#include <troupe/os/signals.hpp>
#include <troupe/os/thread.hpp>

#include <algorithm>
#include <utility>

namespace troupe::machines {

std::string with_prefix(const std::string& prefix, const std::string& lines) {
  std::string made;
  for (std::size_t at = 0; at < lines.size();) {
    const auto end = std::min(lines.find('\n', at), lines.size());
    made.append(prefix).append(lines, at, end - at).push_back('\n');
    at = end + 1;
  }
  return made;
}

printer::~printer() {
  {
    const std::scoped_lock guard{mutex_};
    ending_ = true;
    jobs_.clear();
    changed_.notify_all();
  }
  if (thread_.joinable())
    thread_.join();
}

void printer::print(int stream, const std::string& prefix,
                    const std::string& lines, std::function<void()> written) {
  const std::scoped_lock guard{mutex_};
  add({stream, with_prefix(prefix, lines), std::move(written)});
}

void printer::say(const std::string& line) {
  const std::scoped_lock guard{mutex_};
  if (own_ >= most_own) {
    ++left_out_;
    return;
  }
  ++own_;
  add({2, with_prefix("troupe: ", line), {}, true});
}

void printer::add(job what) {
  jobs_.push_back(std::move(what));
  ++begun_;
  if (!thread_.joinable())
    thread_ = os::start_thread([this] { run(); });
  changed_.notify_all();
}

std::uint64_t printer::begun() const {
  const std::scoped_lock guard{mutex_};
  return begun_;
}

bool printer::wait(std::uint64_t number, deadline limit) {
  std::unique_lock guard{mutex_};
  const auto done = [&] { return done_ >= number || ending_; };
  return wait_before(changed_, guard, limit, done);
}

bool printer::is_written(std::uint64_t number) const {
  const std::scoped_lock guard{mutex_};
  return done_ >= number || ending_;
}

void printer::watch() {
  const std::scoped_lock guard{mutex_};
  ++watching_;
}

void printer::unwatch() noexcept {
  const std::scoped_lock guard{mutex_};
  --watching_;
}

void printer::tell_of_left_out() {
  ++own_;
  add({2,
       "troupe: " + std::to_string(std::exchange(left_out_, 0))
         + " more lines were left out, since nobody has read\n",
       {},
       true});
}

void printer::run() {
  os::block_all_signals();
  std::unique_lock guard{mutex_};
  for (;;) {
    changed_.wait(guard, [this] { return ending_ || !jobs_.empty(); });
    if (ending_)
      return;
    const auto next = std::move(jobs_.front());
    jobs_.pop_front();
    if (next.is_own && --own_ == 0 && left_out_ > 0)
      tell_of_left_out();
    guard.unlock();
    // Where nobody reads any more there is nobody to tell.
    static_cast<void>(os::write_all(next.stream, next.text));
    if (next.written)
      next.written();
    guard.lock();
    ++done_;
    changed_.notify_all();
    if (watching_ > 0)
      memory::notify(memory::run_memory::current().own_slot());
  }
}

} // namespace troupe::machines
