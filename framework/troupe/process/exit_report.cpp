// SPDX-License-Identifier: BSL-1.0
#include <troupe/process/exit_report.hpp>

#include <troupe/memory/run_memory.hpp>
#include <troupe/os/cycles.hpp>
#include <troupe/os/environment.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <iostream>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace troupe::hosting {

namespace {

using memory::object_kind;
using memory::process_counters;
using memory::run_memory;
using memory::wait_kind;
using memory::wait_kinds;

/// So many lines of each kind; of the rest only the number is told.
constexpr std::size_t most_lines = 12;
constexpr std::size_t most_slowest = 5;

/// A share of the time that is worth a word.
constexpr double much = 0.2;

std::string text_of_time(std::int64_t nanoseconds) {
  std::array<char, 32> text{};
  const auto time = static_cast<double>(std::max<std::int64_t>(nanoseconds, 0));
  if (time < 1e4)
    std::snprintf(text.data(), text.size(), "%.1f us", time / 1e3);
  else if (time < 1e6)
    std::snprintf(text.data(), text.size(), "%.0f us", time / 1e3);
  else if (time < 1e9)
    std::snprintf(text.data(), text.size(), "%.1f ms", time / 1e6);
  else
    std::snprintf(text.data(), text.size(), "%.2f s", time / 1e9);
  return text.data();
}

std::string percent(std::int64_t part, std::int64_t of) {
  return of <= 0 ? "0 %" : std::to_string(part * 100 / of) + " %";
}

/// What is waited for in a wait of that kind.
const char* text_of(wait_kind kind) {
  switch (kind) {
    case wait_kind::lock: return "locks";
    case wait_kind::unit: return "units of semaphores";
    case wait_kind::notification: return "notifications";
    case wait_kind::event: return "events";
    case wait_kind::arrivals: return "others at barriers";
    case wait_kind::item: return "items";
    case wait_kind::room: return "room in queues";
    case wait_kind::finished: return "items to be done";
    case wait_kind::process: return "ends of processes";
    case wait_kind::children: return "the end of its children";
    case wait_kind::any: return "the first of several";
    case wait_kind::answer: return "answers of states";
    case wait_kind::request: return "requests";
    case wait_kind::result: return "results of pools";
    default: return "";
  }
}

struct one_process {
  std::string name;
  std::int64_t started_in = 0;
  std::int64_t began = 0;
  std::int64_t lasted = 0;
  std::int64_t waited = 0;
  std::array<std::int64_t, wait_kinds> waits{};
  bool is_root = false;
  std::uint64_t pool = 0;
  std::uint64_t tasks = 0;
  std::int64_t busy = 0;
  std::int64_t idle = 0;
};

struct one_pool {
  std::string name;
  std::uint32_t workers = 0;
  std::uint64_t tasks = 0;
  std::int64_t started_in = 0;
  std::int64_t busy = 0;
  std::int64_t idle = 0;
};

struct one_task {
  std::int64_t lasted = 0;
  std::int64_t began = 0;
  std::string function;
  std::string worker;
};

struct one_object {
  std::string name;
  object_kind kind = object_kind::none;
  std::uint64_t waits = 0;
  std::int64_t waited = 0;
  std::int64_t longest = 0;
  std::uint64_t depth = 0;
};

class report {
public:
  explicit report(run_memory& of)
    : memory_(of),
      begin_(of.header().made_at),
      now_(std::chrono::steady_clock::now().time_since_epoch().count()) {
    const auto counted = os::cycles() - of.header().made_at_cycles;
    nanoseconds_of_cycle_ = counted == 0 ? 0.0
                                         : static_cast<double>(now_ - begin_)
                                             / static_cast<double>(counted);
    read_processes();
    read_objects();
  }

  [[nodiscard]] std::string text() const {
    std::string result = "troupe: the run took " + text_of_time(now_ - begin_)
                         + " and had " + std::to_string(processes_.size())
                         + (processes_.size() == 1 ? " process" : " processes")
                         + "\n";
    add_processes(result);
    add_pools(result);
    add_slowest(result);
    add_queues(result);
    add_waits(result);
    if (lost_ > 0)
      result += "troupe:   " + std::to_string(lost_)
                + " more processes are not in this report\n";
    return result + "troupe: advice: " + advice() + "\n";
  }

private:
  [[nodiscard]] std::int64_t time_of(std::uint64_t cycles) const {
    return static_cast<std::int64_t>(static_cast<double>(cycles)
                                     * nanoseconds_of_cycle_);
  }

  [[nodiscard]] std::int64_t moment_of(std::uint64_t cycles) const {
    return begin_ + time_of(cycles - memory_.header().made_at_cycles);
  }

  [[nodiscard]] std::string text_at(std::uint32_t number) const {
    return number == 0 || number > memory::origin::count
             ? std::string{}
             : memory_.origin_at(number - 1).text.get();
  }

  // What there is -------------------------------------------------------------

