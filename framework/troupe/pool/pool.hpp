// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/base/error.hpp>
#include <troupe/base/option_checks.hpp>
#include <troupe/codec/narrowing.hpp>
#include <troupe/pool/dispatcher.hpp>
#include <troupe/pool/imap_options.hpp>
#include <troupe/pool/pool_options.hpp>
#include <troupe/pool/require_task.hpp>
#include <troupe/pool/task_future.hpp>
#include <troupe/pool/task_input.hpp>
#include <troupe/pool/task_recipe.hpp>
#include <troupe/pool/task_stream.hpp>
#include <troupe/pool/worker_hooks.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <iterator>
#include <memory>
#include <ranges>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace troupe {

/// Worker processes that run functions: Python's `Pool`.
///
///     troupe::pool pool;
///     std::vector<long> squares = pool.map<square>(numbers);
///
/// A function is named as for `start`: in angle brackets, also a member
/// function, whose first argument is a copy of the object, or as a lambda
/// without captures; its parameters and its result must be sendable. Any thread
/// may use a pool, and tasks may have pools of their own.
///
/// # Order
/// Tasks begin in the order in which they were submitted; results stand in the
/// order of their input, but for `imap_unordered`.
///
/// # What a crash leaves
/// A worker that dies, of whatever and at whatever moment, fails the one task
/// that it ran, with its story, or has it run again where `retries` says so; it
/// is replaced. A task that shares a chunk with others may have been finished
/// by the dead worker within its last millisecond and not reported: it is run
/// again. Whoever must not be run twice goes alone: chunk size 1.
/// If the pool's own process dies, its workers die with it.
///
/// # Ctrl-C and SIGTERM
/// In a root that does not listen they end the program. In one that has asked
/// for `interrupt_token()` all that is not done fails with `cancelled` at once,
/// and so does all that is submitted from then on, but for a task that has
/// asked for the token itself: it may finish, and its result counts. A task
/// that runs and has not asked is asked to stop (`this_task::stop_token`) and
/// runs on; `join` and the end of the pool kill its worker. Nobody is replaced.
///
/// # The end
/// The destructor terminates, as leaving Python's `with` does; `close` and
/// `join` wait for what was submitted. Both end whatever the workers do. A
/// callback may be the last who owns the pool, or a future of it.
/// A pool that was moved from may be assigned to and destroyed; all else throws
/// `invalid_state`, and so does a pool in a process that user code has forked
/// off the pool's own: there its end does nothing.
class pool {
public:
  /// Starts the workers. Throws what `start` throws; `limit_reached` before the
  /// first if the run cannot have so many processes.
  explicit pool(const pool_options& options = {}, worker_hooks hooks = {})
    : core_(pooling::dispatcher::make(options, hooks.initializer_,
                                      std::move(hooks.arguments_),
                                      hooks.finalizer_)) {
  }

  /// That many workers.
  explicit pool(std::uint32_t size) : pool(pool_options{.size = size}) {
  }

  pool(pool&&) noexcept = default;

  /// Terminates what this pool had.
  /// @blocks on its killed workers
  pool& operator=(pool&& other) noexcept {
    pool old{std::move(other)};
    std::swap(core_, old.core_);
    std::swap(progress_, old.progress_);
    return *this;
  }

  /// Kills the workers; what is not done fails with `cancelled`.
  ~pool() {
    if (core_)
      core_->terminate();
  }

  // One task ------------------------------------------------------------------

  /// Runs `F(args...)` in a worker and gives its result. Throws as
  /// `task_future::get`, and `closed`.
  /// @blocks on the pool's workers
  template <auto F, class... Args>
  auto apply(Args&&... args) {
    return submit_one<calls::named<F>>(std::forward<Args>(args)...).get();
  }

  template <class F, class... Args>
  auto apply(F, Args&&... args) {
    return submit_one<calls::argument<F>>(std::forward<Args>(args)...).get();
  }

  /// The same without waiting.
  template <auto F, class... Args>
  [[nodiscard]] auto apply_async(Args&&... args) {
    auto result = submit_one<calls::named<F>>(std::forward<Args>(args)...);
    core()->keep_a_leader();
    return result;
  }

