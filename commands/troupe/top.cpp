// SPDX-License-Identifier: BSL-1.0
#include "top.hpp"

#include "table.hpp"
#include "view_parts.hpp"

#include <fmt/format.h>

// Before curses, whose macros have short names.
#include <algorithm>
#include <array>
#include <chrono>
#include <clocale>
#include <cstdint>
#include <functional>
#include <optional>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#define NCURSES_NOMACROS 1
#include <curses.h>
#include <unistd.h>

namespace troupe::command {

namespace {

using inspection::process_record;
using inspection::snapshot;
using memory::slot_state;

/// A process with what has changed since the look before.
struct row {
  const process_record* of = nullptr;
  double cpu = 0;
  double tasks = 0;
  double waited = 0;
  std::string waits;
};

struct sort_order {
  int key;
  const char* name;
  bool (*before)(const row& a, const row& b);
};

constexpr std::array<sort_order, 6> orders{{
  {'c', "CPU", [](const row& a, const row& b) { return a.cpu > b.cpu; }},
  {'m', "memory",
   [](const row& a, const row& b) {
     const auto bytes = [](const row& each) {
       return each.of->fact ? each.of->fact->resident : 0;
     };
     return bytes(a) > bytes(b);
   }},
  {'t', "tasks", [](const row& a, const row& b) { return a.tasks > b.tasks; }},
  {'w', "waits",
   [](const row& a, const row& b) { return a.waited > b.waited; }},
  {'n', "name",
   [](const row& a, const row& b) { return a.of->name < b.of->name; }},
  {'p', "PID",
   [](const row& a, const row& b) { return a.of->pid < b.of->pid; }},
}};

struct page {
  int key;
  const char* name;
  view (*show)(const looked& of);
};

constexpr std::array<page, 5> pages{{
  {'1', "processes", nullptr},
  {'2', "queues", &queues_view},
  {'3', "locks", &locks_view},
  {'4', "pools", &pools_view},
  {'5', "actors", &actors_view},
}};

double fraction(const looked& of, std::chrono::nanoseconds time) {
  if (!of.before)
    return 0;
  const auto between = of.run.taken - of.before->taken;
  return between.count() <= 0 ? 0
                              : static_cast<double>(time.count())
                                  / static_cast<double>(between.count());
}

/// How long its threads have slept in waits, those that last too.
std::chrono::nanoseconds waited_by(const snapshot& of,
                                   const process_record& process) {
  std::chrono::nanoseconds sum{0};
  for (std::size_t kind = 0; kind < process.waited.size(); ++kind)
    if (!memory::is_own_wait(static_cast<memory::wait_kind>(kind)))
      sum += process.waited[kind];
  for (const auto& each : of.waits)
    if (each.slot == process.slot && !memory::is_own_wait(each.kind))
      sum += of.taken - each.since;
  return sum;
}

std::vector<row> rows_of(const looked& of) {
  std::vector<row> result;
  for (const auto& each : of.run.processes) {
    row one;
    one.of = &each;
    one.waits = waits_text(of.run, each);
    const auto* before = of.before ? of.before->process(each.slot) : nullptr;
    if (before != nullptr && before->generation == each.generation) {
      if (before->fact && each.fact)
        one.cpu = fraction(of, std::chrono::nanoseconds{
                                 each.fact->cpu_time - before->fact->cpu_time});
      if (before->worker && each.worker)
        one.tasks = rate(of, before->worker->tasks, each.worker->tasks);
      one.waited = std::max(fraction(of, waited_by(of.run, each)
                                           - waited_by(*of.before, *before)),
                            0.0);
    }
    result.push_back(std::move(one));
  }
  return result;
}

/// What the keys have chosen.
struct choice {
  std::size_t page = 0;
  std::size_t order = 5;
  bool reversed = false;
  /// Slot of the process that is chosen.
  std::uint32_t slot = 0;
  /// Why it does not go on is told.
  bool explains = false;
  bool ends = false;
};

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> result;
  std::istringstream from{text};
  for (std::string line; std::getline(from, line);)
    result.push_back(line);
  return result;
}

/// One line of the screen.
struct line {
  std::string text;
  attr_t how = A_NORMAL;
};

std::vector<row> sorted_rows(const looked& of, const choice& chosen) {
  auto rows = rows_of(of);
  const auto before = orders[chosen.order].before;
  // Of equal ones the first is who came first.
  std::sort(rows.begin(), rows.end(), [&](const row& a, const row& b) {
    return before(a, b) || (!before(b, a) && a.of->slot < b.of->slot);
  });
  if (chosen.reversed)
    std::reverse(rows.begin(), rows.end());
  return rows;
}

std::vector<line> process_lines(const looked& of, const choice& chosen) {
  table text{{"PID", "NAME", "STATE", "CPU", "RESIDENT", "THREADS", "TASKS/S",
              "WAITED", "WAITS FOR"}};
  const auto rows = sorted_rows(of, chosen);
  for (const auto& each : rows)
    text.add({std::to_string(each.of->pid), each.of->name,
              state_text(each.of->state),
              fmt::format("{:.0f} %", each.cpu * 100),
              each.of->fact ? bytes_text(each.of->fact->resident) : "",
              each.of->fact ? std::to_string(each.of->threads.size()) : "",
              each.of->worker ? rate_text(each.tasks) : "",
              fmt::format("{:.0f} %", each.waited * 100), each.waits});
  std::vector<line> result;
  const auto lines = lines_of(text.text());
  for (std::size_t i = 0; i < lines.size(); ++i)
    result.push_back({lines[i], i == 0 ? A_BOLD
                                : rows[i - 1].of->slot == chosen.slot
                                  ? A_REVERSE
                                  : A_NORMAL});
  return result;
}

std::vector<line> screen_of(const looked& of, const choice& chosen) {
  std::vector<line> result;
  result.push_back({lines_of(head_line(of.run)).front(), A_NORMAL});
  std::string tabs;
  for (std::size_t i = 0; i < pages.size(); ++i)
    tabs += fmt::format("{}{} {}{} ", i == chosen.page ? '[' : ' ',
                        static_cast<char>(pages[i].key), pages[i].name,
                        i == chosen.page ? ']' : ' ');
  result.push_back({tabs, A_NORMAL});
  const auto stalls = stalls_view(of);
  for (const auto& each : lines_of(stalls.text))
    result.push_back({each, A_BOLD});
  result.push_back({"", A_NORMAL});
  if (pages[chosen.page].show == nullptr) {
    for (auto& each : process_lines(of, chosen))
      result.push_back(std::move(each));
    if (const auto* process = of.run.process(chosen.slot);
        chosen.explains && process != nullptr
        && process->state != slot_state::dead) {
      result.push_back({"", A_NORMAL});
      for (const auto& each :
           lines_of(why_view(of, std::to_string(process->pid)).text))
        result.push_back({each, A_NORMAL});
    }
  } else {
    const auto lines = lines_of(pages[chosen.page].show(of).text);
    for (std::size_t i = 0; i < lines.size(); ++i)
      result.push_back({lines[i], i == 0 ? A_BOLD : A_NORMAL});
  }
  return result;
}

std::string help_line(const choice& chosen) {
  std::string keys;
  for (const auto& each : orders)
    keys += static_cast<char>(each.key);
  return fmt::format("1-5 page  {} sort (by {}{})  r reverse  up/down choose  "
                     "Enter why  q quit",
                     keys, orders[chosen.order].name,
                     chosen.reversed ? ", reversed" : "");
}

void move_choice(const looked& of, choice& chosen, int by) {
  const auto rows = sorted_rows(of, chosen);
  if (rows.empty())
    return;
  const auto found = std::find_if(rows.begin(), rows.end(),
                                  [&](const auto& each) {
                                    return each.of->slot == chosen.slot;
                                  });
  const auto last = static_cast<std::ptrdiff_t>(rows.size()) - 1;
  const auto at = found == rows.end() ? 0 : found - rows.begin();
  chosen.slot = rows[static_cast<std::size_t>(
                       std::clamp<std::ptrdiff_t>(at + by, 0, last))]
                  .of->slot;
}

void obey(int key, const looked& of, choice& chosen) {
  for (std::size_t i = 0; i < pages.size(); ++i)
    if (key == pages[i].key)
      chosen.page = i;
  for (std::size_t i = 0; i < orders.size(); ++i)
    if (key == orders[i].key) {
      chosen.order = i;
      chosen.reversed = false;
    }
  switch (key) {
    case 'r': chosen.reversed = !chosen.reversed; break;
    case KEY_UP:
    case 'k': move_choice(of, chosen, -1); break;
    case KEY_DOWN:
    case 'j': move_choice(of, chosen, 1); break;
    case '\t': chosen.page = (chosen.page + 1) % pages.size(); break;
    case '\n':
    case '\r':
    case KEY_ENTER: chosen.explains = !chosen.explains; break;
    case 'q':
    case 27: chosen.ends = true; break;
    default: break;
  }
}

/// The terminal, until the end of the scope.
class terminal {
public:
  terminal() {
    std::setlocale(LC_ALL, "");
    screen_ = ::newterm(nullptr, stdout, stdin);
    if (screen_ == nullptr)
      throw refusal("the terminal is of a kind that is not known here: set "
                    "TERM, as to xterm.");
    ::set_term(screen_);
    ::cbreak();
    ::noecho();
    ::nonl();
    ::keypad(stdscr, true);
    ::set_escdelay(25);
    static_cast<void>(::curs_set(0));
  }