  void read_processes() {
    const auto& header = memory_.header();
    const auto asked = header.rows_reported.load();
    const auto kept = std::min(asked, memory::report_rows);
    lost_ = asked - kept;
    for (std::uint32_t row = 0; row < kept; ++row) {
      const auto& each = memory_.counters_at(header.slots + row);
      if (each.owner.load() != 0)
        read(each);
    }
    std::sort(slowest_.begin(), slowest_.end(),
              [](const auto& a, const auto& b) { return a.lasted > b.lasted; });
  }

  void read(const process_counters& of) {
    one_process result;
    result.name = of.name.get() + " (" + std::to_string(of.pid.load()) + ")";
    result.is_root = static_cast<std::uint32_t>(of.owner.load()) == 0;
    result.began = of.began.load();
    result.started_in
      = std::max<std::int64_t>(result.began - of.requested.load(), 0);
    const auto ended = of.ended.load() == 0 ? now_ : of.ended.load();
    result.lasted = std::max<std::int64_t>(ended - result.began, 0);
    for (std::size_t kind = 0; kind < wait_kinds; ++kind) {
      if (memory::is_own_wait(static_cast<wait_kind>(kind)))
        continue;
      result.waits[kind] = of.waited[kind].load();
      result.waited += result.waits[kind];
      waited_[kind] += result.waits[kind];
    }
    // Threads wait at the same time.
    result.waited = std::clamp<std::int64_t>(result.waited, 0, result.lasted);
    if (const auto pool = of.worker.pool.load(); pool != 0)
      read_worker(of, pool, ended, result);
    processes_.push_back(std::move(result));
  }

  void read_worker(const process_counters& of, std::uint64_t pool,
                   std::int64_t ended, one_process& result) {
    result.pool = pool;
    result.tasks = of.worker.tasks.load();
    result.busy = time_of(of.worker.busy.load());
    result.idle = time_of(of.worker.idle.load());
    const auto rest
      = std::max<std::int64_t>(ended - moment_of(of.worker.since.load()), 0);
    (of.worker.function.load() != 0 ? result.busy : result.idle) += rest;
    auto& whole = pools_[pool];
    auto name = of.name.get();
    whole.name = name.substr(0, name.rfind('-'));
    ++whole.workers;
    whole.tasks += result.tasks;
    whole.started_in = std::max(whole.started_in, result.started_in);
    whole.busy += result.busy;
    whole.idle += result.idle;
    for (const auto& each : of.slowest)
      if (const auto lasted = each.lasted.load(); lasted != 0)
        slowest_.push_back({time_of(lasted), moment_of(each.began.load()),
                            text_at(each.function.load()), result.name});
  }

  void read_objects() {
    for (std::uint32_t i = 0; i < memory::object_counters::count; ++i) {
      const auto& each = memory_.object_counters_at(i);
      const auto id = each.object.load();
      if (id == 0)
        continue;
      const auto kind = static_cast<object_kind>(each.kind.load());
      const auto origin = text_at(each.origin.load());
      // Those without one are Troupe's own: of pools, of states.
      if (origin.empty())
        continue;
      objects_.push_back(
        {memory::name_of(kind) + " " + std::to_string(id) + " (" + origin + ")",
         kind, each.waits.load(), each.waited.load(), each.longest.load(),
         each.depth.load()});
    }
  }

  // What is told --------------------------------------------------------------

  template <class Range, class Line>
  static void add_lines(std::string& to, const char* heading, const Range& of,
                        std::size_t most, Line line) {
    if (of.empty())
      return;
    to += std::string{"troupe: "} + heading + "\n";
    std::size_t told = 0;
    for (const auto& each : of) {
      if (told++ == most) {
        to += "troupe:   and " + std::to_string(of.size() - most) + " more\n";
        break;
      }
      to += "troupe:   " + line(each) + "\n";
    }
  }

  void add_processes(std::string& to) const {
    auto by_time = processes_;
    std::sort(by_time.begin(), by_time.end(), [](const auto& a, const auto& b) {
      return std::pair{!a.is_root, -a.lasted}
             < std::pair{!b.is_root, -b.lasted};
    });
    add_lines(to, "processes, the root and those that lasted longest:", by_time,
              most_lines, [](const one_process& each) {
                auto line = each.name + ": ";
                if (!each.is_root)
                  line += "started in " + text_of_time(each.started_in) + ", ";
                line += "lasted " + text_of_time(each.lasted) + ", worked "
                        + text_of_time(each.lasted - each.waited) + ", waited "
                        + text_of_time(each.waited);
                const auto most = static_cast<std::size_t>(
                  std::max_element(each.waits.begin(), each.waits.end())
                  - each.waits.begin());
                if (each.waits[most] > 0)
                  line += std::string{", most of it for "}
                          + text_of(static_cast<wait_kind>(most));
                return line;
              });
  }

  void add_pools(std::string& to) const {
    add_lines(to, "pools:", pools_, most_lines, [](const auto& entry) {
      const auto& each = entry.second;
      return each.name + ": " + std::to_string(each.workers)
             + (each.workers == 1 ? " worker, " : " workers, ")
             + std::to_string(each.tasks) + " tasks; started in "
             + text_of_time(each.started_in) + ", worked "
             + text_of_time(each.busy) + ", waited " + text_of_time(each.idle)
             + " (" + percent(each.idle, each.busy + each.idle) + ")";
    });
  }

