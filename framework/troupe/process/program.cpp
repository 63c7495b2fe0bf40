// SPDX-License-Identifier: BSL-1.0
#include <troupe/process/program.hpp>

#include <troupe/base/error.hpp>
#include <troupe/memory/run_memory.hpp>
#include <troupe/os/life_line.hpp>
#include <troupe/os/pipe.hpp>
#include <troupe/os/process_id.hpp>
#include <troupe/os/signals.hpp>
#include <troupe/process/exit.hpp>
#include <troupe/process/exit_report.hpp>
#include <troupe/process/fork_server.hpp>
#include <troupe/process/host.hpp>
#include <troupe/process/inherited_descriptors.hpp>
#include <troupe/process/option_taker.hpp>
#include <troupe/process/root_supervisor.hpp>

#include <algorithm>
#include <iterator>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace troupe {

namespace {

using hosting::inherited_descriptors;
using memory::run_memory;

std::int32_t root_pid = 0;

/// Ends the run, once, in the root only: a copy that the user forked has no
/// run to end. A thread that exits waits for the end that another has begun
/// by `~program`.
void end_run() {
  static constinit std::mutex mutex;
  static constinit bool over = false;
  auto* const root_supervisor = hosting::root_supervisor::current();
  if (root_pid != os::this_pid() || root_supervisor == nullptr)
    return;
  const std::scoped_lock guard{mutex};
  if (std::exchange(over, true))
    return;
  if (const auto* taker = hosting::taker_of_options())
    taker->end();
  hosting::end_children();
  root_supervisor->end();
  hosting::write_exit_report();
  // The code of whoever listens counts.
  if (const int signal = hosting::root_signals::deadly_signal())
    os::die_of(signal);
}

void become_root(const run_options& options) {
  auto& memory = run_memory::current();
  memory.header().grace = options.grace.count();
  memory.header().threads_may_move = options.move_threads;
  auto& slot = memory.own_slot();
  const auto self = os::this_process_id();
  slot.generation.store(memory.self().generation);
  slot.claim.store(std::uint64_t{memory.self().generation} << 32);
  static_cast<void>(slot.claim_for(self.pid, memory.self().generation));
  slot.pid.store(self.pid);
  slot.start_time.store(self.start_time);
  slot.parent.store(memory.self().packed());
  slot.name.set("root");
  slot.state.store(static_cast<std::uint32_t>(memory::slot_state::running));
  memory.header().slots_high.store(1);
  slot.requested.store(memory.header().made_at);
  memory::begin_counters(slot, memory.self());
  root_pid = self.pid;
}

/// Has the options among `arguments` taken, and returns the others.
std::span<char* const> take_options(std::span<char* const> arguments) {
  const auto end = std::find(arguments.begin(), arguments.end(),
                             std::string_view{"--"});
  std::vector<std::string_view> options;
  std::copy_if(arguments.begin(), end, std::back_inserter(options),
               hosting::is_option);
  if (const auto* taker = hosting::taker_of_options())
    taker->prepare(options);
  else if (!options.empty())
    throw invalid_argument(
      "take the option " + std::string{options.front()},
      "nothing in this program takes options of Troupe's",
      "include <troupe/machines/machines.hpp> in it and link troupe::network; "
      "or put arguments of its own behind \"--\"");
  if (options.empty())
    return arguments;
  // Never destroyed, as those of `main`.
  static auto& others = *new std::vector<char*>;
  std::remove_copy_if(arguments.begin(), end, std::back_inserter(others),
                      hosting::is_option);
  others.insert(others.end(), end, arguments.end());
  return others;
}

} // namespace

program::program(int argc, char** argv, const run_options& options)
  : arguments_(argv + (argc > 0 ? 1 : 0),
               static_cast<std::size_t>(argc > 0 ? argc - 1 : 0)) {
  const auto bootstrap = hosting::answer_bootstrap();
  if (bootstrap.part == hosting::role::fork_server)
    hosting::run_host(hosting::serve_forks());
  if (bootstrap.part == hosting::role::host)
    hosting::run_host(bootstrap.slot);
  if (!run_memory::exists())
    arguments_ = take_options(arguments_);
  run_memory::create(options.size, hosting::is_report_wanted());
  become_root(options);
  auto& own = inherited_descriptors::current();
  own.rights = os::rights::of_this_thread();
  auto [life, life_writer] = os::make_life_line();
  own.life_line = std::move(life);
  own.life_line_writer = std::move(life_writer);
  auto [reader, writer] = os::make_pipe();
  // Should two fork servers read from it, the slower one must not be caught.
  os::let_not_wait(reader.get());
  own.requests_reader = std::move(reader);
  own.requests = std::move(writer);
  own.requests_identity = os::identity_of(own.requests.get());
  // Every slot may wait in it, and once more after a death: nobody ever blocks.
  os::widen_pipe(own.requests.get(),
                 run_memory::current().header().slots * std::size_t{8});
  hosting::root_supervisor::start();
  hosting::root_supervisor::current()->watch_for_stalls(options.report_stall);
  hosting::hold_instead_of_terminating();
  hosting::at_exit(end_run);
  if (const auto* taker = hosting::taker_of_options())
    taker->begin();
}

program::~program() {
  end_run();
}

} // namespace troupe