  terminal(const terminal&) = delete;
  terminal& operator=(const terminal&) = delete;

  ~terminal() {
    ::endwin();
    ::delscreen(screen_);
  }

  /// The next key, -1 if none came in that time.
  [[nodiscard]] static int key(std::chrono::milliseconds limit) {
    ::wtimeout(stdscr, static_cast<int>(limit.count()));
    return ::wgetch(stdscr);
  }

  static void draw(const std::vector<line>& lines, const std::string& help) {
    ::werase(stdscr);
    const auto height = ::getmaxy(stdscr);
    const auto width = ::getmaxx(stdscr);
    int at = 0;
    for (const auto& each : lines) {
      if (at >= height - 1)
        break;
      put(at++, each, width);
    }
    put(height - 1, {help, A_REVERSE}, width);
    ::wrefresh(stdscr);
  }

private:
  static void put(int at, const line& what, int width) {
    ::wattrset(stdscr, static_cast<int>(what.how));
    // What a letter takes on the screen, curses knows; so it is cut by bytes
    // only where it is far too long.
    const auto most = static_cast<std::size_t>(width) * 4;
    ::wmove(stdscr, at, 0);
    ::waddnstr(stdscr, what.text.c_str(),
               static_cast<int>(std::min(
                 {what.text.size(), most, bytes_in(what.text, width)})));
    ::wattrset(stdscr, A_NORMAL);
  }