  void add_slowest(std::string& to) const {
    add_lines(to, "slowest tasks:", slowest_, most_slowest,
              [this](const one_task& each) {
                return text_of_time(each.lasted) + "  "
                       + (each.function.empty() ? "?" : each.function) + ", by "
                       + each.worker + ", " + text_of_time(each.began - begin_)
                       + " after the start";
              });
  }

  void add_queues(std::string& to) const {
    std::vector<one_object> queues;
    std::copy_if(objects_.begin(), objects_.end(), std::back_inserter(queues),
                 [](const auto& each) { return each.depth > 0; });
    std::sort(queues.begin(), queues.end(),
              [](const auto& a, const auto& b) { return a.depth > b.depth; });
    add_lines(to, "queues by their greatest depth:", queues, most_lines,
              [](const one_object& each) {
                return std::to_string(each.depth) + "  " + each.name
                       + waits_text(each);
              });
  }

  void add_waits(std::string& to) const {
    std::vector<one_object> waited;
    std::copy_if(objects_.begin(), objects_.end(), std::back_inserter(waited),
                 [](const auto& each) {
                   return each.waits > 0 && each.kind != object_kind::queue;
                 });
    std::sort(waited.begin(), waited.end(),
              [](const auto& a, const auto& b) { return a.waited > b.waited; });
    add_lines(to, "locks and their relatives by how long they were waited for:",
              waited, most_lines, [](const one_object& each) {
                return text_of_time(each.waited) + "  " + each.name
                       + waits_text(each);
              });
  }

  static std::string waits_text(const one_object& of) {
    if (of.waits == 0)
      return {};
    return "; " + std::to_string(of.waits)
           + (of.waits == 1 ? " wait slept, " : " waits slept, ")
           + text_of_time(of.waited) + " in all, the longest "
           + text_of_time(of.longest);
  }

  // The advice: of the first thing that took much of the time -----------------

  [[nodiscard]] std::string advice() const {
    const auto whole = std::max<std::int64_t>(now_ - begin_, 1);
    const auto is_much = [&](std::int64_t time) {
      return static_cast<double>(time) > much * static_cast<double>(whole);
    };
    const one_object* lock = nullptr;
    const one_object* queue = nullptr;
    for (const auto& each : objects_) {
      if (each.kind == object_kind::mutex
          && (lock == nullptr || each.waited > lock->waited))
        lock = &each;
      if (each.depth > 0 && (queue == nullptr || each.depth > queue->depth))
        queue = &each;
    }
    if (lock != nullptr && is_much(lock->waited))
      return lock->name + " was waited for " + text_of_time(lock->waited)
             + " in all: hold it for shorter, or give each process data of "
               "its own";
    if (queue != nullptr
        && is_much(waited_[static_cast<std::size_t>(wait_kind::room)]))
      return "writers waited "
             + text_of_time(waited_[static_cast<std::size_t>(wait_kind::room)])
             + " for room in queues: read " + queue->name
             + " with more processes, or take several items at once";
    for (const auto& [id, each] : pools_) {
      if (each.tasks == 0 || each.idle <= each.busy)
        continue;
      const auto share = "the workers of " + each.name + " waited "
                         + percent(each.idle, each.busy + each.idle)
                         + " of their time";
      constexpr std::int64_t quick = 1'000'000;
      const auto one = each.busy / static_cast<std::int64_t>(each.tasks);
      if (one < quick)
        return share + ", and a task takes " + text_of_time(one)
               + ": let more of them travel together, in larger chunks";
      return share + ": give it more to do at a time, or fewer workers";
    }
    std::int64_t starting = 0;
    std::int64_t lasting = 0;
    std::size_t many = 0;
    for (const auto& each : processes_)
      if (!each.is_root && each.pool == 0) {
        starting += each.started_in;
        lasting += each.lasted;
        ++many;
      }
    if (many >= 8 && starting > lasting / 2)
      return std::to_string(many) + " processes took " + text_of_time(starting)
             + " to start and lasted " + text_of_time(lasting)
             + ": a pool runs such functions in processes that are there";
    return "nothing stands out";
  }

  run_memory& memory_;
  std::int64_t begin_;
  std::int64_t now_;
  double nanoseconds_of_cycle_ = 0;
  std::uint32_t lost_ = 0;
  std::vector<one_process> processes_;
  std::map<std::uint64_t, one_pool> pools_;
  std::vector<one_task> slowest_;
  std::vector<one_object> objects_;
  std::array<std::int64_t, wait_kinds> waited_{};
};

} // namespace

bool is_report_wanted() noexcept {
  const auto* const wanted = os::environment_value("TROUPE_REPORT");
  return wanted != nullptr && std::string_view{wanted} == "1";
}

void write_exit_report() noexcept {
  if (!run_memory::reports())
    return;
  try {
    std::cerr << report{run_memory::current()}.text() << std::flush;
  } catch (const std::exception&) {
    // No memory for the text: the program ends as it would without.
  }
}

} // namespace troupe::hosting
