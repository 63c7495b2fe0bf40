// SPDX-License-Identifier: BSL-1.0
#include <troupe/process/running_command.hpp>

#include <troupe/base/error.hpp>
#include <troupe/os/child.hpp>
#include <troupe/os/pipe.hpp>
#include <troupe/os/pipe_exchange.hpp>
#include <troupe/os/process_tree.hpp>
#include <troupe/process/command_words.hpp>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <span>
#include <stop_token>
#include <string_view>
#include <thread>
#include <utility>

namespace troupe::hosting {

namespace {

constexpr std::size_t bytes_at_once = 65536;

/// Another thread may be writing a program that it has begun to execute, or a
/// child of another thread, not yet executed, may have the file open still.
constexpr std::chrono::milliseconds busy_file_limit{1000};

std::string last_lines_of(const std::string& text) {
  constexpr std::size_t most = 4096;
  if (text.size() <= most)
    return text;
  const auto end = text.find('\n', text.size() - most);
  return text.substr(end == std::string::npos ? text.size() - most : end + 1);
}

} // namespace

running_command::running_command(const std::vector<std::string>& command,
                                 const command_options& options)
  : command_(command),
    options_(options),
    attempted_("run " + command.front()),
    limit_(options.limit ? deadline::after(*options.limit) : deadline::never()),
    buffer_(bytes_at_once) {
  begin();
}

running_command::~running_command() {
  if (begun_.pid > 0 && !reaped_)
    static_cast<void>(kill_all());
}

void running_command::begin() {
  os::command_setup setup;
  setup.words = command_;
  setup.environment = environment_of_command(options_.environment);
  setup.files = files_of_program(command_.front(), setup.environment);
  setup.directory = options_.directory;
  os::descriptor input;
  if (options_.input.empty()) {
    input = os::open_empty_input();
  } else {
    auto [reader, writer] = os::make_pipe();
    input = std::move(reader);
    input_ = std::move(writer);
    os::set_nonblocking(input_.get());
  }
  auto [output, output_writer] = os::make_pipe();
  auto [errors, errors_writer] = os::make_pipe();
  setup.input = input.get();
  setup.output = output_writer.get();
  setup.error_output = errors_writer.get();
  os::set_nonblocking(output.get());
  os::set_nonblocking(errors.get());
  output_ = std::move(output);
  errors_ = std::move(errors);
  const auto limit = deadline::after(busy_file_limit);
  for (std::chrono::milliseconds pause{1};; pause *= 2) {
    require_time();
    auto begun = os::begin_command(setup, line_);
    if (begun.failed_at == os::command_step::none) {
      begun_ = std::move(begun);
      return;
    }
    if (begun.failed_at != os::command_step::execute
        || begun.os_error != ETXTBSY || limit.passed())
      refuse(begun);
    std::this_thread::sleep_for(pause);
  }
}

void running_command::refuse(const os::begun_command& failed) const {
  switch (failed.failed_at) {
    case os::command_step::directory:
      throw os_failure(attempted_ + " in the directory " + options_.directory,
                       "let command_options::directory name one that exists "
                       "and that this user may enter",
                       failed.os_error);
    case os::command_step::execute:
      throw os_failure(attempted_,
                       advice_for(command_.front(), failed.os_error),
                       failed.os_error);
    default:
      throw os_failure(attempted_,
                       "end other processes or raise the limit of processes",
                       failed.os_error);
  }
}

void running_command::require_time() const {
  if (options_.stop.stop_requested())
    throw cancelled(attempted_, "its caller was asked to stop");
  if (limit_.passed())
    throw timed_out(attempted_, "its limit has passed before it began",
                    "raise command_options::limit");
}

command_result running_command::finish() {
  // Its end of the pipes is open no more here: see begin.
  os::descriptor asked;
  if (options_.stop.stop_possible())
    asked = os::make_event();
  const std::stop_callback ask{options_.stop,
                               [&asked] { os::notify_event(asked.get()); }};
  while (begun_.ended) {
    os::pipe_watch watched[] = {{begun_.ended.get()},
                                {asked.get()},
                                {output_.get()},
                                {errors_.get()},
                                {input_.get(), true}};
    const bool in_time = os::wait_for_pipes(watched, limit_);
    if (watched[0].ready)
      break;
    if (options_.stop.stop_requested())
      throw cancelled(attempted_,
                      "its caller was asked to stop; " + kill_all());
    if (!in_time || limit_.passed())
      throw timed_out(attempted_,
                      "it has not ended within its limit; " + kill_all(),
                      "raise command_options::limit");
    move_bytes(watched[2].ready, watched[3].ready, watched[4].ready);
  }
  result_.status = reap();
  return std::move(result_);
}

void running_command::move_bytes(bool may_read_output, bool may_read_errors,
                                 bool may_write) {
  if (may_read_output)
    read(output_, result_.output, "output");
  if (may_read_errors)
    read(errors_, result_.error_output, "error");
  if (may_write)
    write_input();
}

void running_command::write_input() {
  const auto rest = std::string_view{options_.input}.substr(written_);
  const auto size = os::write_available(input_.get(),
                                        std::as_bytes(std::span{rest}));
  // That it reads no more is its own affair, as in a shell's pipe.
  if (size)
    written_ += *size;
  if (!size || written_ == options_.input.size())
    input_.reset();
}

void running_command::read(os::descriptor& from, std::string& into,
                           const char* stream) {
  const auto size = os::read_available(from.get(), buffer_);
  if (size == 0U)
    from.reset();
  else if (size)
    append(into, *size, stream);
}

void running_command::read_rest(os::descriptor& from, std::string& into,
                                const char* stream) {
  // What is there now, and not what those may write still who have the pipe
  // open without being in the command's group.
  for (auto left = from ? os::bytes_waiting(from.get()) : 0; left > 0;) {
    const auto size = os::read_available(
      from.get(), std::span{buffer_}.first(std::min(left, buffer_.size())));
    if (!size || *size == 0)
      return;
    append(into, *size, stream);
    left -= *size;
  }
}

void running_command::append(std::string& to, std::size_t size,
                             const char* stream) {
  if (to.size() + size > options_.output_limit)
    throw limit_reached(
      attempted_,
      "it has written more than " + std::to_string(options_.output_limit)
        + " bytes to its standard " + stream + "; " + kill_all(),
      "raise command_options::output_limit, or let it write "
      "to a file");
  to.append(reinterpret_cast<const char*>(buffer_.data()), size);
}

std::string running_command::kill_all() noexcept {
  if (reaped_)
    return "it has ended";
  reaped_ = true;
  const auto others = os::kill_descendants(begun_.pid);
  const bool killed = os::kill_command(begun_);
  line_.end();
  if (!killed)
    return "it has become another user's program, and was not killed";
  os::wait_for_command(begun_);
  os::reap_adopted(begun_.pid, others);
  static_cast<void>(os::reap_command(begun_));
  return "it was killed, with what it has started";
}

exit_status running_command::reap() {
  // Before it is reaped: its number names its group until then.
  os::kill_command(begun_);
  if (begun_.ended)
    os::reap_adopted(begun_.pid, {});
  const auto end = os::reap_command(begun_);
  reaped_ = true;
  line_.end();
  read_rest(output_, result_.output, "output");
  read_rest(errors_, result_.error_output, "error");
  auto lines = last_lines_of(result_.error_output);
  if (!end)
    return {memory::ending::lost, 0, std::move(lines),
            "the caller ignores SIGCHLD, or waits for every child elsewhere"};
  return {end->signaled ? memory::ending::signaled : memory::ending::exited,
          end->code, std::move(lines)};
}

} // namespace troupe::hosting
