// SPDX-License-Identifier: BSL-1.0
#include <troupe/machines/remote_call.hpp>

#include <troupe/base/error.hpp>
#include <troupe/base/wait_before.hpp>
#include <troupe/machines/gateway.hpp>
#include <troupe/machines/lead.hpp>
#include <troupe/machines/machine.hpp>
#include <troupe/memory/process_slot.hpp>
#include <troupe/memory/run_memory.hpp>
#include <troupe/network/limits.hpp>
#include <troupe/os/held_threads.hpp>
#include <troupe/process/remote_error.hpp>
#include <troupe/runtime/actor_system.hpp>

#include <csignal>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

namespace troupe::machines {

namespace {

constexpr std::size_t longest_process_name = 255;

/// How the process ended. It stood in a slot of its own run, and a status is
/// read from one.
exit_status status_of(const ended_note& how) {
  const auto slot = std::make_unique<memory::process_slot>();
  slot->ended_by.store(how.ending);
  slot->code.store(how.code);
  slot->exception_type.set(how.type);
  slot->exception_text.set(how.text);
  std::vector<exception_cause> causes;
  for (const auto& [type, text] : how.causes)
    causes.push_back({type, text});
  slot->inner_exceptions.set(
    calls::pack(causes, decltype(slot->inner_exceptions)::capacity));
  const auto lines = std::string_view{how.last_lines}.substr(0,
                                                             slot->tail.size());
  for (std::size_t i = 0; i < lines.size(); ++i)
    slot->tail[i].store(lines[i]);
  slot->tail_written.store(lines.size());
  return exit_status{*slot};
}

/// Why there was no process.
[[noreturn]] void raise_refused(const std::string& machine,
                                const ended_note& how) {
  const auto attempted = "start a process on machine " + machine;
  switch (static_cast<errc>(how.code)) {
    case errc::cancelled:
      throw cancelled(attempted, how.text,
                      "take another of machines::list(), or wait for one");
    case errc::limit_reached: throw limit_reached(attempted, how.text);
    case errc::invalid_argument: throw invalid_argument(attempted, how.text);
    default: throw invalid_state(attempted, how.text);
  }
}

} // namespace

void remote_call::end(ended_note how, placed_actors actors,
                      std::uint64_t lines_before) {
  {
    const std::scoped_lock guard{mutex_};
    if (ended_ || lost_)
      return;
    ended_ = std::move(how);
    actors_ = std::move(actors);
    lines_before_ = lines_before;
  }
  tell();
}

void remote_call::lose(std::string why) {
  {
    const std::scoped_lock guard{mutex_};
    if (ended_ || lost_)
      return;
    lost_ = std::move(why);
  }
  tell();
}

void remote_call::tell() {
  std::function<void(call_outcome)> to;
  call_outcome outcome;
  {
    const std::scoped_lock guard{mutex_};
    changed_.notify_all();
    if (watching_ > 0)
      memory::notify(memory::run_memory::current().own_slot());
    to = std::exchange(tell_, nullptr);
    if (to && ended_)
      outcome = {std::move(ended_), std::move(actors_), {}};
    else if (to)
      outcome.lost = *lost_;
  }
  if (to)
    to(std::move(outcome));
}

void remote_call::tell_outcome(std::function<void(call_outcome)> tell_it) {
  {
    const std::scoped_lock guard{mutex_};
    tell_ = std::move(tell_it);
    if (!ended_ && !lost_)
      return;
  }
  tell();
}

bool remote_call::is_done() {
  std::uint64_t lines = 0;
  {
    const std::scoped_lock guard{mutex_};
    if (!ended_ && !lost_)
      return false;
    lines = lines_before_;
  }
  auto* const of = lead::current();
  return of == nullptr || of->lines().is_written(lines);
}

void remote_call::watch() {
  {
    const std::scoped_lock guard{mutex_};
    ++watching_;
  }
  if (auto* const of = lead::current())
    of->lines().watch();
}

void remote_call::unwatch() noexcept {
  {
    const std::scoped_lock guard{mutex_};
    --watching_;
  }
  if (auto* const of = lead::current())
    of->lines().unwatch();
}

bool remote_call::wait(deadline limit) {
  std::uint64_t lines = 0;
  {
    std::unique_lock guard{mutex_};
    const auto done = [this] { return ended_ || lost_; };
    if (!wait_before(changed_, guard, limit, done))
      return false;
    lines = lines_before_;
  }
  os::stay_if_held();
  auto* const of = lead::current();
  return of == nullptr || of->lines().wait(lines, limit);
}

call_result remote_call::take() {
  static_cast<void>(wait(deadline::never()));
  const std::scoped_lock guard{mutex_};
  if (!ended_ || ended_->became != ended_note::how::returned)
    raise();
  call_result taken{std::move(ended_->result), std::move(actors_)};
  if (!taken.actors.empty())
    write_handles(taken.content, taken.actors);
  return taken;
}

void remote_call::raise() {
  if (!ended_)
    throw machine_lost("get the result of a process on machine " + machine_,
                       "the machine is lost: " + *lost_,
                       "the function may have run, in part or as a whole");
  if (ended_->became == ended_note::how::refused)
    raise_refused(machine_, *ended_);
  const auto name = ended_->process + " on machine " + machine_;
  const auto pid = ended_->pid;
  hosting::raise(remote_error{name, pid, status_of(*ended_)});
}

std::shared_ptr<wait_condition> when_done(std::shared_ptr<remote_call> of) {
  class condition final : public wait_condition {
  public:
    explicit condition(std::shared_ptr<remote_call> what) noexcept
      : of_(std::move(what)) {
    }
    [[nodiscard]] bool ready() override {
      return of_->is_done();
    }
    void watch() override {
      of_->watch();
    }
    void unwatch() noexcept override {
      of_->unwatch();
    }

  private:
    std::shared_ptr<remote_call> of_;
  };
  return std::make_shared<condition>(std::move(of));
}

called_result run_called_function(const called_function& what) {
  const auto& function = called_entry::at({what.module, what.offset},
                                          "run a function for another machine",
                                          what.library);
  const auto result = function(calls::arguments{bytes_view{what.arguments}});
  if (!result.content.handles().empty())
    throw invalid_argument("send a result to another machine",
                           "it names memory of this one",
                           "return a copy, such as a std::vector");
  const auto content = result.content.body();
  return {{content.begin(), content.end()},
          places_of(result.actors),
          actors_of(result.actors)};
}

namespace {

/// What has another machine call a function of this program. Throws
/// `invalid_argument`, `limit_reached`.
template <class Order, class Entry>
Order order_of(const Entry& function, const packed& arguments,
               const std::string& attempted) {
  if (!arguments.content.handles().empty())
    throw invalid_argument(attempted,
                           "an argument names memory of this machine",
                           "pass a copy, such as a std::vector");
  const auto body = arguments.content.body();
  // Half of what a message may have: the order is copied once more there.
  if (body.size() > network::longest_content / 2)
    throw limit_reached(attempted, "the arguments have more than 512 MiB",
                        "send them in parts");
  const auto& location = function.location();
  Order what;
  what.module = location.module;
  what.offset = location.offset;
  if (location.is_in_library())
    what.library = function.library();
  what.arguments.assign(body.begin(), body.end());
  return what;
}

} // namespace

std::shared_ptr<remote_call>
call_on(known_machine& where, const called_entry& function,
        const packed& arguments, const start_options& options) {
  const auto attempted = "start a process on machine " + where.name();
  auto what = order_of<start_order>(function, arguments, attempted);
  if (options.name.size() > longest_process_name
      || options.name.find('\0') != std::string::npos)
    throw invalid_argument(attempted,
                           "the process's name has "
                             + std::to_string(options.name.size())
                             + " bytes, or one that is zero",
                           "at most 255 are kept: shorten it");
  what.name = options.name;
  if (options.method)
    what.method = static_cast<std::uint32_t>(*options.method) + 1;
  return where.start(std::move(what), arguments.actors);
}

caf::strong_actor_ptr spawn_on(known_machine& where,
                               const runtime::recipe_entry& recipe,
                               const packed& arguments) {
  const auto attempted = "make an actor on machine " + where.name();
  return runtime::awaited(where.spawn(
    order_of<spawn_order>(recipe, arguments, attempted), arguments.actors));
}

remote_call& handle::call() const {
  if (!of_)
    throw invalid_state("use the result of a process on another machine",
                        "there is none",
                        "it was got, or the future was moved from");
  return *of_;
}

handle& handle::operator=(handle&& other) noexcept {
  if (this != &other) {
    handle before{std::move(*this)};
    on_ = std::move(other.on_);
    of_ = std::move(other.of_);
  }
  return *this;
}

handle::~handle() {
  if (of_)
    static_cast<void>(of_->wait(deadline::never()));
}

call_result handle::take() {
  static_cast<void>(call());
  const auto taken = std::exchange(of_, nullptr);
  return taken->take();
}

bool handle::wait(deadline limit) const {
  return call().wait(limit);
}

std::shared_ptr<wait_condition> handle::when_done() const {
  return of_ ? machines::when_done(of_) : nullptr;
}

void handle::signal(int number) const {
  on_->signal(call(), number);
}

void handle::terminate() const {
  signal(SIGTERM);
}

void handle::kill() const {
  signal(SIGKILL);
}

} // namespace troupe::machines