  template <class F, class... Args>
  [[nodiscard]] auto apply_async(F, Args&&... args) {
    auto result = submit_one<calls::argument<F>>(std::forward<Args>(args)...);
    core()->keep_a_leader();
    return result;
  }

  // Many tasks ----------------------------------------------------------------

  /// Runs `F` on each item; the results in the order of the items. `chunk`
  /// tasks travel together; 0 chooses it so that each worker gets about four
  /// chunks. If tasks fail, the others go on, and then the first failure is
  /// thrown. What `items` throws is thrown at once, and no task is begun any
  /// more.
  /// @blocks on the pool's workers
  template <auto F, class Items>
  auto map(Items&& items, std::size_t chunk = 0) {
    return submit_all<calls::named<F>, false>(items, chunk).get();
  }

  template <class F, class Items>
  auto map(F, Items&& items, std::size_t chunk = 0) {
    return submit_all<calls::argument<F>, false>(items, chunk).get();
  }

  template <auto F, class Items>
  [[nodiscard]] auto map_async(Items&& items, std::size_t chunk = 0) {
    auto result = submit_all<calls::named<F>, false>(items, chunk);
    core()->keep_a_leader();
    return result;
  }

  template <class F, class Items>
  [[nodiscard]] auto map_async(F, Items&& items, std::size_t chunk = 0) {
    auto result = submit_all<calls::argument<F>, false>(items, chunk);
    core()->keep_a_leader();
    return result;
  }

  /// `map` for functions of several parameters: items are tuples of arguments.
  template <auto F, class Items>
  auto starmap(Items&& items, std::size_t chunk = 0) {
    return submit_all<calls::named<F>, true>(items, chunk).get();
  }

  template <class F, class Items>
  auto starmap(F, Items&& items, std::size_t chunk = 0) {
    return submit_all<calls::argument<F>, true>(items, chunk).get();
  }

  template <auto F, class Items>
  [[nodiscard]] auto starmap_async(Items&& items, std::size_t chunk = 0) {
    auto result = submit_all<calls::named<F>, true>(items, chunk);
    core()->keep_a_leader();
    return result;
  }

  /// Runs `F` on each item and gives the results one by one, in order, as they
  /// come. What `items` throws comes behind the results of the chunks before.
  ///
  /// `items` is any input range: what is an lvalue is referred to and must live
  /// as long as the stream, all else is owned by it. It is read as results are
  /// taken, see `imap_options`; a result that is ready is given also while the
  /// next item is waited for.
  ///
  /// Contiguous memory and numbers of `std::views::iota` are read by the
  /// caller. All else is read by a thread that the stream has: what the input
  /// uses together with the caller needs a lock, or to be a queue. Throws
  /// `os_failure` if there can be no such thread.
  template <auto F, class Items>
  [[nodiscard]] auto imap(Items&& items, std::size_t chunk = 1) {
    return imap<F>(std::forward<Items>(items), imap_options{.chunk = chunk});
  }

  template <auto F, class Items>
  [[nodiscard]] auto imap(Items&& items, const imap_options& how) {
    return stream<calls::named<F>>(std::forward<Items>(items), how, true);
  }

  template <class F, class Items>
  [[nodiscard]] auto imap(F f, Items&& items, std::size_t chunk = 1) {
    return imap(f, std::forward<Items>(items), imap_options{.chunk = chunk});
  }

  template <class F, class Items>
  [[nodiscard]] auto imap(F, Items&& items, const imap_options& how) {
    return stream<calls::argument<F>>(std::forward<Items>(items), how, true);
  }

  /// The same, in the order in which the tasks end.
  template <auto F, class Items>
  [[nodiscard]] auto imap_unordered(Items&& items, std::size_t chunk = 1) {
    return imap_unordered<F>(std::forward<Items>(items),
                             imap_options{.chunk = chunk});
  }

  template <auto F, class Items>
  [[nodiscard]] auto imap_unordered(Items&& items, const imap_options& how) {
    return stream<calls::named<F>>(std::forward<Items>(items), how, false);
  }

