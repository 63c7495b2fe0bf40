// SPDX-License-Identifier: BSL-1.0
#include <troupe/process/server_process.hpp>

#include <troupe/base/error.hpp>
#include <troupe/memory/run_memory.hpp>
#include <troupe/os/environment.hpp>
#include <troupe/os/lineage.hpp>
#include <troupe/os/process_id.hpp>
#include <troupe/process/inherited_descriptors.hpp>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <exception>
#include <span>
#include <utility>

namespace troupe::hosting {

namespace {

using memory::run_memory;

/// What goes through the pipe: the pid of who serves, or 0 and why it cannot.
struct report {
  std::int32_t pid = 0;
  std::int32_t error = 0;
  std::array<char, 120> refused{};
};

std::uint64_t unserved(std::uint32_t number) noexcept {
  return std::uint64_t{number} << 32;
}

os::descriptor pidfd_of(std::int32_t pid) noexcept {
  try {
    return os::open_pidfd(pid);
  } catch (const error&) {
    return {};
  }
}

void send(int to, const report& text) noexcept {
  static_cast<void>(
    os::write_all(to, {reinterpret_cast<const char*>(&text), sizeof text}));
}

/// Whether `pid`, or what stands behind its pidfd, has ended; reaps a child.
bool has_ended(std::int32_t pid, const os::descriptor& ended) noexcept {
  const auto state = os::peek_child(pid, ended.get());
  if (state.ended) {
    os::reap(pid, ended.get());
    return true;
  }
  if (state.is_child)
    return false;
  if (!ended)
    return !os::has_number(pid);
  os::watched look[] = {{ended.get()}};
  static_cast<void>(os::wait_readable(look, deadline::now()));
  return look[0].ready;
}

} // namespace

server_process::server_process() = default;

bool server_process::start() {
  auto& header = run_memory::current().header();
  auto& own = inherited_descriptors::current();
  const bool forks = os::has_borrowed_rights();
  if (forks && number_ != 0)
    throw invalid_state("start another fork server",
                        "this program runs with other rights than its caller "
                        "(setuid), and executes itself for nobody",
                        "do not kill its fork server");
  const auto other = os::rights::of_this_thread().difference(own.rights);
  if (!other.empty())
    throw invalid_state("start another fork server",
                        "this program had " + other
                          + " when it made its troupe::program",
                        "change that before troupe::program");
  auto [reader, writer] = os::make_pipe();
  os::let_not_wait(reader.get());
  forget();
  has_served_ = false;
  reason_.clear();
  header.serving.store(unserved(++number_));
  if (forks) {
    executed_ = os::fork_process();
    if (executed_ == 0) {
      own.life_line_writer.reset();
      own.server_report = std::move(writer);
      own.server_number = number_;
      run_memory::current().become_nobody();
      return false;
    }
  } else {
    auto keep = inherited(role::fork_server);
    keep.push_back(writer.get());
    for (const int fd : settings_.kept())
      keep.push_back(fd);
    executed_ = os::spawn_self(
      {environment_, bootstrap_variable,
       write_bootstrap({role::fork_server, {}}, writer.get(), number_,
                       settings_.text(os::lineage_mark(lineage()))),
       std::move(keep), settings_.opened_since(), settings_.streams(),
       signals_.mask()});
  }
  executed_ended_ = pidfd_of(executed_);
  report_ = std::move(reader);
  return true;
}

void server_process::add_to(std::vector<os::watched>& waiting) const {
  for (const auto* each : {&executed_ended_, &serving_ended_, &report_})
    if (*each)
      waiting.push_back({each->get()});
}

server_process::change server_process::look() {
  const bool served = serving_ != 0;
  read_report();
  if (executed_ != 0 && executed_ != serving_) {
    const auto state = os::peek_child(executed_, executed_ended_.get());
    if (has_ended(executed_, executed_ended_)) {
      executed_ = 0;
      executed_ended_.reset();
      // What it has forked may serve, if it has left on purpose.
      if (serving_ == 0
          && (!report_
              || (state.ended
                  && (state.ended->signaled || state.ended->code != 0)))
          && abandon())
        return change::ended;
    }
  } else if (executed_ == 0 && serving_ == 0 && !report_ && abandon()) {
    return change::ended;
  }
  if (serving_ != 0) {
    if (has_ended(serving_, serving_ended_)) {
      forget();
      return change::ended;
    }
    return served ? change::none : change::serves;
  }
  return change::none;
}

/// Takes what the pipe has; closes it at its end.
void server_process::read_report() {
  if (!report_)
    return;
  report text;
  os::watched look[] = {{report_.get()}};
  static_cast<void>(os::wait_readable(look, deadline::now()));
  if (!look[0].ready)
    return;
  // A write of less than a page is never torn.
  const auto size = os::read_some(report_.get(),
                                  std::as_writable_bytes(std::span{&text, 1}));
  report_.reset();
  if (size != sizeof text)
    return;
  if (text.pid > 0) {
    note_server(text.pid);
    return;
  }
  text.refused.back() = 0;
  const os_failure failure{std::string{"give the fork server "}
                             + text.refused.data()
                             + " that the program began with",
                           "lower no limit for good after troupe::program",
                           text.error};
  reason_ = failure.what();
}

void server_process::note_server(std::int32_t pid) {
  has_served_ = true;
  serving_ = pid;
  serving_ended_ = pidfd_of(pid);
  // Whoever was executed, and waits until what it has forked is ready, would
  // wait for ever.
  if (executed_ != 0 && executed_ != pid)
    static_cast<void>(os::try_signal({executed_, 0}, SIGKILL));
}

/// From now on nobody of this start serves. False: somebody does already.
bool server_process::abandon() {
  auto& serving = run_memory::current().header().serving;
  auto seen = unserved(number_);
  if (serving.compare_exchange_strong(seen, unserved(number_ + 1))) {
    forget();
    return true;
  }
  note_server(static_cast<std::int32_t>(static_cast<std::uint32_t>(seen)));
  return false;
}

void server_process::forget() noexcept {
  executed_ = 0;
  serving_ = 0;
  executed_ended_.reset();
  serving_ended_.reset();
  report_.reset();
}

bool server_process::kill() noexcept {
  bool permitted = true;
  for (const auto pid : {serving_, executed_})
    if (pid != 0)
      permitted = os::try_signal({pid, 0}, SIGKILL)
                    != os::signal_outcome::not_permitted
                  && permitted;
  return permitted;
}

bool server_process::wait(deadline limit) noexcept {
  constexpr auto turn = std::chrono::milliseconds{5};
  try {
    for (;;) {
      const bool same = serving_ == executed_;
      if (serving_ != 0 && has_ended(serving_, serving_ended_)) {
        serving_ = 0;
        serving_ended_.reset();
        if (same)
          executed_ = 0;
      }
      if (executed_ != 0 && has_ended(executed_, executed_ended_)) {
        executed_ = 0;
        executed_ended_.reset();
      }
      if (executed_ == 0 && serving_ == 0)
        return true;
      if (limit.passed())
        return false;
      std::vector<os::watched> waiting;
      for (const auto* each : {&executed_ended_, &serving_ended_})
        if (*each)
          waiting.push_back({each->get()});
      // One without a descriptor tells nobody.
      static_cast<void>(os::wait_readable(
        waiting, waiting.empty() ? deadline::after(turn) : limit));
    }
  } catch (const std::exception&) {
    // No memory for two descriptors: it ends unseen.
    return false;
  }
}

bool report_service() {
  auto& header = run_memory::current().header();
  auto& own = inherited_descriptors::current();
  auto seen = unserved(own.server_number);
  const auto self = os::this_pid();
  if (!header.serving.compare_exchange_strong(
        seen, seen | static_cast<std::uint32_t>(self)))
    return false;
  header.fork_server.store(self);
  report text;
  text.pid = self;
  send(own.server_report.get(), text);
  own.server_report.reset();
  return true;
}

void report_failure(int to, const char* refused) noexcept {
  report text;
  text.error = errno;
  std::strncpy(text.refused.data(), refused, text.refused.size() - 1);
  send(to, text);
}

} // namespace troupe::hosting
