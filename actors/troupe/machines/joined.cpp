// SPDX-License-Identifier: BSL-1.0
#include <troupe/machines/joined.hpp>

#include <troupe/base/error.hpp>
#include <troupe/machines/gateway.hpp>
#include <troupe/machines/handshake.hpp>
#include <troupe/machines/leave_signal.hpp>
#include <troupe/machines/messages.hpp>
#include <troupe/machines/offered_service.hpp>
#include <troupe/machines/remote_call.hpp>
#include <troupe/memory/process_slot.hpp>
#include <troupe/network/credentials.hpp>
#include <troupe/network/event_loop.hpp>
#include <troupe/network/tls_carrier.hpp>
#include <troupe/os/child.hpp>
#include <troupe/os/held_threads.hpp>
#include <troupe/os/host_name.hpp>
#include <troupe/os/memory_file.hpp>
#include <troupe/os/pipe.hpp>
#include <troupe/os/processors.hpp>
#include <troupe/os/tcp.hpp>
#include <troupe/process/future.hpp>
#include <troupe/process/lease.hpp>
#include <troupe/process/process.hpp>
#include <troupe/process/remote_error.hpp>
#include <troupe/process/table.hpp>
#include <troupe/runtime/actor_factory.hpp>
#include <troupe/runtime/host.hpp>
#include <troupe/transport/caf_error.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <deque>
#include <exception>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace troupe::machines {

namespace {

using network::loss;

/// Output that the lead has not written yet, at most; then the processes wait.
constexpr std::uint64_t output_window = 1U << 20;
constexpr std::size_t longest_result = network::longest_content / 2;

/// How much later than the root the fork server ends the run: a quarter of
/// `silence`, and this at most. The lead counts the machine as lost after half
/// a `silence`.
constexpr std::chrono::nanoseconds most_grace = std::chrono::milliseconds{250};

/// Prolongs the lease that the fork server looks at.
void prolong(std::int64_t until, std::int64_t silence) {
  auto& lease = hosting::lease_of_run();
  const bool first = lease.load() == 0;
  lease.store(until + std::min(silence / 4, std::int64_t{most_grace.count()}));
  constexpr std::uint32_t no_slot = 0xFFFF'FFFF;
  if (first)
    static_cast<void>(hosting::announce_request(no_slot));
}

/// How long the thread that serves the lead waits for a process to begin, which
/// takes a fork; and how often it looks again after that, as for one that is
/// executed anew and has much to initialise.
constexpr std::chrono::milliseconds time_of_fork{2};

/// What this machine does for its lead. Its messages come by the thread of the
/// connection's loop; all else is done by the main thread, which sleeps until
/// one has come, a process has ended or printed, or somebody asks the machine
/// to leave.
class worker final : public network::carrier::receiver {
public:
  worker(const options& said, output_pipes output)
    : said_(said), output_(std::move(output)) {
  }

  /// Joins. Ends the process where that fails.
  void join(const network::key& shared);

  [[noreturn]] void work();

  // By the loop:

  void opened() override {
    const std::scoped_lock guard{mutex_};
    open_ = true;
    ring();
  }

  void received(network::arrival& what) override {
    if (is_of_actors(what.content()))
      return actors().take(what.take());
    const std::scoped_lock guard{mutex_};
    inbox_.push_back({what.take(), {}, {}});
    ring();
  }

  void refused(std::uint64_t) override {
  }

  void lost(const loss& why) noexcept override;

private:
  /// What the lead has said: as it came, or with handles of actors that came
  /// with it.
  struct order {
    network::payload plain;
    bytes carried;
    placed_actors actors;

    [[nodiscard]] bytes_view view() const noexcept {
      return carried.empty() ? plain.view() : bytes_view{carried};
    }
  };

  /// A process that runs for the lead.
  struct running {
    future<called_result> result;
    /// Whom its arguments name: it takes hold of them when it reads those.
    placed_actors named = {};
    /// -1: it has no number yet.
    int sentinel = -1;
    /// What it is to be sent when it has, each once.
    std::vector<int> signals = {};
  };

  /// A process that has ended, of which the lead hears behind its output.
  struct ended_process {
    output_pipes::position printed;
    ended_note note;
    placed_actors actors = {};
  };