  template <class F, class Items>
  [[nodiscard]] auto imap_unordered(F f, Items&& items, std::size_t chunk = 1) {
    return imap_unordered(f, std::forward<Items>(items),
                          imap_options{.chunk = chunk});
  }

  template <class F, class Items>
  [[nodiscard]] auto imap_unordered(F, Items&& items, const imap_options& how) {
    return stream<calls::argument<F>>(std::forward<Items>(items), how, false);
  }

  // Looking -------------------------------------------------------------------

  [[nodiscard]] std::uint32_t size() const {
    return core()->size();
  }

  /// The workers that there are now.
  [[nodiscard]] std::vector<process_view> workers() const {
    return core()->workers();
  }

  /// From now on `tell` is called for each `map` and its like with how many
  /// tasks have run, well or not, and how many there are, by a thread that
  /// waits for the pool or one of the pool. What it throws reaches nobody: a
  /// line on standard error names the pool and the exception. See
  /// `progress_bar`.
  void on_progress(std::function<void(std::size_t, std::size_t)> tell) {
    progress_ = std::move(tell);
  }

  // The end -------------------------------------------------------------------

  /// No more tasks: `apply` and its like throw `closed`. What was submitted
  /// goes on.
  void close() {
    core()->close();
  }

  /// Waits until everything that was submitted is done and the workers, whose
  /// finalisers run, have ended. Throws `invalid_state` if the pool is open.
  /// @blocks on the pool's workers
  void join() {
    static_cast<void>(core()->join(deadline::never()));
  }

  template <class Rep, class Period>
  [[nodiscard]] bool join_for(const std::chrono::duration<Rep, Period>& limit) {
    return core()->join(deadline::after(limit));
  }

  template <class Clock, class Duration>
  [[nodiscard]] bool
  join_until(const std::chrono::time_point<Clock, Duration>& limit) {
    return core()->join(deadline::at(limit));
  }

  /// Kills the workers. What is not done fails with `cancelled`.
  void terminate() {
    core()->terminate();
  }

  /// What is behind it, for layers above. Throws `invalid_state` for a pool
  /// that was moved from.
  [[nodiscard]] const std::shared_ptr<pooling::dispatcher>& core() const {
    if (!core_)
      throw invalid_state("use a pool", "it was moved from");
    return core_;
  }

private:
  template <class Callable, class... Args>
  auto submit_one(Args&&... args) {
    pooling::require_applicable<Callable, Args&&...>();
    if constexpr (pooling::applicable<Callable, Args&&...>) {
      using result = pooling::result_of<Callable>;
      codec::packet message;
      pooling::dispatcher::begin_message(message, 1);
      codec::encoder to{message};
      calls::encode_arguments<typename Callable::signature>(
        to, std::forward<Args>(args)...);
      auto made = std::make_shared<pooling::job_of<result>>();
      core()->submit(made, pooling::task_entry<Callable>, std::move(message),
                     1);
      core()->complete(made);
      return task_future<result>{core(), std::move(made)};
    } else {
      return calls::refused{};
    }
  }

  template <class Callable, bool Star, class Items>
  auto submit_all(Items& items, std::size_t chunk) {
    pooling::require_mappable<Callable, Star, Items&>();
    if constexpr (!pooling::mappable<Callable, Star, Items&>) {
      return calls::refused{};
    } else if constexpr (std::ranges::forward_range<Items>
                         || std::ranges::sized_range<Items>) {
      const auto count = static_cast<std::size_t>(std::ranges::distance(items));
      return submit_sized<Callable, Star>(items, count, chunk);
    } else {
      std::vector<std::ranges::range_value_t<Items>> all;
      for (auto&& each : items)
        all.push_back(std::forward<decltype(each)>(each));
      return submit_sized<Callable, Star>(all, all.size(), chunk);
    }
  }

