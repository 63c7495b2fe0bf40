// SPDX-License-Identifier: BSL-1.0
#include <troupe/state/serve_state.hpp>

#include <troupe/base/error.hpp>
#include <troupe/channel/items.hpp>
#include <troupe/channel/pipe_end.hpp>
#include <troupe/codec/codec.hpp>
#include <troupe/mailbox/notification.hpp>
#include <troupe/memory/run_memory.hpp>
#include <troupe/os/crash_point.hpp>
#include <troupe/os/tuning.hpp>
#include <troupe/process/process.hpp>
#include <troupe/process/table.hpp>
#include <troupe/state/local_wire.hpp>
#include <troupe/state/object_ref.hpp>
#include <troupe/state/route.hpp>
#include <troupe/state/table.hpp>
#include <troupe/state/wait_cycle.hpp>

#include <algorithm>
#include <cstring>
#include <unordered_map>
#include <utility>
#include <vector>

namespace troupe::held {

namespace {

using mailbox::message;
using mailbox::visit_result;
using memory::run_memory;

/// Messages that are taken out under one lock.
constexpr std::size_t at_once = 32;

/// A process that calls: the ends of the pipes through which it is answered.
struct local_client {
  std::unordered_map<std::uint32_t, channel::pipe_end> pipes;

  void send(std::uint32_t pipe, std::uint64_t call,
            codec::packet& answer) noexcept {
    const auto found = pipes.find(pipe);
    if (found == pipes.end())
      return;
    try {
      answer.overwrite(0, &call, sizeof call);
      if (found->second.out().put({answer.body(), answer.handles()},
                                  deadline::now())
          == mailbox::put_outcome::done) {
        answer.release_handles();
        return;
      }
    } catch (const error&) {
      // No memory for the answer: the end of the pipe says that none comes.
    }
    pipes.erase(found);
  }
};

class server {
public:
  explicit server(memory::reference home)
    : home_(*as_control_block(home)),
      box_(home_.requests()),
      table_(*new table{std::move(home)}) {
  }

  void run() {
    auto& spinner = mailbox::spinner::of_this_thread();
    spinner.allow_moving();
    auto& memory = run_memory::current();
    auto& slot = memory.own_slot();
    for (;;) {
      const auto deaths = memory.header().deaths.load();
      const bool some_died = deaths != deaths_seen_;
      const bool ended = home_.ended.load() != 0;
      const auto news = home_.news.load();
      // What the dead have asked for stands in the mailbox by now.
      take_messages(some_died || ended ? box_.size() : 1);
      if (some_died) {
        forget_dead();
        deaths_seen_ = deaths;
      }
      table_.collect();
      if (ended && !table_.is_wanted())
        break;
      const auto limit = table_.answer_late();
      const auto has_work = [&] {
        return box_.readable() || home_.news.load() != news
               || memory.header().deaths.load() != deaths;
      };
      // The next call of a client that has got its answer comes soon.
      static_cast<void>(
        os::spin(tuning::next_call, [this] { return box_.readable(); }));
      if (spinner.spin(has_work, limit))
        continue;
      const auto start = deadline::clock::now();
      box_.add_watcher(memory.self().index);
      memory::wait_note note{memory::wait_kind::request, &home_, limit};
      mailbox::sleep_until_notified(slot, has_work, limit, note);
      spinner.woken(start, slot.woken_from.load(std::memory_order_relaxed));
      box_.remove_watcher(memory.self().index);
    }
    clients_.clear();
    table_.end();
  }

private:
  class local_route;

  void take_messages(std::uint64_t least) {
    for (std::uint64_t taken = 0; taken < least;) {
      const auto before = taken;
      static_cast<void>(box_.take(
        [&](const message& shown) {
          ++taken;
          read(shown);
          return visit_result::taken;
        },
        at_once, deadline::now()));
      // Only now is the message taken whose handle the new pipe came by.
      for (const auto& [client, pipe] : std::exchange(opened_, {}))
        greet(client, pipe);
      if (taken == before)
        return;
    }
  }

  local_client& client_of(memory::slot_id writer) {
    if (last_ == nullptr || last_id_ != writer.packed()) {
      last_ = &clients_[writer.packed()];
      last_id_ = writer.packed();
    }
    return *last_;
  }

  void read(const message& shown);
  void open(const message& shown, std::uint32_t number) noexcept;
  void greet(client_id client, std::uint32_t pipe) noexcept;
  void forget_dead();

