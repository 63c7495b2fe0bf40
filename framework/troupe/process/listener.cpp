// SPDX-License-Identifier: BSL-1.0
#include <troupe/process/listener.hpp>

#include <troupe/memory/run_memory.hpp>
#include <troupe/os/pipe.hpp>
#include <troupe/os/signals.hpp>
#include <troupe/os/thread.hpp>
#include <troupe/process/signals.hpp>

#include <atomic>
#include <csignal>

namespace troupe::hosting {

namespace {

using memory::run_memory;

// What the signal handler may touch.
// Both seq_cst: `note` sets a bit of `came` and then rings `event`, which the
// constructor has set before there was a handler; `listen` reads `came` after
// it has cleared the event.
std::atomic<std::uint32_t> came{0};
std::atomic<int> event{-1};

void note(int signal, bool) {
  came.fetch_or(bit_of(signal));
  os::notify_event(event.load());
}

} // namespace

void stop_sources::request(std::uint32_t which) {
  for (std::uint32_t set = 1; set <= count; ++set)
    if ((set & which) != 0)
      request_one(set);
}

listener& listener::of_this_process() {
  static auto& only = *new listener;
  return only;
}

listener::listener() : event_(os::make_event()) {
  event.store(event_.get());
  os::start_thread([this] { listen(); }).detach();
}

void listener::listen() {
  os::block_all_signals();
  for (;;) {
    os::watched waiting[] = {{event_.get()}};
    static_cast<void>(os::wait_readable(waiting, deadline::never()));
    os::clear_event(event_.get());
    sources_.request(came.load());
  }
}

std::stop_token listener::token(std::uint32_t set) {
  for (const int signal : {SIGINT, SIGTERM})
    if ((bit_of(signal) & set) != 0)
      os::on_signal(signal, note);
  auto& memory = run_memory::current();
  memory.own_slot().listens.fetch_or(set);
  // seq_cst: the root sees that this process listens, or this process sees the
  // signal that has come meanwhile.
  const auto word = memory.header().interrupted.load();
  const auto before
    = bit_of(static_cast<int>(word % memory::run_header::interrupt_told));
  if ((before & set) != 0)
    note(before == bit_of(SIGINT) ? SIGINT : SIGTERM, false);
  return sources_.token(set);
}

} // namespace troupe::hosting
