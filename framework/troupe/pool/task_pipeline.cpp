// SPDX-License-Identifier: BSL-1.0
#include <troupe/pool/task_pipeline.hpp>

#include <troupe/base/error.hpp>
#include <troupe/base/stop_of_thread.hpp>
#include <troupe/os/thread.hpp>

#include <mutex>
#include <utility>

namespace troupe::pooling {

task_pipeline::task_pipeline(std::shared_ptr<dispatcher> pool,
                             const task_function& function, maker make,
                             source input, const plan& how)
  : pool_(std::move(pool)),
    function_(&function),
    make_(make),
    input_(std::move(input)),
    how_(how) {
  if (how_.in_memory) {
    fill();
    return;
  }
  reader_ = os::start_thread([this] { read_on(); });
}

task_pipeline::~task_pipeline() {
  std::map<std::uint64_t, chunk_done> open;
  {
    const std::scoped_lock guard{pool_->mutex()};
    at_end_ = true;
    open.swap(out_);
    for (const auto& each : open)
      each.second.of->done_list = nullptr;
  }
  room_.notify_all();
  stop_.request_stop();
  for (const auto& each : open)
    pool_->cancel(each.second.of, false);
  // The input belongs to the caller and may end with this; so nobody reads it
  // any more when this returns.
  if (reader_.joinable())
    reader_.join();
}

void task_pipeline::end::operator()(task_pipeline* given_up) const noexcept {
  if (!given_up->is_copy()) {
    delete given_up;
    return;
  }
  // Its thread is none that could be joined. Kept where the leak checker finds
  // it.
  static auto& all = *new std::deque<const task_pipeline*>;
  static auto& mutex = *new std::mutex;
  const std::scoped_lock guard{mutex};
  all.push_back(given_up);
}

// Taking results -------------------------------------------------------------

std::optional<task_pipeline::chunk_done> task_pipeline::next() {
  look_result found;
  pool_->wait([&] { return look(found); }, deadline::never());
  if (found.failure)
    std::rethrow_exception(found.failure);
  if (found.done && how_.in_memory)
    fill();
  return std::move(found.done);
}

/// Whether there is something to say: a chunk, a failure, or the end.
bool task_pipeline::look(look_result& found) {
  if (out_.empty()) {
    if (!at_end_) {
      auto refusal = pool_->refusal();
      if (!refusal)
        return false;
      // What is being read will not become a task.
      at_end_ = true;
      failure_ = std::move(refusal);
    }
    found.failure = std::exchange(failure_, nullptr);
    return true;
  }
  auto at = out_.begin();
  if (how_.ordered) {
    if (!at->second.of->is_done())
      return false;
  } else {
    if (done_.empty())
      return false;
    at = out_.find(done_.front());
    done_.pop_front();
  }
  found.done = std::move(at->second);
  out_.erase(at);
  in_hand_ = found.done->tasks > 1;
  make_room();
  return true;
}

void task_pipeline::taken() {
  {
    const std::scoped_lock guard{pool_->mutex()};
    in_hand_ = false;
    make_room();
  }
  if (how_.in_memory)
    fill();
}

void task_pipeline::make_room() {
  if (waits_for_room_ && has_room() && (how_.always || !has_ready()))
    room_.notify_one();
}

// Reading --------------------------------------------------------------------

bool task_pipeline::has_ready() const {
  if (in_hand_)
    return true;
  return how_.ordered ? !out_.empty() && out_.begin()->second.of->is_done()
                      : !done_.empty();
}

bool task_pipeline::has_room() const {
  return !at_end_ && out_.size() + (in_hand_ ? 1 : 0) < how_.most;
}

bool task_pipeline::may_read() {
  if (!has_room())
    return false;
  if (how_.in_memory || how_.always)
    return true;
  pool_->take_what_is_there();
  return !has_ready();
}

/// Reads as much as it may, in the thread that takes the results, which alone
/// changes what this looks at.
void task_pipeline::fill() {
  while (may_read())
    read_chunk();
}

void task_pipeline::read_on() {
  const stop_of_thread stopping{stop_.get_token()};
  std::unique_lock held{pool_->mutex()};
  while (!at_end_) {
    if (may_read()) {
      held.unlock();
      read_chunk();
      held.lock();
      continue;
    }
    waits_for_room_ = true;
    room_.wait(held);
    waits_for_room_ = false;
  }
}

void task_pipeline::read_chunk() noexcept {
  try {
    codec::packet message;
    dispatcher::begin_message(message, 0);
    if (const auto tasks = input_(message); tasks != 0)
      submit(std::move(message), tasks);
    else
      end_input(nullptr);
  } catch (...) {
    end_input(std::current_exception());
  }
}

void task_pipeline::submit(codec::packet message, std::uint32_t tasks) {
  auto made = make_();
  dispatcher::set_tasks(message, tasks);
  pool_->submit_whole(made, *function_, std::move(message), tasks, [&] {
    if (at_end_)
      return false;
    made->number = next_number_++;
    if (!how_.ordered)
      made->done_list = &done_;
    out_.emplace(made->number, chunk_done{made, tasks});
    return true;
  });
}

void task_pipeline::end_input(std::exception_ptr why) {
  {
    const std::scoped_lock guard{pool_->mutex()};
    // Where nobody wants more, nobody wants to know why there is none.
    if (std::exchange(at_end_, true))
      return;
    failure_ = std::move(why);
  }
  if (!how_.in_memory)
    pool_->wake_who_waits();
}

} // namespace troupe::pooling
