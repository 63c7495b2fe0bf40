// SPDX-License-Identifier: BSL-1.0
// troupe: looks at live runs. docs/reference/troupe-command.md is its page.
#include "choice.hpp"
#include "ending.hpp"
#include "metrics.hpp"
#include "metrics_server.hpp"
#include "stacks.hpp"
#include "table.hpp"
#include "top.hpp"
#include "tracing.hpp"
#include "views.hpp"

#include <troupe/version.hpp>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <exception>
#include <functional>
#include <iostream>
#include <map>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace {

namespace command = troupe::command;
using command::looked;
using command::view;

struct options {
  std::optional<std::int32_t> run;
  bool as_json = false;
  std::optional<double> watch;
};

/// One subcommand that shows something.
struct showing {
  /// Of all runs, or of the one that is meant.
  bool of_all = false;
  std::function<view(const looked&)> show;
  /// Tells what changes, so that it takes two looks.
  bool of_change = false;
};

/// The last looks, by the inode of each run.
using earlier_looks
  = std::map<std::uint64_t, std::optional<troupe::inspection::snapshot>>;

int show_once(const options& chosen, const showing& what,
              earlier_looks& earlier, std::string& text) {
  std::vector<troupe::inspection::run_entry> runs;
  if (what.of_all)
    runs = command::runs_for(chosen.run);
  else
    runs.push_back(command::one_run_for(chosen.run));
  int result = command::exit_good;
  auto all = command::json::array();
  for (const auto& run : runs) {
    looked seen;
    try {
      seen = what.of_change
               ? command::look_twice_at(run, std::move(earlier[run.inode]))
               : command::look_at(run);
    } catch (const command::refusal& why) {
      // Of several runs, one that ends or is another version's hides no other.
      if (runs.size() == 1)
        throw;
      text += std::string{why.what()} + '\n';
      continue;
    }
    auto shown = what.show(seen);
    const auto stalls = command::stalls_view(seen);
    if (seen.stalls.any())
      result = command::exit_stalled;
    if (chosen.as_json) {
      shown.data["stalls"] = stalls.data;
      all.push_back(std::move(shown.data));
    } else {
      text += (text.empty() ? "" : "\n") + shown.text;
      if (!stalls.text.empty())
        text += '\n' + stalls.text;
    }
    if (what.of_change)
      earlier[run.inode] = std::move(seen.run);
  }
  if (chosen.as_json)
    text = (what.of_all ? all : all.at(0))
             .dump(2, ' ', false, command::json::error_handler_t::replace)
           + '\n';
  return result;
}

int show(const options& chosen, const showing& what) {
  earlier_looks earlier;
  for (;;) {
    std::string text;
    const int result = show_once(chosen, what, earlier, text);
    if (!chosen.watch) {
      std::cout << text << std::flush;
      return result;
    }
    // From the upper left corner, over what was there.
    if (!chosen.as_json)
      std::cout << "\x1b[H\x1b[2J";
    std::cout << text << std::flush;
    if (!std::cout)
      return result;
    std::this_thread::sleep_for(std::chrono::duration<double>{*chosen.watch});
  }
}

/// The numbers of all runs that there are now, perhaps of none.
std::string metrics_now(std::optional<std::int32_t> of) {
  std::vector<looked> seen;
  try {
    for (const auto& run : command::runs_for(of))
      try {
        seen.push_back(command::look_at(run));
      } catch (const command::refusal&) {
        // It has just ended, or is another version's: the others count.
        continue;
      }
  } catch (const command::refusal&) {
    // There is none.
    return command::metrics_text({});
  }
  return command::metrics_text(seen);
}

/// What bash completes: names of subcommands, and their options.
std::string completion(const CLI::App& app) {
  std::string names;
  std::string cases;
  for (const auto* each :
       app.get_subcommands([](const CLI::App*) { return true; })) {
    names += (names.empty() ? "" : " ") + each->get_name();
    std::string words;
    for (const auto* option : each->get_options())
      for (const auto& name : option->get_lnames())
        words += (words.empty() ? "--" : " --") + name;
    cases += fmt::format("    {}) words=\"{}\" ;;\n", each->get_name(), words);
  }
  return fmt::format(R"(# bash completion of troupe; made by `troupe completion`
_troupe() {{
  local word=${{COMP_WORDS[COMP_CWORD]}} words
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W "{} --help --version" -- "$word"))
    return
  fi
  case ${{COMP_WORDS[1]}} in
{}  esac
  COMPREPLY=($(compgen -W "$words" -- "$word"))
}}
complete -F _troupe troupe
)",
                     names, cases);
}

