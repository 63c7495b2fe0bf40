// SPDX-License-Identifier: BSL-1.0
#include <troupe/inspection/snapshot.hpp>

#include <troupe/base/error.hpp>
#include <troupe/channel/pipe_end.hpp>
#include <troupe/inspection/run_file.hpp>
#include <troupe/mailbox/message_queue.hpp>
#include <troupe/memory/run_memory.hpp>
#include <troupe/os/cycles.hpp>
#include <troupe/os/memory_file.hpp>
#include <troupe/state/object_ref.hpp>
#include <troupe/sync/barrier_state.hpp>
#include <troupe/sync/event.hpp>
#include <troupe/sync/mutex_word.hpp>
#include <troupe/sync/semaphore_units.hpp>

#include <algorithm>
#include <limits>
#include <set>
#include <span>
#include <unordered_map>
#include <utility>

namespace troupe::inspection {

namespace {

using memory::object_head;
using memory::object_id;
using memory::object_kind;
using memory::slot_id;
using memory::slot_state;

/// How often what changes while it is read is read again.
constexpr int most_tries = 4;
/// So many objects are listed; of more only the number is told.
constexpr std::size_t most_objects = 200'000;
constexpr std::size_t most_damage = 20;

time_point when(std::int64_t nanoseconds) noexcept {
  return time_point{std::chrono::nanoseconds{nanoseconds}};
}

bool has_process(slot_state state) noexcept {
  return state == slot_state::running || state == slot_state::starting
         || state == slot_state::dying;
}

/// One look.
class look {
public:
  look(const run_file& file, snapshot& into) noexcept
    : file_(file), into_(into) {
  }

  void take() {
    into_.taken = std::chrono::steady_clock::now();
    cycles_taken_ = os::cycles();
    const auto& header = file_.header();
    into_.interrupted = header.interrupted.load() != 0;
    into_.fork_server = header.fork_server.load();
    into_.memory_limit = header.memory_limit.load();
    read_processes();
    read_waits();
    read_objects();
    find_targets();
    ask_kernel();
    find_inner_waits();
    confirm_inner_waits();
    confirm_waits();
  }

private:
  struct raw_wait {
    std::uint64_t row;
    std::uint32_t turn;
    std::uint64_t word;
    std::uint32_t expected;
    std::vector<std::uint64_t> places;
  };

  void complain(std::string what) {
    if (into_.damage.size() < most_damage)
      into_.damage.push_back(std::move(what));
  }

  // Processes -----------------------------------------------------------------

  void read_processes() {
    std::int64_t sum = ledger_of(file_.header().slots);
    const auto used = file_.slots_used();
    for (std::uint32_t index = 0; index < used; ++index) {
      sum += ledger_of(index);
      if (auto found = read_process(index))
        into_.processes.push_back(std::move(*found));
    }
    into_.reserved = sum > 0 ? static_cast<std::uint64_t>(sum) : 0;
  }

  [[nodiscard]] std::int64_t ledger_of(std::uint32_t row) const {
    const auto taken = file_.read_value<std::int64_t>(
      file_.header().rows_at + std::uint64_t{row} * sizeof(memory::row_memory)
      + offsetof(memory::row_memory, ledger));
    return taken.value_or(0);
  }

  std::optional<process_record> read_process(std::uint32_t index) {
    for (int turn = 0; turn < most_tries; ++turn) {
      copy_of<memory::process_slot> slot;
      if (!file_.read(file_.slot_at(index), slot))
        break;
      const auto state = slot->current_state();
      if (state == slot_state::free)
        return std::nullopt;
      process_record result;
      result.slot = index;
      result.generation = slot->generation.load();
      result.name = slot->name.get();
      result.pid = slot->pid.load();
      result.state = state;
      result.daemon = slot->daemon.load() != 0;
      parents_[index] = slot->parent.load();
      const auto again
        = file_.read_value<std::array<std::uint32_t, 2>>(file_.slot_at(index));
      if (!again || ((*again)[0] & 0xFF) != static_cast<std::uint32_t>(state)
          || (*again)[1] != result.generation)
        continue;
      if (state > slot_state::dead) {
        complain("slot " + std::to_string(index) + " is in no known state");
        return std::nullopt;
      }
      read_counters(slot->counters.load(), result);
      return result;
    }
    complain("slot " + std::to_string(index) + " changed at each look");
    return std::nullopt;
  }

  // Counters ------------------------------------------------------------------

