// SPDX-License-Identifier: BSL-1.0
#include <troupe/process/exit.hpp>

#include <troupe/base/error.hpp>
#include <troupe/os/child.hpp>
#include <troupe/os/held_threads.hpp>
#include <troupe/os/process_id.hpp>
#include <troupe/process/table.hpp>

#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <mutex>
#include <optional>

namespace troupe::hosting {

namespace {

/// The thread that ends this process.
// seq_cst: one thread wins the exchange in `begin_exit`; the others read it in
// `exits_elsewhere` and compare it with their own. It publishes nothing.
std::atomic<std::int32_t> exiting{0};

/// Guards the two that follow.
constinit std::mutex mutex;
bool threads_run_on = false;
/// The code of the exit, once static objects are being destroyed.
std::optional<int> destroying;

void (*last_step)() = nullptr;
std::terminate_handler terminate_before = nullptr;

bool exits_elsewhere() noexcept {
  const auto who = exiting.load();
  return who != 0 && who != os::this_thread_id() && is_own_slot();
}

/// Ends the process as `exit` does after the last destructor.
[[noreturn]] void leave(int code) noexcept {
  for (std::ostream* each : {&std::cout, &std::cerr, &std::clog})
    try {
      each->flush();
    } catch (...) {
      // A stream that the user has told to throw: its state says the same.
      continue;
    }
  // Despite its name it writes and closes nothing, and waits for no thread that
  // is reading.
  ::fcloseall();
  os::exit_at_once(code);
}

bool is_error_of_troupe() noexcept {
  if (!std::current_exception())
    return false;
  try {
    throw;
  } catch (const error&) {
    return true;
  } catch (...) {
    return false;
  }
}

/// The terminate handler of the root, and of a process that ends.
[[noreturn]] void stop_or_terminate() {
  // The signal has ended what it waited for.
  os::stay_if_held();
  if (exits_elsewhere() && is_error_of_troupe()) {
    {
      // What it throws through stays locked.
      const std::scoped_lock guard{mutex};
      threads_run_on = true;
      if (destroying)
        leave(*destroying);
    }
    os::stop_this_thread();
  }
  if (terminate_before != nullptr)
    terminate_before();
  std::abort();
}

void take_last_step(int code, void*) {
  const bool own = begin_exit();
  last_step();
  if (!own)
    return;
  const std::scoped_lock guard{mutex};
  if (threads_run_on)
    leave(code);
  destroying = code;
}

} // namespace

void hold_instead_of_terminating() noexcept {
  // Again at the end: the program may have set another meanwhile.
  if (std::get_terminate() == stop_or_terminate)
    return;
  terminate_before = std::get_terminate();
  std::set_terminate(stop_or_terminate);
}

bool begin_exit() noexcept {
  if (!is_own_slot())
    return false;
  std::int32_t nobody = 0;
  if (exiting.compare_exchange_strong(nobody, os::this_thread_id()))
    hold_instead_of_terminating();
  wait_for_exit_elsewhere();
  return true;
}

void wait_for_exit_elsewhere() noexcept {
  if (exits_elsewhere())
    os::stop_this_thread();
}

void leave_static_objects() noexcept {
  const std::scoped_lock guard{mutex};
  threads_run_on = true;
}

void at_exit(void (*last)()) {
  last_step = last;
  // While a thread is at the last step another that exits goes on behind it.
  std::atexit([] { static_cast<void>(begin_exit()); });
  ::on_exit(take_last_step, nullptr);
}

} // namespace troupe::hosting