  [[noreturn]] void end(int code, const std::string& why) const noexcept;
  [[noreturn]] void give_up(const std::string& why) const noexcept {
    end(exit_code::refused, why);
  }
  [[noreturn]] void end_without_lead(const loss& why) const noexcept;
  static void ring() noexcept {
    os::notify_event(leave_signal::event());
  }
  /// Sleeps until `ring`, a signal, or the limit, which it returns false for.
  static bool sleep_until_rung(deadline limit);

  [[nodiscard]] bool connect(const network::tls_context& with, deadline limit,
                             std::string& why);
  [[nodiscard]] std::optional<loss> wait_until_open(deadline limit,
                                                    bool& in_time);
  [[nodiscard]] verdict ask_to_join(deadline limit);
  [[nodiscard]] std::vector<order> take_inbox();
  [[nodiscard]] static bool is_of_actors(bytes_view message) noexcept {
    return !message.empty()
           && message.front() == static_cast<std::byte>(message_kind::actors);
  }
  /// Made at first need. Any thread.
  [[nodiscard]] gateway& actors();
  void make_actor(spawn_order what, std::vector<caf::strong_actor_ptr> handles);

  void obey(order what);
  void start(start_order what, placed_actors actors);
  /// Has the end of each process told that has begun. Returns when to look
  /// again.
  [[nodiscard]] deadline watch_those_that_begin();
  void signal(const signal_order& what);
  void send_signal(const running& to, int number);
  void refuse(std::uint64_t number, errc code, const std::string& why);
  void finish(std::uint64_t number, running of);
  void forward_output();
  void send_lines(const std::vector<output_pipes::lines>& all);
  void tell_of_ends();
  void leave_when_done();
  void send(const bytes& message, std::uint64_t stream,
            bool behind_all = false);

  const options said_;
  output_pipes output_;
  std::shared_ptr<network::event_loop> loop_
    = std::make_shared<network::event_loop>();
  std::shared_ptr<network::tls_carrier> to_;
  std::string lead_;
  std::string name_;

  std::mutex mutex_;
  bool open_ = false;
  std::optional<loss> lost_;
  std::vector<order> inbox_;
  bool joined_ = false;

  // seq_cst: set before the lead is told, and so before it closes the
  // connection; then read in `end_without_lead`, in the thread of the loop.
  std::atomic<bool> has_left_{false};
  // seq_cst, and relaxed would do: each number is given once, and that is all.
  std::atomic<std::uint64_t> tags_{0};

  std::mutex actors_mutex_;
  std::shared_ptr<gateway> actors_;