  /// The moment of a value of `os::cycles`, by how fast they have counted since
  /// the run began.
  [[nodiscard]] time_point when_cycles(std::uint64_t cycles) const noexcept {
    return into_.taken
           - time_of(cycles_taken_ - std::min(cycles_taken_, cycles));
  }

  [[nodiscard]] std::chrono::nanoseconds
  time_of(std::uint64_t cycles) const noexcept {
    const auto& header = file_.header();
    const auto passed
      = static_cast<double>((into_.taken - when(header.made_at)).count());
    const auto counted = static_cast<double>(cycles_taken_)
                         - static_cast<double>(header.made_at_cycles);
    if (passed <= 0 || counted <= 0)
      return std::chrono::nanoseconds{0};
    const auto time = static_cast<double>(cycles) * passed / counted;
    return std::chrono::nanoseconds{
      static_cast<std::int64_t>(std::clamp(time, 0.0, 9e18))};
  }

  void read_counters(std::uint32_t row, process_record& into) {
    copy_of<memory::process_counters> counters;
    const slot_id id{into.slot, into.generation};
    if (row >= file_.header().counters_rows
        || !file_.read(file_.header().counters_at
                         + std::uint64_t{row}
                             * sizeof(memory::process_counters),
                       counters)
        || counters->owner.load() != id.packed())
      return;
    if (const auto requested = counters->requested.load(); requested > 0)
      into.requested = when(requested);
    if (const auto began = counters->began.load(); began > 0)
      into.began = when(began);
    for (std::size_t kind = 0; kind < into.waited.size(); ++kind)
      into.waited[kind] = std::chrono::nanoseconds{
        std::max<std::int64_t>(counters->waited[kind].load(), 0)};
    read_worker(counters->worker, into);
    read_actors(counters->actors, into);
  }

  void read_worker(const memory::worker_counters& of,
                   process_record& into) const {
    if (of.pool.load() == 0)
      return;
    auto& result = into.worker.emplace();
    result.results = of.pool.load();
    result.index = of.index.load();
    const auto function = of.function.load();
    result.function = file_.text_at(function);
    result.since = when_cycles(of.since.load());
    result.tasks = of.tasks.load();
    result.busy = time_of(of.busy.load());
    result.idle = time_of(of.idle.load());
    (function != 0 ? result.busy : result.idle) += into_.taken - result.since;
    if (function != 0 && result.function.empty())
      result.function = "?";
  }

  void read_actors(const memory::actor_counters& of,
                   process_record& into) const {
    actors_record result;
    for (const auto& each : of.threads) {
      const auto actor = each.actor.load();
      if (actor == 0)
        continue;
      handler_record handler;
      handler.thread = each.thread.load();
      handler.actor = actor;
      handler.since = when_cycles(each.since.load());
      if (each.typed.load() == static_cast<std::uint32_t>(actor))
        handler.type = each.type.get();
      result.handlers.push_back(std::move(handler));
    }
    if (of.noted.load() == 0 && result.handlers.empty())
      return;
    result.noted = when(of.noted.load());
    result.running = of.running.load();
    result.queued = of.queued.load();
    result.handled = of.handled.load();
    into.actors = std::move(result);
  }

  // Waits ---------------------------------------------------------------------

  void read_waits() {
    for (const auto& each : into_.processes) {
      if (each.state != slot_state::running)
        continue;
      const auto rows = file_.waits_at(each.slot);
      for (std::size_t i = 0; i < memory::wait_rows::count; ++i)
        read_wait(each, rows + i * sizeof(memory::wait_row));
    }
  }

  void read_wait(const process_record& of, std::uint64_t at) {
    copy_of<memory::wait_row> row;
    if (!file_.read(at, row))
      return;
    const auto thread = row->thread.load();
    const auto turn = row->turn.load();
    if (thread == 0 || thread >> 32 != of.generation || (turn & 1) == 0)
      return;
    const auto kind = row->kind.load();
    const auto what = kind & ~memory::wait_row::is_open;
    if (what == 0 || what >= memory::wait_kinds) {
      complain("a thread of " + of.description() + " waits for nothing known");
      return;
    }
    wait_record result;
    result.slot = of.slot;
    result.thread = static_cast<std::int32_t>(thread);
    result.kind = static_cast<memory::wait_kind>(what);
    result.open = (kind & memory::wait_row::is_open) != 0;
    result.since = when(row->since.load());
    result.turn = turn;
    const auto until = row->until.load();
    if (until != std::numeric_limits<std::int64_t>::max())
      result.until = when(until);
    raw_wait raw{at, turn, row->word.load(), row->expected.load(), {}};
    for (const auto& place : row->places)
      if (const auto where = place.load(); where != 0)
        raw.places.push_back(where);
    into_.waits.push_back(std::move(result));
    raw_waits_.push_back(std::move(raw));
  }