/// The command line: each subcommand is added by a function of its own, and
/// does its work when CLI11 has parsed it.
class command_line {
public:
  command_line() {
    app_.set_version_flag(
      "--version",
      fmt::format("troupe {}.{}.{}", troupe::version.major_number,
                  troupe::version.minor_number, troupe::version.patch_number));
    app_.set_help_all_flag("--help-all", "Help for all subcommands");
    app_.require_subcommand(1);
    add_showings();
    add_why();
    add_kill();
#if defined(TROUPE_HAS_STACKS)
    add_stack();
#endif
    add_trace();
#if defined(TROUPE_HAS_TOP)
    add_top();
#endif
    add_metrics();
    app_
      .add_subcommand("completion", "What bash needs to complete this command")
      ->callback([this] { std::cout << completion(app_); });
  }

  // The subcommands refer to it.
  command_line(const command_line&) = delete;
  command_line& operator=(const command_line&) = delete;

  /// Parses, and does what was asked for. Returns the exit code.
  int run(int argc, char** argv) {
    try {
      app_.parse(argc, argv);
    } catch (const CLI::ParseError& failure) {
      return app_.exit(failure) == 0 ? command::exit_good : command::exit_usage;
    }
    return result_;
  }

private:
  CLI::App* add(const char* name, const char* help) {
    auto* sub = app_.add_subcommand(name, help);
    add_run(*sub);
    sub->add_flag("--json", chosen_.as_json, "As JSON");
    return sub;
  }

  void add_run(CLI::App& to) {
    to.add_option("--run", chosen_.run,
                  "The run that has this process, by its number")
      ->type_name("PID");
  }

  CLI::Option* add_process(CLI::App& to) {
    return to.add_option("process", whom_, "Number or name of the process")
      ->type_name("PID|NAME");
  }

  CLI::App* add_showing(const char* name, const char* help, bool of_all,
                        std::function<view(const looked&)> how,
                        bool of_change = false) {
    auto* sub = add(name, help);
    sub
      ->add_option("--watch", chosen_.watch,
                   "Again and again, with so many seconds between")
      ->type_name("SECONDS")
      ->expected(0, 1)
      ->default_str("1")
      ->check(CLI::Range(0.05, 86400.0));
    sub->callback([this, of_all, of_change, how = std::move(how)] {
      result_ = show(chosen_, {of_all, how, of_change});
    });
    return sub;
  }

  void add_showings() {
    add_showing("ps", "The processes, of all runs", true,
                command::processes_view);
    add_showing("tree", "Who has started whom, of all runs", true,
                command::tree_view);
    add_showing("queues",
                "Queues and pipes: how full, how fast, and who waits there",
                false, command::queues_view, true);
    add_showing("locks",
                "Mutexes, semaphores, conditions, events and barriers: who has "
                "them, and who waits",
                false, command::locks_view);
    add_showing("pools",
                "Pools: what each worker runs since when, how busy it is, and "
                "what waits for it",
                false, command::pools_view, true);
    add_showing("actors",
                "Actor systems: how many actors, what they have to do, and in "
                "whose handler they are since when",
                false, command::actors_view);
  }

  void add_why() {
    auto* why = add_showing("why", "Why a process does not go on, in sentences",
                            false, [this](const looked& of) {
                              return command::why_view(of, whom_);
                            });
    add_process(*why)->required();
  }

