// SPDX-License-Identifier: BSL-1.0
#include <troupe/os/signals.hpp>

#include <csignal>

#include <pthread.h>
#include <unistd.h>

namespace troupe::os {

namespace {

void (*interrupt_handler)(bool) = nullptr;

void handle_interrupt(int, siginfo_t* info, void*) {
  if (interrupt_handler != nullptr)
    interrupt_handler(info->si_code == SI_KERNEL);
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
  struct sigaction child{};
};

signal_settings::signal_settings() : state_(std::make_unique<state>()) {
  ::pthread_sigmask(SIG_SETMASK, nullptr, &state_->mask);
  ::sigaction(SIGINT, nullptr, &state_->interrupt);
  ::sigaction(SIGQUIT, nullptr, &state_->quit);
  ::sigaction(SIGCHLD, nullptr, &state_->child);
}

signal_settings::~signal_settings() = default;

void signal_settings::restore() const noexcept {
  ::sigaction(SIGINT, &state_->interrupt, nullptr);
  ::sigaction(SIGQUIT, &state_->quit, nullptr);
  ::sigaction(SIGCHLD, &state_->child, nullptr);
  ::pthread_sigmask(SIG_SETMASK, &state_->mask, nullptr);
}

const void* signal_settings::mask() const noexcept {
  return &state_->mask;
}

bool interrupt_is_default() noexcept {
  struct sigaction current{};
  ::sigaction(SIGINT, nullptr, &current);
  return (current.sa_flags & SA_SIGINFO) == 0 && current.sa_handler == SIG_DFL;
}

void on_interrupt(void (*handler)(bool)) noexcept {
  interrupt_handler = handler;
  struct sigaction action{};
  action.sa_sigaction = handle_interrupt;
  action.sa_flags = SA_SIGINFO | SA_RESTART;
  ::sigaction(SIGINT, &action, nullptr);
}

void forget_interrupt() noexcept {
  struct sigaction current{};
  ::sigaction(SIGINT, nullptr, &current);
  if ((current.sa_flags & SA_SIGINFO) != 0
      && current.sa_sigaction == handle_interrupt)
    set_disposition(SIGINT, SIG_DFL);
}

void die_of_interrupt() noexcept {
  set_disposition(SIGINT, SIG_DFL);
  sigset_t interrupt;
  sigemptyset(&interrupt);
  sigaddset(&interrupt, SIGINT);
  ::pthread_sigmask(SIG_UNBLOCK, &interrupt, nullptr);
  ::kill(::getpid(), SIGINT);
  for (;;)
    ::pause();
}

void ignore_terminal_signals() noexcept {
  set_disposition(SIGINT, SIG_IGN);
  set_disposition(SIGQUIT, SIG_IGN);
}

void block_all_signals() noexcept {
  sigset_t all;
  sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, nullptr);
}

} // namespace troupe::os