  /// Keeps those that have lasted until now.
  void confirm_waits() {
    std::vector<wait_record> kept;
    for (std::size_t i = 0; i < into_.waits.size(); ++i) {
      auto& wait = into_.waits[i];
      const auto& raw = raw_waits_[i];
      // First: a word that was changed later is seen at the next look.
      const auto word = raw.word == 0
                          ? std::optional{raw.expected}
                          : file_.read_value<std::uint32_t>(raw.word);
      copy_of<memory::wait_row> row;
      if (!file_.read(raw.row, row) || row->turn.load() != raw.turn)
        continue;
      wait.woken = !word || *word != row->expected.load()
                   || row->word.load() != raw.word;
      kept.push_back(std::move(wait));
    }
    for (auto& each : inner_waits_)
      kept.push_back(std::move(each.wait));
    into_.waits = std::move(kept);
  }

  void find_targets() {
    for (std::size_t i = 0; i < into_.waits.size(); ++i) {
      auto& wait = into_.waits[i];
      for (const auto place : raw_waits_[i].places) {
        if (const auto slot = file_.slot_of(place)) {
          wait.targets.push_back({0, *slot});
          continue;
        }
        const auto head = file_.head_of(place);
        const auto id = head ? object_at(*head) : 0;
        // Whatever it is, somebody may know of it.
        if (id == 0)
          wait.open = true;
        else
          wait.targets.push_back({id, 0});
      }
    }
    std::sort(into_.objects.begin(), into_.objects.end(),
              [](const auto& a, const auto& b) { return a.id < b.id; });
  }

  /// The id of the object of a head, which is listed from now on.
  object_id object_at(std::uint32_t index) {
    if (const auto known = known_.find(index); known != known_.end())
      return known->second;
    copy_of<object_head> head;
    if (!file_.read(file_.head_at(index), head)
        || head->life_now().state() != memory::life_state::alive)
      return 0;
    if (auto found = read_object(index, false, head)) {
      list(std::move(*found));
      return into_.objects.back().id;
    }
    return 0;
  }

  // Objects -------------------------------------------------------------------

  void list(object_record found) {
    known_.emplace(static_cast<std::uint32_t>(found.id), found.id);
    into_.objects.push_back(std::move(found));
  }

  static bool is_listed(object_kind kind) noexcept {
    switch (kind) {
      case object_kind::queue:
      case object_kind::connection:
      case object_kind::mutex:
      case object_kind::semaphore:
      case object_kind::condition:
      case object_kind::event:
      case object_kind::barrier:
      case object_kind::state:
      case object_kind::pool: return true;
      default: return false;
    }
  }

  void read_objects() {
    std::set<object_kind> strange;
    file_.for_each_head(
      [&](std::uint32_t index, const copy_of<object_head>& head) {
        const auto kind = static_cast<object_kind>(head->kind.load());
        auto& total = into_.totals[kind];
        total.bytes += head->accounted.load();
        if (!file_.knows(kind))
          strange.insert(kind);
        for (const bool second : {false, true}) {
          if (state_of(*head, second) != memory::life_state::alive)
            continue;
          // Of an object of two sides each is one.
          ++total.count;
          if (is_listed(kind) && into_.objects.size() < most_objects)
            if (auto found = read_object(index, second, head))
              list(std::move(*found));
        }
        return into_.totals.size() < 4096;
      });
    for (const auto kind : strange)
      complain("the run has another version's objects of kind "
               + memory::name_of(kind) + ": what is in them is not told");
  }

  static memory::life_state state_of(const object_head& head,
                                     bool second) noexcept {
    return second ? head.second_life_now().state() : head.life_now().state();
  }

  std::optional<object_record> read_object(std::uint32_t index, bool second,
                                           copy_of<object_head> head) {
    object_record result;
    for (int turn = 0; turn < most_tries; ++turn) {
      result = {};
      result.id = (object_id{head->generation.load()} << 32) | index
                  | (second ? memory::second_side : 0);
      result.kind = static_cast<object_kind>(head->kind.load());
      result.size = head->size.load();
      result.creator = head->creator.load();
      result.shares = shares_of(*head, second);
      result.origin = file_.text_at(head->origin.load());
      read_holders(index, *head, second, result.holders);
      if (file_.knows(result.kind))
        read_content(head->payload.load(), result);
      copy_of<object_head> again;
      if (!file_.read(file_.head_at(index), again))
        return std::nullopt;
      const bool same = again->life.load() == head->life.load()
                        && again->second_life.load() == head->second_life.load()
                        && again->kind.load() == head->kind.load();
      head = again;
      if (same)
        return result;
      if (state_of(*head, second) != memory::life_state::alive)
        return std::nullopt;
    }
    result.damaged = true;
    return result;
  }

