// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/pool/dispatcher.hpp>

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <thread>

namespace troupe::pooling {

/// Between the input of an `imap` and its results: reads chunks, gives them to
/// the pool, and finds those that are done.
///
/// Input that is in memory already is read by the thread that takes the
/// results. All other is read by a thread of the pipeline, because reading may
/// take as long as it likes and results are not to wait for it.
///
/// Each chunk is a job of its own, so that what was taken is forgotten. All
/// members that both threads use are guarded by the dispatcher's mutex.
class task_pipeline {
public:
  /// Reads one chunk of input into a message; returns how many tasks, 0 at the
  /// end.
  using source = std::function<std::uint32_t(codec::packet&)>;
  /// Makes a job of the type that the results have.
  using maker = std::shared_ptr<job> (*)();

  struct plan {
    bool ordered;
    /// Reading never waits.
    bool in_memory;
    /// Chunks that are read and whose results are not taken.
    std::size_t most;
    /// So many are read also while results are ready.
    bool always;
  };

  /// A chunk whose tasks are done. Nobody but who has it uses its job.
  struct chunk_done {
    std::shared_ptr<job> of;
    std::uint32_t tasks = 0;
  };

  /// Begins to read. Throws `os_failure` if there can be no thread for it.
  task_pipeline(std::shared_ptr<dispatcher> pool, const task_function& function,
                maker make, source input, const plan& how);

  /// Takes back what has not begun.
  /// @blocks on the input that is being read; waiting in queues, pipes and
  /// pools ends at once
  ~task_pipeline();

  task_pipeline(const task_pipeline&) = delete;
  task_pipeline& operator=(const task_pipeline&) = delete;

  /// The next chunk that is done, in order or whichever; nothing at the end.
  /// Throws what the input threw, once, behind the last; so with a pool that
  /// takes no more tasks.
  /// @blocks on the pool's workers, and on the input
  [[nodiscard]] std::optional<chunk_done> next();

  /// The results of the last chunk have all been taken. For one of a single
  /// task `next` says that itself.
  void taken();

  /// Whether this process was forked off the pool's: then there is no thread
  /// that reads, and the destructor must not be called.
  [[nodiscard]] bool is_copy() const noexcept {
    return pool_->is_copy();
  }

  /// Destroys a pipeline; keeps a copy of one in a forked process.
  struct end {
    void operator()(task_pipeline* given_up) const noexcept;
  };

private:
  /// What `next` has found.
  struct look_result {
    std::optional<chunk_done> done;
    std::exception_ptr failure;
  };

  [[nodiscard]] bool look(look_result& found);
  [[nodiscard]] bool has_ready() const;
  [[nodiscard]] bool has_room() const;
  [[nodiscard]] bool may_read();
  void fill();
  void read_on();
  void read_chunk() noexcept;
  void submit(codec::packet message, std::uint32_t tasks);
  void end_input(std::exception_ptr why);
  void make_room();

  std::shared_ptr<dispatcher> pool_;
  const task_function* function_;
  maker make_;
  source input_;
  plan how_;
  bool at_end_ = false;
  /// What the input threw, or the pool when it was given more.
  std::exception_ptr failure_;
  std::uint64_t next_number_ = 0;
  std::map<std::uint64_t, chunk_done> out_;
  /// Numbers of chunks that are done, where any order will do.
  std::deque<std::uint64_t> done_;
  /// One was given by `next` and not yet taken.
  bool in_hand_ = false;
  /// The reading thread waits for room.
  bool waits_for_room_ = false;
  std::condition_variable room_;
  std::stop_source stop_;
  std::thread reader_;
};

} // namespace troupe::pooling
