// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/base/error.hpp>
#include <troupe/pool/dispatcher.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <iterator>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

namespace troupe {

/// Results as they come: what `imap` and `imap_unordered` give. A range whose
/// elements are results; input is read as results are taken, a window ahead, so
/// that an endless range works in constant memory.
///
///     for (auto& square : pool.imap<square>(numbers))
///
/// A task that failed throws where its result would be; going on with `next`
/// gives those behind it. What the input throws, or the pool because it was
/// closed meanwhile, is thrown behind the last result, once. One thread uses it;
/// it must not outlive its input.
template <class R>
class task_stream {
public:
  /// Reads one chunk of input into a letter; returns how many tasks, 0 at the
  /// end.
  using source = std::function<std::uint32_t(codec::packet&)>;

  task_stream(std::shared_ptr<pooling::dispatcher> pool,
              const hosting::entry& function, source input, std::size_t window,
              bool ordered)
    : pool_(std::move(pool)),
      function_(&function),
      input_(std::move(input)),
      window_(window),
      ordered_(ordered),
      done_(std::make_unique<std::deque<std::uint64_t>>()) {
    fill();
  }

  task_stream(task_stream&&) noexcept = default;

  /// Takes back what has not begun, and forgets the rest.
  ~task_stream() {
    if (!pool_ || pool_->is_copy())
      return;
    for (const auto& each : out_) {
      {
        const std::scoped_lock guard{pool_->mutex()};
        each.second.of->done_list = nullptr;
      }
      pool_->cancel(each.second.of, false);
    }
  }

  /// The next result; nothing at the end. Throws what its task failed with,
  /// and `invalid_state` if this was moved from.
  /// @blocks on the pool's workers
  [[nodiscard]] std::optional<R> next() {
    if (!pool_)
      throw invalid_state("take a result of imap", "its stream was moved from");
    if (at_ == size_ && !open_next())
      return std::nullopt;
    const auto index = at_++;
    const std::scoped_lock guard{pool_->mutex()};
    if (const auto failure = current_->failure_of(index))
      std::rethrow_exception(failure);
    return current_->take(index);
  }

  class iterator {
  public:
    using value_type = R;
    using difference_type = std::ptrdiff_t;
    using iterator_concept = std::input_iterator_tag;

    explicit iterator(task_stream& from) : from_(&from), value_(from.next()) {
    }

    iterator& operator++() {
      value_ = from_->next();
      return *this;
    }

    void operator++(int) {
      ++*this;
    }

    [[nodiscard]] R& operator*() const noexcept {
      return *value_;
    }

    friend bool operator==(const iterator& at, std::default_sentinel_t) {
      return !at.value_;
    }

  private:
    task_stream* from_;
    mutable std::optional<R> value_;
  };

  [[nodiscard]] iterator begin() {
    return iterator{*this};
  }

  [[nodiscard]] std::default_sentinel_t end() const noexcept {
    return {};
  }

private:
  /// One chunk: its tasks are a job of their own, so that what is read is
  /// forgotten.
  struct part {
    std::shared_ptr<pooling::job_of<R>> of;
    std::uint32_t tasks;
  };

  void fill() {
    while (!at_end_ && out_.size() < window_) {
      codec::packet letter;
      pooling::dispatcher::begin_letter(letter, 0);
      try {
        const auto tasks = input_(letter);
        if (tasks == 0)
          at_end_ = true;
        else
          submit(std::move(letter), tasks);
      } catch (...) {
        at_end_ = true;
        failure_ = std::current_exception();
      }
    }
  }

  void submit(codec::packet letter, std::uint32_t tasks) {
    auto made = std::make_shared<pooling::job_of<R>>();
    made->number = next_++;
    if (!ordered_)
      made->done_list = done_.get();
    pooling::dispatcher::set_tasks(letter, tasks);
    pool_->submit(made, *function_, std::move(letter), tasks);
    out_.emplace(made->number, part{made, tasks});
    pool_->complete(made);
  }

  bool open_next() {
    if (out_.empty()) {
      if (failure_)
        std::rethrow_exception(std::exchange(failure_, nullptr));
      return false;
    }
    std::uint64_t number = 0;
    if (ordered_) {
      number = out_.begin()->first;
      const auto first = out_.begin()->second.of;
      pool_->wait([&] { return first->is_done(); }, deadline::never());
    } else {
      if (ready_.empty())
        pool_->wait(
          [&] {
            ready_.swap(*done_);
            return !ready_.empty();
          },
          deadline::never());
      number = ready_.front();
      ready_.pop_front();
    }
    const auto found = out_.find(number);
    current_ = found->second.of;
    size_ = found->second.tasks;
    out_.erase(found);
    at_ = 0;
    fill();
    return true;
  }

  std::shared_ptr<pooling::dispatcher> pool_;
  const hosting::entry* function_;
  source input_;
  std::size_t window_;
  bool ordered_;
  bool at_end_ = false;
  /// What the input threw, or the pool when it was given more.
  std::exception_ptr failure_;
  std::uint64_t next_ = 0;
  std::map<std::uint64_t, part> out_;
  std::unique_ptr<std::deque<std::uint64_t>> done_;
  std::deque<std::uint64_t> ready_;
  std::shared_ptr<pooling::job_of<R>> current_;
  std::size_t at_ = 0;
  std::size_t size_ = 0;
};

} // namespace troupe