  template <class Callable, bool Star, class Items>
  auto submit_sized(Items& items, std::size_t count, std::size_t chunk) {
    require_not_negative("run tasks of a pool", "chunk", chunk);
    using result = pooling::result_of<Callable>;
    auto made = std::make_shared<pooling::job_of<result>>();
    made->on_progress = progress_;
    if (chunk == 0) {
      const auto parts = std::size_t{core()->size()} * 4;
      chunk = std::max<std::size_t>(1, (count + parts - 1) / parts);
    }
    try {
      pooling::task_input from{std::ranges::ref_view{items}};
      for (;;) {
        codec::packet message;
        pooling::dispatcher::begin_message(message, 0);
        const auto tasks = append_some<Callable, Star>(message, from, chunk);
        if (tasks == 0)
          break;
        pooling::dispatcher::set_tasks(message, tasks);
        core()->submit(made, pooling::task_entry<Callable>, std::move(message),
                       tasks);
      }
    } catch (...) {
      // Nobody will ask for what the items before have come to.
      core()->cancel(made, false);
      throw;
    }
    core()->complete(made);
    return task_future<result, true>{core(), std::move(made)};
  }

  template <class Callable, class Items>
  auto stream(Items&& items, const imap_options& how, bool ordered) {
    using result = pooling::result_of<Callable>;
    constexpr bool gives_results = !std::is_void_v<result>
                                   || !pooling::is_task<Callable>;
    static_assert(gives_results,
                  "troupe: imap gives results; use map for a function without");
    if constexpr (gives_results)
      pooling::require_mappable<Callable, false, Items>();
    if constexpr (!pooling::mappable<Callable, false, Items>
                  || std::is_void_v<result>)
      return calls::refused{};
    else
      return stream_of<Callable>(std::forward<Items>(items), how, ordered);
  }

  template <class Callable, class Items>
  auto stream_of(Items&& items, const imap_options& how, bool ordered) {
    using result = pooling::result_of<Callable>;
    require_not_negative("run tasks of a pool", "chunk", how.chunk);
    require_not_negative("run tasks of a pool", "window", how.window);
    using input = pooling::task_input<std::views::all_t<Items>>;
    const bool always = how.window != 0;
    auto chunk = std::max<std::size_t>(1, how.chunk);
    if (always)
      chunk = std::min(chunk, how.window);
    auto source = [from = std::make_shared<input>(
                     std::views::all(std::forward<Items>(items))),
                   chunk](codec::packet& message) {
      return append_some<Callable, false>(message, *from, chunk);
    };
    const auto most = always ? how.window / chunk
                             : std::size_t{core()->size()} * ahead;
    return task_stream<result>{core(),
                               pooling::task_entry<Callable>,
                               std::move(source),
                               {.ordered = ordered,
                                .in_memory = pooling::is_in_memory<Items>,
                                .most = most,
                                .always = always}};
  }

  /// Chunks that `imap` reads ahead, for each worker.
  static constexpr std::size_t ahead = 64;

  template <class Callable>
  static void append(codec::packet& message,
                     const pooling::parameters_of<Callable>& arguments) {
    codec::encoder to{message};
    if constexpr (pooling::flat_alone<pooling::parameters_of<Callable>>)
      to.write(&std::get<0>(arguments), sizeof(std::get<0>(arguments)));
    else
      to.save(arguments);
  }

  /// Appends the next `most` items to a message; returns how many there were.
  template <class Callable, bool Star, class Input>
  static std::uint32_t
  append_some(codec::packet& message, Input& from, std::size_t most) {
    using parameters = pooling::parameters_of<Callable>;
    using item = typename Input::reference;
    most = std::min<std::size_t>(most, 1U << 30);
    if constexpr (Star) {
      codec::require_kept_value<item, parameters>();
      return from.read(most, [&](item&& each) {
        append<Callable>(message, parameters(std::forward<item>(each)));
      });
    } else {
      using alone = std::tuple_element_t<0, parameters>;
      if constexpr (pooling::flat_alone<parameters>
                    && Input::template is_array_of<alone>) {
        const auto some = from.read_array(most);
        if (!some.empty())
          codec::encoder{message}.write(some.data(), some.size_bytes());
        return static_cast<std::uint32_t>(some.size());
      } else {
        codec::require_kept_value<item, alone>();
        return from.read(most, [&](item&& each) {
          append<Callable>(message,
                           parameters(alone(std::forward<item>(each))));
        });
      }
    }
  }

  std::shared_ptr<pooling::dispatcher> core_;
  std::function<void(std::size_t, std::size_t)> progress_;
};

} // namespace troupe