  void add_kill() {
    auto* kill = add("kill", "Ends a process");
    add_process(*kill)->required();
    kill->add_flag("--tree", ending_.tree, "And all that it has started");
    kill->add_flag("--yes", ending_.yes, "Do not ask");
    kill->add_flag_callback(
      "--term", [this] { ending_.signal = SIGTERM; },
      "Ask it to end, by SIGTERM, instead of SIGKILL");
    kill->callback([this] {
      result_ = command::end_process(command::one_run_for(chosen_.run), whom_,
                                     ending_);
    });
  }

#if defined(TROUPE_HAS_STACKS)
  void add_stack() {
    auto* stack = add_showing(
      "stack", "The stacks of all threads of a process", false,
      [this](const looked& of) {
        std::vector<const troupe::inspection::process_record*> processes;
        if (all_stacks_)
          for (const auto& each : of.run.processes)
            processes.push_back(&each);
        else
          processes.push_back(&command::find_process(of.run, whom_));
        return command::stacks_view(of.run, processes);
      });
    auto* all = stack->add_flag("--all", all_stacks_,
                                "Of all processes of the run");
    add_process(*stack)->excludes(all);
    stack->preparse_callback([](std::size_t count) {
      if (count == 0)
        throw CLI::RequiredError("PID|NAME or --all");
    });
  }
#endif

  void add_trace() {
    auto* trace
      = add("trace",
            "Writes what the run does, all processes in one file, until "
            "Ctrl-C; Perfetto and Chrome open it");
    trace->remove_option(trace->get_option("--json"));
    trace->add_option("file", trace_file_, "The file to write")
      ->type_name("FILE")
      ->capture_default_str();
    trace->add_option("--for", trace_for_, "End after so many seconds")
      ->type_name("SECONDS")
      ->check(CLI::Range(0.01, 86400.0));
    trace->callback([this] {
      std::optional<std::chrono::duration<double>> limit;
      if (trace_for_)
        limit.emplace(*trace_for_);
      result_ = command::trace_run(command::one_run_for(chosen_.run),
                                   trace_file_, limit);
    });
  }

#if defined(TROUPE_HAS_TOP)
  void add_top() {
    auto* top = add("top",
                    "The run on the whole terminal, again and again; keys "
                    "sort and choose, the last line says which");
    top->remove_option(top->get_option("--json"));
    top->add_option("--every", between_, "So many seconds between two looks")
      ->type_name("SECONDS")
      ->capture_default_str()
      ->check(CLI::Range(0.1, 3600.0));
    top->callback([this] {
      result_ = command::show_top(command::one_run_for(chosen_.run),
                                  std::chrono::duration<double>{between_});
    });
  }
#endif

  void add_metrics() {
    auto* metrics = app_.add_subcommand(
      "metrics", "Numbers of all runs, as Prometheus' text");
    add_run(*metrics);
    metrics
      ->add_option(
        "--listen", listen_,
        "Answer Prometheus there, over HTTP, until a signal comes: a "
        "port of 127.0.0.1, or ADDRESS:PORT")
      ->type_name("[ADDRESS:]PORT");
    metrics->callback([this] { show_metrics(); });
  }

  void show_metrics() {
    if (!listen_.empty())
      command::serve_metrics(listen_,
                             [this] { return metrics_now(chosen_.run); });
    std::vector<looked> seen;
    for (const auto& run : command::runs_for(chosen_.run))
      seen.push_back(command::look_at(run));
    std::cout << command::metrics_text(seen);
    if (std::any_of(seen.begin(), seen.end(),
                    [](const auto& each) { return each.stalls.any(); }))
      result_ = command::exit_stalled;
  }

  CLI::App app_{
    "Looks at live runs of programs that use Troupe: who is there, who waits "
    "for whom, and why nothing goes on. It asks no process, so it answers "
    "while "
    "all of them hang; nothing in the program is needed for it. It ends with "
    "0, "
    "with 3 where something stands still, with 1 where there is no run or the "
    "kernel refuses, with 2 where it was called wrongly.",
    "troupe"};
  int result_ = command::exit_good;
  // What the options and arguments of the subcommands are.
  options chosen_;
  std::string whom_;
  command::kill_options ending_;
#if defined(TROUPE_HAS_STACKS)
  bool all_stacks_ = false;
#endif
  std::string trace_file_ = "troupe-trace.json";
  std::optional<double> trace_for_;
#if defined(TROUPE_HAS_TOP)
  double between_ = 1;
#endif
  std::string listen_;
};

} // namespace

int main(int argc, char** argv) {
  try {
    return command_line{}.run(argc, argv);
  } catch (const command::refusal& why) {
    std::cerr << "troupe: " << why.what() << '\n';
  } catch (const std::exception& failure) {
    std::cerr << "troupe: " << failure.what() << '\n';
  }
  return command::exit_nothing;
}