  control_block& home_;
  mailbox::message_queue& box_;
  table& table_;
  local_wire coding_{nullptr};
  std::unordered_map<client_id, local_client> clients_;
  /// Pipes whose clients wait to hear that they are open.
  std::vector<std::pair<client_id, std::uint32_t>> opened_;
  client_id last_id_ = 0;
  local_client* last_ = nullptr;
  std::uint32_t deaths_seen_ = 0;
};

class server::local_route final : public answer_route {
public:
  local_route(server& of, client_id client, const message_route& from) noexcept
    : of_(of),
      client_(client),
      pipe_(from.pipe),
      call_(from.number),
      nested_(from.what == message_route::nested_call) {
  }

  [[nodiscard]] client_id client() const noexcept override {
    return client_;
  }

  [[nodiscard]] std::uint64_t call() const noexcept override {
    return call_;
  }

  [[nodiscard]] bool is_alive() const noexcept override {
    return hosting::is_alive(client_);
  }

  [[nodiscard]] wire* coding() noexcept override {
    return &of_.coding_;
  }

  void send(codec::packet& answer) noexcept override {
    TROUPE_CRASH_POINT("state.serve.before_answer");
    if (nested_)
      wait_cycle_guard::answered(client_);
    if (const auto found = of_.clients_.find(client_);
        found != of_.clients_.end())
      found->second.send(pipe_, call_, answer);
    TROUPE_CRASH_POINT("state.serve.answered");
  }

  [[nodiscard]] std::unique_ptr<answer_route> keep() const override {
    return std::make_unique<local_route>(*this);
  }

private:
  server& of_;
  client_id client_;
  std::uint32_t pipe_;
  std::uint64_t call_;
  bool nested_;
};

void server::read(const message& shown) {
  message_route route{};
  if (shown.body.size() < sizeof route)
    return;
  std::memcpy(&route, shown.body.data(), sizeof route);
  const auto client = shown.writer.packed();
  // Others may be about to answer a call of this client that has waited.
  const std::scoped_lock guard{table_.mutex()};
  switch (route.what) {
    case message_route::call:
    case message_route::nested_call: {
      static_cast<void>(client_of(shown.writer));
      TROUPE_CRASH_POINT("state.serve.before_call");
      local_route answers{*this, client, route};
      table_.execute(shown.body, shown.handles, answers);
      return;
    }
    case message_route::open: return open(shown, route.pipe);
    case message_route::close:
      client_of(shown.writer).pipes.erase(route.pipe);
      break;
    case message_route::withdraw: table_.withdraw(client, route.number); break;
    default: break;
  }
}

void server::open(const message& shown, std::uint32_t number) noexcept {
  codec::decoder from{shown.body.subspan(sizeof(message_route)), shown.handles,
                      "a pipe"};
  try {
    auto end = channel::pipe_end::load(
      from, channel::fingerprint_of<answer_message>(), "a pipe of answers");
    client_of(shown.writer).pipes.insert_or_assign(number, std::move(end));
    opened_.emplace_back(shown.writer.packed(), number);
  } catch (const error&) {
    // Whoever sent this sees the end of the pipe.
  }
}

void server::greet(client_id client, std::uint32_t pipe) noexcept {
  const std::scoped_lock guard{table_.mutex()};
  codec::packet hello;
  codec::encode_into(hello, std::uint64_t{0});
  if (const auto found = clients_.find(client); found != clients_.end())
    found->second.send(pipe, 0, hello);
}

void server::forget_dead() {
  const std::scoped_lock guard{table_.mutex()};
  std::erase_if(clients_, [this](const auto& each) {
    if (hosting::is_alive(each.first))
      return false;
    table_.client_gone(each.first);
    return true;
  });
  table_.forget_dead([](client_id each) { return hosting::is_alive(each); });
  last_ = nullptr;
}

} // namespace

control_block_handle control_block_handle::load(codec::decoder& from) {
  auto home = from.handle(memory::object_kind::state);
  if (as_control_block(home) == nullptr)
    from.refuse("a handle of a state", "it names an object that is no state");
  return control_block_handle{std::move(home)};
}

void serve_state(const control_block_handle& home) {
  auto& of = *as_control_block(home.home());
  server self{home.home()};
  of.ready.store(1, std::memory_order_seq_cst);
  if (const auto parent = parent_process())
    if (auto* slot = run_memory::current().find(parent->id()))
      memory::notify(*slot);
  self.run();
}

} // namespace troupe::held