  static std::uint64_t shares_of(const object_head& head,
                                 bool second) noexcept {
    // A side only reads.
    return memory::object_side{const_cast<object_head*>(&head), second}
      .shares_now()
      .count();
  }

  void read_holders(std::uint32_t index, const object_head& head, bool second,
                    std::vector<std::uint32_t>& into) const {
    const auto slots = file_.header().slots;
    // The first bit is of the row behind the last slot.
    const auto add = [&](std::uint32_t first, std::uint64_t bits) {
      for (; bits != 0; bits &= bits - 1) {
        const auto position
          = first + static_cast<std::uint32_t>(__builtin_ctzll(bits));
        into.push_back(position == 0 ? slots : position - 1);
      }
    };
    using words_of_head = std::span<const std::atomic<std::uint64_t>>;
    const auto inside = second ? words_of_head{head.second_holders}
                               : words_of_head{head.holders};
    for (std::uint32_t word = 0; word < inside.size(); ++word)
      add(word * 64, inside[word].load());
    const auto& header = file_.header();
    const auto words = second ? header.more_second_words : header.more_words;
    const bool has_more = (head.flags.load()
                           & (second ? object_head::has_more_second_holders
                                     : object_head::has_more_holders))
                            != 0
                          && words <= 1024;
    const auto page = index / memory::head_page::heads;
    const auto at = header.more_holders + page * header.more_bytes
                    + (second ? header.more_first_bytes : 0)
                    + (index % memory::head_page::heads) * words * 8;
    for (std::uint32_t word = 0; has_more && word < words; ++word)
      if (const auto bits = file_.read_value<std::uint64_t>(at + word * 8ULL))
        add(static_cast<std::uint32_t>(inside.size() * 64) + word * 64, *bits);
    std::sort(into.begin(), into.end());
  }

  template <class T>
  bool read_payload(std::uint64_t at, const object_record& of,
                    copy_of<T>& into) const {
    return of.size >= sizeof(T) && file_.read(at, into);
  }

  void read_content(std::uint64_t at, object_record& of) const {
    bool read = true;
    switch (of.kind) {
      case object_kind::mutex: read = read_mutex(at, of); break;
      case object_kind::semaphore: read = read_semaphore(at, of); break;
      case object_kind::condition: of.content = condition_record{}; break;
      case object_kind::event: read = read_event(at, of); break;
      case object_kind::barrier: read = read_barrier(at, of); break;
      case object_kind::queue: read = read_queue(at, of); break;
      case object_kind::connection: read = read_connection(at, of); break;
      case object_kind::state: read = read_state(at, of); break;
      case object_kind::pool: read = read_pool(at, of); break;
      default: break;
    }
    of.damaged = !read;
  }

  bool read_mutex(std::uint64_t at, object_record& of) const {
    copy_of<sync::mutex_word> copy;
    if (!read_payload(at, of, copy))
      return false;
    lock_record result;
    if (const auto who = copy->holder())
      result.holder = {who.row(), who.thread(), who.is_actor()};
    result.since = when(copy->since());
    result.fence = copy->fence();
    result.recursive = copy->is_recursive();
    result.owner_died = copy->owner_died();
    const bool makes_sense = !result.holder
                             || result.holder->slot <= file_.header().slots;
    of.content = result;
    return makes_sense;
  }

  bool read_semaphore(std::uint64_t at, object_record& of) const {
    copy_of<sync::semaphore_units> copy;
    if (!read_payload(at, of, copy))
      return false;
    of.content = semaphore_record{copy->value(), copy->bound()};
    return copy->value() <= copy->bound();
  }

  bool read_event(std::uint64_t at, object_record& of) const {
    copy_of<sync::event_state> copy;
    if (!read_payload(at, of, copy))
      return false;
    of.content = event_record{(copy->state.load() & 1) != 0};
    return true;
  }

