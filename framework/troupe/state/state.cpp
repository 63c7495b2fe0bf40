// SPDX-License-Identifier: BSL-1.0
#include <troupe/state/state.hpp>

#include <troupe/base/error.hpp>
#include <troupe/mailbox/message_queue.hpp>
#include <troupe/mailbox/notification.hpp>
#include <troupe/memory/run_memory.hpp>
#include <troupe/os/crash_point.hpp>
#include <troupe/process/signals.hpp>
#include <troupe/process/start.hpp>
#include <troupe/state/local_caller.hpp>
#include <troupe/state/object_ref.hpp>
#include <troupe/state/serve_state.hpp>

#include <chrono>

namespace troupe {

namespace {

using memory::reference;
using memory::run_memory;

/// Bytes of requests that may be unread before a client waits.
constexpr std::uint64_t window = 1 << 20;

/// How often whoever waits for the new process looks at it.
constexpr std::chrono::milliseconds look_again{1};

/// Starts a state's process and waits until it takes requests.
reference start_state(const std::string& name) {
  const auto requests = mailbox::message_queue::create({.window = window});
  const auto home = held::make_control_block(requests);
  auto clients = held::make_cell(home);
  start_options options;
  options.name = name;
  options.daemon = true;
  auto runner = start<&held::serve_state>(options,
                                          held::control_block_handle{home});
  const auto id = runner.view().id();
  auto& words = *held::as_control_block(home);
  words.process.store(id.packed(), std::memory_order_seq_cst);
  auto& memory = run_memory::current();
  // It belongs to the run and not to whoever has made it: had this process been
  // killed before, nobody would have a handle, and it is a daemon of this one.
  const memory::slot_id root{0, memory.slot(0).generation.load()};
  const auto ready = [&] {
    return words.ready.load() != 0 || !runner.is_alive();
  };
  while (!ready())
    mailbox::sleep_until_notified(memory.own_slot(), ready,
                                  deadline::after(look_again));
  if (words.ready.load() == 0) {
    hosting::require_no_interrupt("start a state");
    throw process_died("start a state", runner.join().description());
  }
  TROUPE_CRASH_POINT("state.start.ready");
  memory.slot(id.index).parent.store(root.packed());
  runner.detach();
  return clients;
}

} // namespace

state::state(const std::string& name) {
  auto cell = start_state(name);
  std::shared_ptr<held::caller> via
    = held::local_caller::of(held::as_cell(cell)->block);
  target_ = std::make_shared<root_target>(std::move(via), std::move(cell));
}

void state::root_target::save_as_handle(codec::encoder& to) const {
  if (cell_)
    return to.handle(cell_);
  if (auto* own = held::table::find(); own != nullptr && own->inside() == via())
    return to.handle(own->cell());
  throw invalid_argument("send a state to another process",
                         "it is a state of another program",
                         "let that process connect to it");
}

void state::save(codec::encoder& to) const {
  target()->save_as_handle(to);
}

state state::load(codec::decoder& from) {
  auto cell = from.handle(memory::object_kind::state);
  const auto* content = held::as_cell(cell);
  if (content == nullptr)
    from.refuse("a state", "the handle is none of a state's");
  if (const auto* own = held::table::find();
      own != nullptr && own->home().id() == content->block)
    return state{own->inside()};
  std::shared_ptr<held::caller> via = held::local_caller::of(content->block);
  return state{std::move(via), std::move(cell)};
}

process_view state::process() const {
  if (const auto* local = dynamic_cast<const held::local_caller*>(via().get()))
    return process_view{local->process()};
  if (held::table::find() != nullptr)
    return current_process();
  throw invalid_state("look at a state's process",
                      "it is a state of another program");
}

void state::end() const {
  const auto of = process();
  of.kill();
  of.join();
}

} // namespace troupe
