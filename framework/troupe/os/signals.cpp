// SPDX-License-Identifier: BSL-1.0
#include <troupe/os/signals.hpp>

#include <troupe/os/child.hpp>
#include <troupe/os/held_threads.hpp>

#include <array>
#include <atomic>
#include <csignal>
#include <cstddef>

#include <pthread.h>
#include <unistd.h>

namespace troupe::os {

namespace {

using handler_of_signal = void (*)(int, bool);
// Stored with seq_cst by `on_signal` before the kernel is told to call
// `handle`, which reads it with seq_cst in signal context: so it finds the
// handler.
std::array<std::atomic<handler_of_signal>, NSIG> handlers{};

void handle(int signal, siginfo_t* info, void*) {
  if (const auto call = handlers.at(static_cast<std::size_t>(signal)).load())
    call(signal, info->si_code == SI_KERNEL);
}

void set_disposition(int signal, void (*handler)(int)) noexcept {
  struct sigaction action{};
  action.sa_handler = handler;
  ::sigaction(signal, &action, nullptr);
}

} // namespace

struct signal_settings::state {
  sigset_t mask{};
  struct sigaction interrupt{};
  struct sigaction quit{};
  struct sigaction terminate{};
  struct sigaction child{};

  void restore(const sigset_t& with) const noexcept {
    ::sigaction(SIGINT, &interrupt, nullptr);
    ::sigaction(SIGQUIT, &quit, nullptr);
    ::sigaction(SIGTERM, &terminate, nullptr);
    ::sigaction(SIGCHLD, &child, nullptr);
    ::pthread_sigmask(SIG_SETMASK, &with, nullptr);
  }
};

signal_settings::signal_settings() : state_(std::make_unique<state>()) {
  ::pthread_sigmask(SIG_SETMASK, nullptr, &state_->mask);
  ::sigaction(SIGINT, nullptr, &state_->interrupt);
  ::sigaction(SIGQUIT, nullptr, &state_->quit);
  ::sigaction(SIGTERM, nullptr, &state_->terminate);
  ::sigaction(SIGCHLD, nullptr, &state_->child);
}

signal_settings::~signal_settings() = default;

void signal_settings::restore() const noexcept {
  state_->restore(state_->mask);
}

void signal_settings::restore_but_hold() const noexcept {
  auto mask = state_->mask;
  for (const int signal : {SIGINT, SIGTERM})
    sigaddset(&mask, signal);
  state_->restore(mask);
}

bool signal_settings::lets_come(int signal) const noexcept {
  return sigismember(&state_->mask, signal) == 0;
}

const void* signal_settings::mask() const noexcept {
  return &state_->mask;
}

disposition disposition_of(int signal) noexcept {
  struct sigaction current{};
  ::sigaction(signal, nullptr, &current);
  if ((current.sa_flags & SA_SIGINFO) != 0)
    return disposition::handled;
  if (current.sa_handler == SIG_IGN)
    return disposition::ignored;
  return current.sa_handler == SIG_DFL ? disposition::usual
                                       : disposition::handled;
}

void on_signal(int signal, void (*handler)(int, bool)) noexcept {
  handlers.at(static_cast<std::size_t>(signal)).store(handler);
  struct sigaction action{};
  action.sa_sigaction = handle;
  action.sa_flags = SA_SIGINFO | SA_RESTART;
  ::sigaction(signal, &action, nullptr);
}

void forget_signal(int signal) noexcept {
  struct sigaction current{};
  ::sigaction(signal, nullptr, &current);
  if ((current.sa_flags & SA_SIGINFO) != 0 && current.sa_sigaction == handle)
    set_disposition(signal, SIG_DFL);
}

void die_of(int signal) noexcept {
  set_disposition(signal, SIG_DFL);
  let_come(signal);
  // The kernel drops signals at their default for the first process of a PID
  // namespace, also its own.
  if (::getpid() == 1)
    exit_at_once(128 + signal);
  ::kill(::getpid(), signal);
  stop_this_thread();
}

void die_of_after_handler(int signal) noexcept {
  set_disposition(signal, SIG_DFL);
  ::kill(::getpid(), signal);
}

void block_signals_to_end() noexcept {
  sigset_t all;
  sigemptyset(&all);
  for (const int signal : {SIGINT, SIGQUIT, SIGTERM})
    sigaddset(&all, signal);
  ::pthread_sigmask(SIG_BLOCK, &all, nullptr);
}

void let_come(int signal) noexcept {
  sigset_t only;
  sigemptyset(&only);
  sigaddset(&only, signal);
  ::pthread_sigmask(SIG_UNBLOCK, &only, nullptr);
}

bool is_pending(int signal) noexcept {
  sigset_t waiting;
  return ::sigpending(&waiting) == 0 && sigismember(&waiting, signal) == 1;
}

void block_all_signals() noexcept {
  sigset_t all;
  sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, nullptr);
  let_this_thread_run_on();
}

} // namespace troupe::os