  bool read_barrier(std::uint64_t at, object_record& of) const {
    copy_of<sync::barrier_state> copy;
    if (!read_payload(at, of, copy))
      return false;
    const auto now = copy->now();
    of.content
      = barrier_record{copy->parties(),
                       now.now == sync::barrier_state::filling ? now.count : 0U,
                       now.now == sync::barrier_state::broken};
    return now.now <= sync::barrier_state::broken;
  }

  bool read_queue(std::uint64_t at, object_record& of) const {
    copy_of<mailbox::message_queue> copy;
    if (!read_payload(at, of, copy))
      return false;
    queue_record result;
    result.depth = copy->size();
    result.limit = copy->options().messages;
    result.unfinished = copy->unfinished();
    result.closed = copy->closed();
    result.has_readers = copy->has_readers();
    result.put = copy->put_so_far();
    result.taken = copy->taken_so_far();
    if (const auto empty = copy->last_found_empty(); empty > 0)
      result.found_empty = when(empty);
    if (const auto taken = copy->taken_since(); taken > 0)
      result.taken_since = when(taken);
    // Not of what is overwritten: its bounds may be none.
    constexpr auto sensible = std::uint64_t{1} << 48;
    const bool makes_sense = result.depth < sensible
                             && copy->options().window < sensible;
    result.full = makes_sense && copy->full();
    of.content = result;
    return makes_sense;
  }

  bool read_pool(std::uint64_t at, object_record& of) const {
    copy_of<memory::pool_counters> copy;
    if (!read_payload(at, of, copy))
      return false;
    of.content = pool_record{copy->results,          copy->workers,
                             copy->submitted.load(), copy->finished.load(),
                             copy->waiting.load(),   copy->started.load()};
    return true;
  }

  bool read_connection(std::uint64_t at, object_record& of) const {
    std::array<std::byte, channel::pipe_end::payload> copy{};
    if (of.size < copy.size() || !file_.read(at, copy))
      return false;
    const auto boxes
      = channel::pipe_end::boxes_in(copy, memory::is_second_side(of.id));
    of.content = connection_record{boxes.in, boxes.out};
    return true;
  }

  bool read_state(std::uint64_t at, object_record& of) const {
    state_record result;
    const auto what = file_.read_value<held::state_part>(at);
    if (!what || of.size < sizeof(held::cell))
      return false;
    if (*what == held::state_part::control_block) {
      // Without its table and its story, which are long.
      const auto box
        = file_.read_value<object_id>(at + offsetof(held::control_block, box));
      const auto process = file_.read_value<std::uint64_t>(
        at + offsetof(held::control_block, process));
      if (!box || !process || of.size < sizeof(held::control_block))
        return false;
      result = {state_record::part::control_block, of.id, *process, *box};
    } else if (*what == held::state_part::object_ref
               || *what == held::state_part::cell) {
      // The control block stands at the same place in both.
      static_assert(offsetof(held::object_ref, block)
                    == offsetof(held::cell, block));
      const auto control_block
        = file_.read_value<object_id>(at + offsetof(held::cell, block));
      if (!control_block)
        return false;
      result.what = *what == held::state_part::object_ref
                      ? state_record::part::object_ref
                      : state_record::part::cell;
      result.control_block = *control_block;
    }
    of.content = result;
    return true;
  }

  // The kernel ----------------------------------------------------------------

  void ask_kernel() {
    for (auto& each : into_.processes) {
      const auto parent = slot_id::unpacked(parents_[each.slot]);
      if (const auto* of = into_.process(parent.index);
          of != nullptr && of->generation == parent.generation)
        each.parent = parent.index;
      if (each.pid <= 0 || !has_process(each.state))
        continue;
      each.fact = os::fact_of(each.pid);
      if (each.fact)
        each.threads = os::threads_of(each.pid);
    }
  }

  /// Threads in no row that sleep until one of their own process wakes them.
  /// What such a thread sleeps in is read between two looks at how often it has
  /// slept.
  void find_inner_waits() {
    for (const auto& process : into_.processes) {
      if (process.state != slot_state::running)
        continue;
      for (const auto& thread : process.threads) {
        if (thread.state != 'S' || is_noted(process.slot, thread.id))
          continue;
        const auto slept = os::switches_of(process.pid, thread.id);
        if (!slept || !os::waits_for_own_process(process.pid, thread.id))
          continue;
        wait_record wait;
        wait.slot = process.slot;
        wait.thread = thread.id;
        wait.kind = memory::wait_kind::thread;
        wait.since = into_.taken;
        wait.turn = static_cast<std::uint32_t>(*slept);
        inner_waits_.push_back({std::move(wait), process.pid, *slept});
      }
    }
  }

