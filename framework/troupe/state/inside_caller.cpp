// SPDX-License-Identifier: BSL-1.0
#include <troupe/state/inside_caller.hpp>

#include <troupe/base/error.hpp>
#include <troupe/base/wait_before.hpp>
#include <troupe/memory/run_memory.hpp>
#include <troupe/state/local_target.hpp>
#include <troupe/state/table.hpp>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <utility>

namespace troupe::held {

namespace {

/// Where an answer inside of the process is put.
struct mailslot {
  std::mutex mutex;
  std::condition_variable filled;
  codec::packet answer;
  bool done = false;
  /// Threads that wait for it beside other things.
  unsigned watching = 0;
};

std::uint64_t next_call() noexcept {
  // seq_cst, and relaxed would do: each number is given once, and that is all.
  static std::atomic<std::uint64_t> last{0};
  // Not one of the numbers that the client itself gives.
  return ++last | 1ULL << 63;
}

client_id this_process() {
  return memory::run_memory::current().self().packed();
}

class inside_route final : public answer_route {
public:
  inside_route(std::shared_ptr<mailslot> into, wire* coding, std::uint64_t call,
               client_id client) noexcept
    : into_(std::move(into)), coding_(coding), call_(call), client_(client) {
  }

  [[nodiscard]] client_id client() const noexcept override {
    return client_;
  }

  [[nodiscard]] std::uint64_t call() const noexcept override {
    return call_;
  }

  [[nodiscard]] wire* coding() noexcept override {
    return coding_;
  }

  void send(codec::packet& answer) noexcept override {
    const std::scoped_lock guard{into_->mutex};
    std::swap(into_->answer, answer);
    into_->done = true;
    into_->filled.notify_all();
    if (into_->watching > 0)
      memory::notify(memory::run_memory::current().own_slot());
  }

  [[nodiscard]] std::unique_ptr<answer_route> keep() const override {
    return std::make_unique<inside_route>(*this);
  }

private:
  std::shared_ptr<mailslot> into_;
  wire* coding_;
  std::uint64_t call_;
  client_id client_;
};

class inside_pending final : public pending {
public:
  inside_pending(table& of, std::shared_ptr<mailslot> from, std::uint64_t call,
                 client_id client) noexcept
    : of_(of), from_(std::move(from)), call_(call), client_(client) {
  }

  ~inside_pending() override {
    if (!is_done())
      of_.withdraw(client_, call_);
  }

  bool wait(deadline limit) override {
    std::unique_lock guard{from_->mutex};
    if (from_->done)
      return true;
    if (table::is_running_here())
      throw would_deadlock("call a held object from within its state",
                           "the call has to wait, and the state would with it",
                           "use a try_ form, or call from another process");
    const auto done = [this] { return from_->done; };
    return wait_before(from_->filled, guard, limit, done);
  }

  [[nodiscard]] bool poll() override {
    return is_done();
  }

  void watch() override {
    if (table::is_running_here())
      throw would_deadlock("wait for a held object from within its state",
                           "what it waits for would wait for this call",
                           "ask with all_ready, or wait in another process");
    const std::scoped_lock guard{from_->mutex};
    ++from_->watching;
  }

  void unwatch() noexcept override {
    const std::scoped_lock guard{from_->mutex};
    --from_->watching;
  }

  void take(answer_reader& reader) override {
    static_cast<void>(wait(deadline::never()));
    const auto answer = std::move(from_->answer);
    reader.read(answer.body().subspan(answer_room), answer.handles());
  }

private:
  [[nodiscard]] bool is_done() const {
    const std::scoped_lock guard{from_->mutex};
    return from_->done;
  }

  table& of_;
  std::shared_ptr<mailslot> from_;
  std::uint64_t call_;
  client_id client_;
};

} // namespace

std::unique_ptr<pending> inside_caller::send(codec::packet& request) {
  auto into = std::make_shared<mailslot>();
  const auto call = next_call();
  // Whoever calls from within a call does so in that client's name.
  const auto client = table::is_running_here() ? of_.calling() : this_process();
  inside_route route{into, this, call, client};
  of_.execute(std::move(request), route);
  return std::make_unique<inside_pending>(of_, std::move(into), call, client);
}

void inside_caller::call(codec::packet& request, answer_reader& reader) {
  std::unique_ptr<pending> waiting;
  {
    const std::scoped_lock guard{of_.mutex()};
    // What the answer names lives until it is read.
    const table::open_scope open{of_};
    waiting = send(request);
    if (table::is_running_here() || waiting->wait(deadline::now()))
      return waiting->take(reader);
  }
  waiting->take(reader);
}

void inside_caller::save(codec::encoder& to, const target& object) {
  const bool ours = object.via().get() == this;
  to.save(ours);
  if (ours)
    to.save(object.number());
  else
    object.save_as_handle(to);
}

std::shared_ptr<target> inside_caller::load(codec::decoder& from) {
  return from.load<bool>() ? of_.target_of(from.load<object_number>())
                           : load_handle(from);
}

} // namespace troupe::held
