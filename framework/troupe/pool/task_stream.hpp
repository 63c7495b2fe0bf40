// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/base/error.hpp>
#include <troupe/base/reading_iterator.hpp>
#include <troupe/pool/task_pipeline.hpp>

#include <cstddef>
#include <exception>
#include <iterator>
#include <memory>
#include <optional>
#include <utility>

namespace troupe {

/// Results as they come: what `imap` and `imap_unordered` give. An input range
/// whose elements are results; it may be the input of another `imap`.
///
///     for (auto& square : pool.imap<square>(numbers))
///
/// A result is taken when it is looked at, so a view of three results, or a
/// loop that is left, takes no more than it has shown; `next` goes on behind
/// them. A task that failed throws where its result would be; going on with
/// `next` gives those behind it. What the input throws, or the pool because it
/// was closed meanwhile, is thrown behind the last result, once.
///
/// One thread uses it. It must not outlive its input, nor what that refers to.
template <class R>
class task_stream {
public:
  using iterator = reading_iterator<R, task_stream>;

  task_stream(std::shared_ptr<pooling::dispatcher> pool,
              const pooling::task_function& function,
              pooling::task_pipeline::source input,
              const pooling::task_pipeline::plan& how)
    : pipeline_(new pooling::task_pipeline{
        std::move(pool), function,
        []() -> std::shared_ptr<pooling::job> {
          return std::make_shared<pooling::job_of<R>>();
        },
        std::move(input), how}) {
  }

  /// Takes back what has not begun, and forgets the rest.
  /// @blocks on the input while an item of it is being read, for it may end
  /// with the stream: that is until the item is there. Where the reading waits
  /// in a queue, a pipe or a pool of Troupe's it ends at once, and takes
  /// nothing.
  ~task_stream() = default;

  task_stream(task_stream&&) noexcept = default;

  /// Ends what this stream had, as the destructor does.
  task_stream& operator=(task_stream&&) noexcept = default;

  /// The next result; nothing at the end. Throws what its task failed with,
  /// and `invalid_state` if this was moved from.
  /// @blocks on the pool's workers, and on the input where nothing is under way
  [[nodiscard]] std::optional<R> next() {
    if (!pipeline_)
      throw invalid_state("take a result of imap", "its stream was moved from");
    if (at_ == size_ && !open_next())
      return std::nullopt;
    const auto index = at_++;
    if (at_ == size_ && size_ > 1)
      pipeline_->taken();
    // Nobody else has this job any more.
    if (const auto failure = current_->failure_of(index))
      std::rethrow_exception(failure);
    return current_->take(index);
  }

  /// Where the results begin that have not been taken.
  [[nodiscard]] iterator begin() noexcept {
    return iterator{*this};
  }

  [[nodiscard]] std::default_sentinel_t end() const noexcept {
    return {};
  }

private:
  bool open_next() {
    auto found = pipeline_->next();
    if (!found)
      return false;
    current_
      = std::static_pointer_cast<pooling::job_of<R>>(std::move(found->of));
    size_ = found->tasks;
    at_ = 0;
    return true;
  }

  std::unique_ptr<pooling::task_pipeline, pooling::task_pipeline::end>
    pipeline_;
  std::shared_ptr<pooling::job_of<R>> current_;
  std::size_t at_ = 0;
  std::size_t size_ = 0;
};

} // namespace troupe