  /// Keeps those that have lasted until all of them were found. What counts how
  /// often one has slept is asked last: one that has run since, and sleeps
  /// again, has another number.
  void confirm_inner_waits() {
    std::erase_if(inner_waits_, [](const auto& each) {
      return !os::waits_for_own_process(each.pid, each.wait.thread)
             || os::switches_of(each.pid, each.wait.thread) != each.slept;
    });
  }

  [[nodiscard]] bool is_noted(std::uint32_t slot, std::int32_t thread) const {
    return std::any_of(into_.waits.begin(), into_.waits.end(),
                       [&](const auto& each) {
                         return each.slot == slot && each.thread == thread;
                       });
  }

  struct inner_wait {
    wait_record wait;
    std::int32_t pid;
    std::uint64_t slept;
  };

  const run_file& file_;
  snapshot& into_;
  std::uint64_t cycles_taken_ = 0;
  std::vector<raw_wait> raw_waits_;
  std::vector<inner_wait> inner_waits_;
  std::map<std::uint32_t, std::uint64_t> parents_;
  /// Ids of the objects that are listed, by the numbers of their heads.
  std::unordered_map<std::uint32_t, object_id> known_;
};

/// The processes that have the run mapped and stand in no slot.
void find_outsiders(snapshot& of) {
  std::set<std::int32_t> known{of.fork_server};
  for (const auto& each : of.processes)
    known.insert(each.pid);
  for (const auto pid : os::process_numbers())
    if (!known.contains(pid) && os::maps_file(pid, of.inode).value_or(false))
      of.outsiders.push_back(pid);
}

look_result look_at_file(const os::descriptor& file) {
  look_result result;
  const run_file run{file.get(), result.refusal};
  if (!result.refusal.empty())
    return result;
  auto& seen = result.seen.emplace();
  seen.inode = os::inode_of(file.get());
  look{run, seen}.take();
  find_outsiders(seen);
  try {
    seen.used = os::used_bytes(file.get());
  } catch (const error& failure) {
    seen.damage.emplace_back(failure.what());
  }
  return result;
}

} // namespace

std::string process_record::description() const {
  const auto shown = name.empty() ? "slot " + std::to_string(slot) : name;
  return pid == 0 ? shown : memory::description_of(shown, pid);
}

bool object_record::is_held_by(std::uint32_t slot) const noexcept {
  return std::binary_search(holders.begin(), holders.end(), slot);
}

std::string object_record::description() const {
  const auto* lock = std::get_if<lock_record>(&content);
  return (lock != nullptr && lock->recursive ? "recursive_mutex"
                                             : memory::name_of(kind))
         + " " + std::to_string(id)
         + (origin.empty() ? "" : " (" + origin + ")");
}

const process_record* snapshot::process(std::uint32_t slot) const {
  const auto found = std::lower_bound(
    processes.begin(), processes.end(), slot,
    [](const process_record& a, std::uint32_t b) { return a.slot < b; });
  return found != processes.end() && found->slot == slot ? &*found : nullptr;
}

const object_record* snapshot::object(memory::object_id id) const {
  const auto found = std::lower_bound(
    objects.begin(), objects.end(), id,
    [](const object_record& a, memory::object_id b) { return a.id < b; });
  return found != objects.end() && found->id == id ? &*found : nullptr;
}

look_result look_at(const os::descriptor& file) {
  return look_at_file(file);
}

snapshot here() {
  const auto file
    = os::reopen_for_reading(memory::run_memory::current().file());
  if (!file)
    throw os_failure("look at the own run", "/proc must be mounted");
  auto result = look_at_file(file);
  if (!result.seen)
    throw invalid_state("look at the own run", result.refusal);
  return std::move(*result.seen);
}

std::vector<run_entry> find_runs(std::size_t& refused) {
  std::map<std::uint64_t, run_entry> found;
  refused = 0;
  for (const auto pid : os::process_numbers()) {
    auto open = os::open_memory_file_of(pid, "troupe-run");
    refused += open.refused ? 1 : 0;
    if (!open.file)
      continue;
    auto& entry = found[open.inode];
    if (entry.pids.empty()) {
      entry.inode = open.inode;
      entry.file = std::move(open.file);
      if (const auto fact = os::fact_of(pid))
        entry.user = fact->user;
    }
    entry.pids.push_back(pid);
  }
  std::vector<run_entry> result;
  for (auto& [inode, entry] : found)
    result.push_back(std::move(entry));
  return result;
}

} // namespace troupe::inspection