  // The main thread's:
  std::map<std::uint64_t, running> running_;
  std::deque<ended_process> ended_;
  std::uint64_t not_printed_ = 0;
  bool leaving_ = false;
};

void worker::end(int code, const std::string& why) const noexcept {
  output_.say("troupe: " + why + '\n');
  // The kernel ends the run with its root.
  os::exit_at_once(code);
}

void worker::lost(const loss& why) noexcept {
  const std::scoped_lock guard{mutex_};
  if (joined_)
    end_without_lead(why);
  lost_ = why;
  ring();
}

void worker::end_without_lead(const loss& why) const noexcept {
  if (has_left_)
    end(exit_code::ended, name_ + " has left " + lead_);
  if (why.why == loss::cause::closed_there)
    end(exit_code::ended, name_ + " ends: " + lead_ + " has ended");
  end(exit_code::lead_lost,
      name_ + " ends: " + lead_ + " is lost: " + why.text);
}

void worker::join(const network::key& shared) {
  lead_ = to_string(*said_.join);
  const auto limit = deadline::after(said_.join_timeout);
  std::optional<network::tls_context> context;
  try {
    // First what takes long: the lead gives little time from then on.
    context.emplace(network::credentials::of(shared),
                    network::tls_context::role::client);
  } catch (const error& failure) {
    give_up(failure.what());
  }
  std::string why;
  auto pause = std::chrono::milliseconds{20};
  constexpr std::chrono::milliseconds longest_pause{1'000};
  while (!connect(*context, limit, why)) {
    if (limit.passed())
      give_up("nobody leads at " + lead_ + ": " + why + "; tried for "
              + std::to_string(said_.join_timeout.count())
              + " s (--troupe.join-timeout)");
    static_cast<void>(sleep_until_rung(
      deadline::at(std::min(deadline::after(pause).when(), limit.when()))));
    pause = std::min(2 * pause, longest_pause);
  }
  const auto answer = ask_to_join(limit);
  if (answer.why != refusal::none)
    give_up("refused by " + lead_ + ": " + answer.text);
  name_ = answer.text;
  leave_signal::take_effect();
  output_.say("troupe: joined " + lead_ + " as " + name_ + '\n');
  const std::scoped_lock guard{mutex_};
  joined_ = true;
  // It may have ended since.
  if (lost_)
    end_without_lead(*lost_);
}

bool worker::connect(const network::tls_context& with, deadline limit,
                     std::string& why) {
  {
    const std::scoped_lock guard{mutex_};
    open_ = false;
    lost_.reset();
  }
  const network::limits bounds{.silence = said_.silence};
  try {
    auto fd = os::connect_tcp(said_.join->host(), said_.join->port(), limit);
    // The worker lives as long as its process.
    to_ = network::tls_carrier::make_client(
      loop_, with, std::move(fd), bounds,
      std::shared_ptr<worker>{std::shared_ptr<void>{}, this},
      {network::carrier_terms::service::machines, true, prolong});
  } catch (const invalid_argument& failure) {
    // A name that nobody knows, yet.
    why = failure.what();
    return false;
  } catch (const error& failure) {
    why = failure.what();
    return false;
  }
  bool in_time = true;
  const auto lost = wait_until_open(limit, in_time);
  if (!in_time) {
    why = "it has not answered";
    return false;
  }
  if (!lost)
    return true;
  switch (lost->why) {
    case loss::cause::wrong_key:
      give_up("refused by " + lead_
              + ": it has not this key; put the same into TROUPE_KEY, or "
                "--troupe.key-file, on all machines");
    case loss::cause::not_tls:
    case loss::cause::other_protocol:
    case loss::cause::malformed:
      give_up(lead_ + " leads no machines: " + lost->text);
    case loss::cause::full: give_up("refused by " + lead_ + ": " + lost->text);
    default: break;
  }
  why = lost->text;
  return false;
}

std::optional<loss> worker::wait_until_open(deadline limit, bool& in_time) {
  for (;;) {
    {
      const std::scoped_lock guard{mutex_};
      if (open_ || lost_)
        return lost_;
    }
    in_time = sleep_until_rung(limit);
    if (!in_time)
      return std::nullopt;
  }
}

verdict worker::ask_to_join(deadline limit) {
  introduction own;
  own.program = program_build::own();
  own.processors = os::available_processors();
  own.memory = os::memory_size();
  own.labels = said_.labels;
  own.name_was_given = said_.name.has_value();
  own.name = said_.name.value_or(os::host_name());
  if (!is_name(own.name))
    own.name = "machine";
  send(raw_message(message_kind::introduction, to_bytes(own)), 0);
  for (;;) {
    // The orders behind the verdict stay for `work`.
    network::payload first;
    {
      const std::scoped_lock guard{mutex_};
      if (!inbox_.empty()) {
        first = std::move(inbox_.front().plain);
        inbox_.erase(inbox_.begin());
      } else if (lost_) {
        give_up(lead_ + " has not let this machine join: " + lost_->text);
      }
    }
    if (first.size() > 0) {
      try {
        if (kind_of(first.view()) == message_kind::verdict)
          return read_verdict(first.view().subspan(1));
      } catch (const malformed_bytes& wrong) {
        give_up(lead_ + " leads no machines: " + wrong.what());
      }
      give_up(lead_ + " leads no machines: it has not answered as one of ours");
    }
    if (!sleep_until_rung(limit))
      give_up(lead_ + " has not answered in time");
  }
}

bool worker::sleep_until_rung(deadline limit) {
  os::watched waiting[] = {{leave_signal::event()}};
  const bool rung = os::wait_readable(waiting, limit) || !limit.passed();
  if (rung)
    os::clear_event(leave_signal::event());
  return rung;
}

void worker::work() {
  // Whoever is started here may ask for machines, as those of the lead's run.
  offer_service([this] { return actors().service(); });
  // Orders may have come with the verdict.
  ring();
  try {
    for (;;) {
      const auto limit = watch_those_that_begin();
      std::vector<os::watched> waiting{{leave_signal::event()}};
      if (not_printed_ < output_window)
        for (const int fd : output_.readable())
          waiting.push_back({fd});
      const auto first = waiting.size();
      std::vector<std::uint64_t> numbers;
      for (const auto& [number, each] : running_) {
        if (each.sentinel < 0)
          continue;
        waiting.push_back({each.sentinel});
        numbers.push_back(number);
      }
      static_cast<void>(os::wait_readable(waiting, limit));
      os::clear_event(leave_signal::event());
      for (std::size_t i = 0; i < numbers.size(); ++i)
        if (waiting[first + i].ready) {
          auto found = running_.extract(numbers[i]);
          finish(numbers[i], std::move(found.mapped()));
        }
      for (auto& each : take_inbox())
        obey(std::move(each));
      forward_output();
      tell_of_ends();
      leave_when_done();
    }
  } catch (const std::exception& failure) {
    end(exit_code::lead_lost, name_ + " ends: " + failure.what());
  }
}

std::vector<worker::order> worker::take_inbox() {
  const std::scoped_lock guard{mutex_};
  return std::exchange(inbox_, {});
}

void worker::obey(order what) {
  const auto message = what.view();
  switch (kind_of(message)) {
    case message_kind::start:
      return start(content_of<start_order>(message), std::move(what.actors));
    case message_kind::signal: return signal(content_of<signal_order>(message));
    case message_kind::printed:
      not_printed_ -= std::min(not_printed_,
                               content_of<printed_note>(message).bytes);
      return;
    default:
      throw malformed_bytes("read an order of the lead",
                            "it is none that a machine takes");
  }
}

gateway& worker::actors() {
  const std::scoped_lock guard{actors_mutex_};
  if (actors_)
    return *actors_;
  gateway::duties does;
  does.makes = [this](spawn_order what,
                      std::vector<caf::strong_actor_ptr> handles) {
    make_actor(std::move(what), std::move(handles));
  };
  does.takes = [this](bytes message, placed_actors handles) {
    const std::scoped_lock held{mutex_};
    inbox_.push_back({{}, std::move(message), std::move(handles)});
    ring();
  };
  actors_ = gateway::make(lead_,
                          {[this](const bytes& message, std::uint64_t stream,
                                  bool behind_all) {
                             send(message, stream, behind_all);
                           },
                           [by = to_] { return by->waiting(); }},
                          std::move(does));
  return *actors_;
}

void worker::make_actor(spawn_order what,
                        std::vector<caf::strong_actor_ptr> handles) {
  const auto number = what.number;
  if (leave_signal::came())
    return actors().spawned(
      number, transport::make_error(errc::cancelled,
                                    name_
                                      + " has been asked to end, and takes "
                                        "nothing new"));
  auto* const to = &actors();
  // Each in a thread of its own: it waits for a process that may take long to
  // begin, and holds up nobody else.
  std::thread{[to, what = std::move(what), held = std::move(handles)] {
    os::let_this_thread_run_on();
    try {
      const auto& recipe
        = runtime::recipe_entry::at({what.module, what.offset},
                                    "make an actor for another machine",
                                    what.library);
      codec::packet arguments;
      codec::encoder{arguments}.write(what.arguments.data(),
                                      what.arguments.size());
      to->spawned(what.number,
                  runtime::request_own_process(
                    recipe, arguments, {}, runtime::process_end::not_awaited));
    } catch (const remote_error& failure) {
      to->spawned(what.number, transport::to_caf(failure.thrown()));
    } catch (...) {
      to->spawned(what.number, transport::error_being_handled());
    }
  }}.detach();
}

void worker::start(start_order what, placed_actors actors) {
  if (leaving_)
    return refuse(what.number, errc::cancelled,
                  "it has been asked to end, and takes nothing new");
  start_options how;
  how.name = std::move(what.name);
  if (what.method == 1)
    how.method = start_method::fork_server;
  else if (what.method == 2)
    how.method = start_method::spawn;
  if (!actors.empty())
    write_handles(what.arguments, actors);
  try {
    running made{async<&run_called_function>(
                   how, called_function{what.module, what.offset,
                                        std::move(what.library),
                                        std::move(what.arguments)}),
                 std::move(actors)};
    static_cast<void>(hosting::await_begin(made.result.runner().view(),
                                           deadline::after(time_of_fork)));
    running_.emplace(what.number, std::move(made));
  } catch (const error& failure) {
    refuse(what.number, failure.code(), failure.what());
  }
}

deadline worker::watch_those_that_begin() {
  auto limit = deadline::never();
  for (auto& [number, each] : running_) {
    if (each.sentinel >= 0)
      continue;
    auto& runner = each.result.runner();
    if (!hosting::await_begin(runner.view(), deadline::now())) {
      limit = deadline::after(time_of_fork);
      continue;
    }
    each.sentinel = runner.sentinel();
    for (const int signal : std::exchange(each.signals, {}))
      send_signal(each, signal);
  }
  return limit;
}

void worker::signal(const signal_order& what) {
  const auto found = running_.find(what.number);
  if (found == running_.end())
    return;
  auto& to = found->second;
  const auto number = static_cast<int>(what.signal);
  if (to.sentinel >= 0)
    return send_signal(to, number);
  // It would be waited for.
  if (std::find(to.signals.begin(), to.signals.end(), number)
      == to.signals.end())
    to.signals.push_back(number);
}

void worker::send_signal(const running& to, int number) {
  try {
    to.result.runner().send_signal(number);
  } catch (const os_failure& failure) {
    output_.say(std::string{"troupe: "} + failure.what() + '\n');
  }
}

void worker::refuse(std::uint64_t number, errc code, const std::string& why) {
  ended_note note;
  note.number = number;
  note.code = static_cast<std::int32_t>(code);
  note.text = why;
  ended_.push_back({output_.written(), std::move(note)});
}

void worker::finish(std::uint64_t number, running of) {
  ended_note note;
  placed_actors actors;
  note.number = number;
  note.pid = of.result.runner().pid();
  note.process = of.result.runner().name();
  try {
    auto result = of.result.get();
    note.result = std::move(result.content);
    actors = put_together(result.places, result.actors);
    note.became = ended_note::how::returned;
    if (note.result.size() > longest_result) {
      note.result = {};
      actors.clear();
      note.became = ended_note::how::refused;
      note.code = static_cast<std::int32_t>(errc::limit_reached);
      note.text = "the result has more than 512 MiB";
    }
  } catch (const remote_error& failure) {
    const auto& status = failure.status();
    note.became = ended_note::how::died;
    note.last_lines = status.last_lines();
    note.type = status.exception_type();
    note.text = status.exception_text();
    for (const auto& each : status.causes())
      note.causes.emplace_back(each.type, each.text);
    auto ending = memory::ending::lost;
    if (status.threw()) {
      ending = memory::ending::threw;
    } else if (status.signaled()) {
      ending = memory::ending::signaled;
      note.code = status.signal();
    } else if (status.exited()) {
      ending = memory::ending::exited;
      note.code = status.code();
    }
    note.ending = static_cast<std::uint32_t>(ending);
  } catch (const error& failure) {
    note.became = ended_note::how::refused;
    note.code = static_cast<std::int32_t>(failure.code());
    note.text = failure.what();
  }
  // All that it has printed is in the pipes.
  ended_.push_back({output_.written(), std::move(note), std::move(actors)});
}

void worker::forward_output() {
  if (not_printed_ < output_window)
    send_lines(output_.take(output_window - not_printed_));
  // Lines that nobody ends any more.
  if (running_.empty() && output_.taken_up_to(output_.written()))
    send_lines(output_.take_rest());
}

void worker::send_lines(const std::vector<output_pipes::lines>& all) {
  for (const auto& each : all) {
    not_printed_ += each.text.size();
    send(message(message_kind::output, output_note{each.stream, each.text}), 1);
  }
}

void worker::tell_of_ends() {
  while (!ended_.empty() && output_.taken_up_to(ended_.front().printed)) {
    const auto& [printed, note, handles] = ended_.front();
    auto told = message(message_kind::ended, note);
    if (handles.empty())
      send(told, note.number + 2, true);
    else
      actors().carry(std::move(told), handles, note.number + 2, true);
    ended_.pop_front();
  }
}

void worker::leave_when_done() {
  if (leave_signal::came() && !leaving_) {
    leaving_ = true;
    output_.say("troupe: " + name_ + " finishes what it has begun, and leaves "
                + lead_ + '\n');
    send(message(message_kind::leaving, true), 0);
  }
  if (leaving_ && !has_left_ && running_.empty() && ended_.empty()
      && not_printed_ == 0 && output_.taken_up_to(output_.written())) {
    has_left_ = true;
    // The lead closes the connection then.
    send(message(message_kind::left, true), 0, true);
  }
}

void worker::send(const bytes& message, std::uint64_t stream, bool behind_all) {
  to_->send({++tags_, stream, message, false, behind_all});
}

} // namespace

void work_for_lead(const options& said, const network::key& shared,
                   output_pipes output) {
  auto& here = *new worker{said, std::move(output)};
  here.join(shared);
  here.work();
}

} // namespace troupe::machines