  /// Bytes of the letters that fit, each of one column.
  static std::size_t bytes_in(const std::string& text, int columns) {
    std::size_t at = 0;
    for (int used = 0; at < text.size(); ++at) {
      const bool begins = (static_cast<unsigned char>(text[at]) & 0xC0) != 0x80;
      if (begins && used++ == columns)
        break;
    }
    return at;
  }

  SCREEN* screen_ = nullptr;
};

} // namespace

int show_top(const inspection::run_entry& run,
             std::chrono::duration<double> between) {
  if (::isatty(STDOUT_FILENO) == 0 || ::isatty(STDIN_FILENO) == 0)
    throw refusal("top needs a terminal; `troupe ps --watch` does not.");
  const auto pause
    = std::chrono::duration_cast<std::chrono::milliseconds>(between);
  choice chosen;
  std::optional<snapshot> before;
  bool stalled = false;
  std::string ended;
  {
    terminal shown;
    while (!chosen.ends && ended.empty()) {
      std::optional<looked> now;
      try {
        now = look_twice_at(run, std::move(before));
      } catch (const refusal& why) {
        ended = why.what();
        break;
      }
      const auto* root = now->run.process(0);
      // One that has ended may wait for its parent to hear of that.
      if (root == nullptr || !root->fact || root->fact->state == 'Z')
        ended = "the run has ended.";
      stalled = now->stalls.any();
      const auto until = std::chrono::steady_clock::now() + pause;
      while (!chosen.ends && ended.empty()) {
        terminal::draw(screen_of(*now, chosen), help_line(chosen));
        const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
          until - std::chrono::steady_clock::now());
        if (left.count() <= 0)
          break;
        if (const int key = terminal::key(left); key != ERR)
          obey(key, *now, chosen);
      }
      before = std::move(now->run);
    }
  }
  if (!ended.empty())
    throw refusal(ended);
  return stalled ? exit_stalled : exit_good;
}

} // namespace troupe::command
