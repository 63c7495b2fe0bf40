// SPDX-License-Identifier: BSL-1.0
#include <troupe/transport/node.hpp>

#include <troupe/base/error.hpp>
#include <troupe/os/tuning.hpp>
#include <troupe/transport/byte_writer.hpp>
#include <troupe/transport/caf_error.hpp>
#include <troupe/transport/node_name.hpp>
#include <troupe/transport/proxy.hpp>
#include <troupe/transport/type_table.hpp>

#include <caf/make_actor.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>
#include <utility>

namespace troupe::transport {

namespace {

// seq_cst exchange in `start`, of which one wins; acquire in `current`, release
// in `stop`.
std::atomic<node*> the_node{nullptr};

using system_maker = caf::actor_system& (*) ();

constinit system_maker make_system = nullptr;
void (*hears_of_deaths)(memory::slot_id) = nullptr;
bool (*knows_names)(caf::actor_id) = nullptr;

/// How long the end of a process may wait for readers of what it has sent.
constexpr std::chrono::seconds drain_limit{10};

std::vector<std::byte> written(caf::node_id name) {
  std::vector<std::byte> result;
  byte_writer sink{nullptr, result, 0};
  static_cast<void>(sink.apply(name));
  result.resize(sink.written());
  return result;
}

} // namespace

node::node(caf::actor_system& system)
  : system_(system),
    self_(memory::run_memory::current().self()),
    name_(node_of(self_)),
    written_name_(written(name_)),
    proxies_(system, *this),
    exports_(std::make_shared<exports>(
      system,
      [this](caf::strong_actor_ptr share) { hub_.release(std::move(share)); },
      [this](std::uint64_t process, caf::actor_id actor,
             const caf::error& why) {
        peer_of(memory::slot_id::unpacked(process))->send_down(actor, why);
      },
      ends_)),
    imports_(*this),
    requests_(self_),
    hub_(*this) {
}

node::~node() = default;

node* node::current() noexcept {
  return the_node.load(std::memory_order_acquire);
}

node& node::require() {
  if (auto* found = current())
    return *found;
  if (make_system != nullptr) {
    static_cast<void>(make_system());
    if (auto* made = current())
      return *made;
  }
  throw invalid_state("use an actor", "this process has no actor system",
                      "use troupe::actor_system(), before the process ends");
}

bool node::tell_of_deaths(void (*hear)(memory::slot_id)) noexcept {
  hears_of_deaths = hear;
  return true;
}

bool node::ask_for_names(bool (*is_named)(caf::actor_id)) noexcept {
  knows_names = is_named;
  return true;
}

void node::name_taken(memory::slot_id process, caf::actor_id actor) {
  if (process == self_)
    return exports_->names_changed();
  if (const auto* slot = memory::run_memory::current().find(process);
      slot != nullptr)
    peer_of(process)->send_control(frame_kind::unnamed, {actor, 0, 0});
}

bool node::made_by(caf::actor_system& (*maker)()) noexcept {
  make_system = maker;
  return true;
}

version::system_module* node::make(caf::actor_system& system,
                                   version::no_backends) {
  return new node(system);
}

void node::init(caf::actor_system_config& config) {
  hub_.spin_at_most(caf::get_or(config, "troupe.longest-spin",
                                caf::timespan{tuning::longest_spin}));
  // Before any actor exists: without it CAF takes every actor for local.
  version::set_node(system_, name_);
  type_table::current().close();
}

void node::start() {
  node* nobody = nullptr;
  if (!the_node.compare_exchange_strong(nobody, this))
    throw invalid_state("make an actor system for Troupe",
                        "this process has one already",
                        "use troupe::actor_system()");
  exports_->shared_by(
    [this](caf::actor_id actor) { return shares_.any_of(actor); });
  if (knows_names != nullptr)
    exports_->named_by(knows_names);
  const auto& table = type_table::current();
  hub_.start(mailbox::inbox::make(table.fingerprint(), table.names()));
}

void node::drain() const {
  ends_->leave();
  const auto limit = deadline::after(drain_limit);
  for (const auto& each : peers())
    each->drain(limit);
}

void node::stop() {
  drain();
  the_node.store(nullptr, std::memory_order_release);
  hub_.stop();
  // Once more: the hub may have been at the end of an actor. What ends below
  // ends with the process.
  ends_->leave();
  const auto reason = make_error(errc::invalid_state,
                                 "the actor system of this process ends");
  for (const auto& each : peers())
    each->fail(reason);
  proxies_.clear();
  imports_.end_all(caf::exit_reason::remote_link_unreachable);
  // CAF's registry lets go of all that others may know under its own lock,
  // which an actor that nothing else holds wants for its end. One by one it
  // does not.
  for (auto id = system_.latest_actor_id(); id != 0; --id)
    system_.registry().erase(id);
}

caf::strong_actor_ptr node::make_proxy(caf::node_id name, caf::actor_id actor) {
  if (actor == 0)
    return nullptr;
  const auto process = process_of(name);
  if (!process || *process == self_) {
    // Of another machine, or of none: nobody can be asked.
    auto made = make_ended(name, actor);
    hub_.post([this, name, actor] {
      proxies_.erase(name, actor,
                     make_error(errc::stale_handle,
                                "the actor lives outside of this run"));
    });
    return made;
  }
  return imports_.obtain({*process, actor}, imports::origin::elsewhere);
}

void node::handles_read(const std::vector<actor_name>& actors) {
  for (const auto& each : actors)
    if (each.process != self_)
      proxies_.erase(node_of(each.process), each.actor, caf::error{});
}

caf::strong_actor_ptr node::make_ended(const caf::node_id& home,
                                       caf::actor_id actor) {
  caf::actor_config config;
  return caf::make_actor<ended_actor, caf::strong_actor_ptr>(actor, home,
                                                             &system_, config);
}

caf::strong_actor_ptr node::make_stand_in(caf::actor_id actor) {
  return make_ended(name_, actor);
}

void node::end_stand_in(const caf::strong_actor_ptr& one) {
  auto reason = ends_->reason_of(one->aid).value_or(
    make_error(errc::stale_handle, "there is no such actor, or it has ended "
                                   "long ago"));
  static_cast<ended_actor*>(one->get())->kill_proxy(nullptr, std::move(reason));
}

caf::error node::reason_in(memory::slot_id process, caf::actor_id actor,
                           const caf::error& death) {
  const auto left = actor_ends::left_by(system_, process);
  const auto found = left.find(actor);
  return found == left.end() ? death : found->second;
}

std::shared_ptr<peer> node::peer_of(memory::slot_id process) {
  const std::scoped_lock held{mutex_};
  auto& found = peers_[process.packed()];
  if (!found) {
    found = std::make_shared<peer>(*this, process);
    // It may be dead already, and nobody would tell.
    hub_.look_again_for_deaths();
  }
  return found;
}

bool node::has_peer(memory::slot_id process) const {
  const std::scoped_lock held{mutex_};
  return peers_.contains(process.packed());
}

std::vector<std::shared_ptr<peer>> node::peers() const {
  const std::scoped_lock held{mutex_};
  std::vector<std::shared_ptr<peer>> result;
  result.reserve(peers_.size());
  for (const auto& [id, each] : peers_)
    result.push_back(each);
  return result;
}

caf::strong_actor_ptr node::actor_in(memory::slot_id process,
                                     caf::actor_id actor) {
  auto found = living_actor_in(process, actor);
  if (found || process != self_ || actor == 0)
    return found;
  found = make_stand_in(actor);
  end_stand_in(found);
  return found;
}

caf::strong_actor_ptr node::living_actor_in(memory::slot_id process,
                                            caf::actor_id actor) {
  if (process == self_)
    return local(actor);
  if (process.index >= memory::run_memory::current().header().slots)
    return nullptr;
  return imports_.obtain({process, actor}, imports::origin::elsewhere);
}

caf::strong_actor_ptr node::local(caf::actor_id actor) const {
  if (auto known = exports_->find(actor))
    return known;
  return system_.registry().get<caf::strong_actor_ptr>(actor);
}

void node::keep(const caf::strong_actor_ptr& actor) {
  if (is_local(actor))
    return exports_->keep(actor);
  if (const auto home = process_of(actor->nid))
    peer_of(*home)->send_control(frame_kind::kept, {actor->aid, 0, 0});
}

namespace {

/// The actor that this thread has entered last, of those with that remainder.
/// Actor ids are never used twice, so a thread need not enter one again.
caf::actor_id& entered_like(caf::actor_id actor) noexcept {
  thread_local std::array<caf::actor_id, 256> entered{};
  return entered[actor % entered.size()];
}

} // namespace

void node::export_actor(const caf::strong_actor_ptr& actor) {
  if (std::exchange(entered_like(actor->aid), actor->aid) == actor->aid)
    return;
  static_cast<void>(exports_->note(actor));
}

memory::reference node::share_of(const caf::strong_actor_ptr& actor) {
  const auto home = process_of(actor->nid);
  if (!home)
    return {};
  try {
    // What is not known cannot be found, nor let go of.
    if (*home == self_)
      static_cast<void>(exports_->note(actor));
    auto made = shares::make({*home, actor->aid});
    if (made) {
      if (*home == self_)
        exports_->shared(actor->aid);
      return made;
    }
  } catch (const limit_reached&) {
    // Kept instead, below.
  }
  keep(actor);
  return {};
}

std::optional<caf::actor_id>
node::is_handle_of_own(bytes_view written) const noexcept {
  caf::actor_id actor = 0;
  if (written.size() != sizeof actor + written_name_.size())
    return std::nullopt;
  std::memcpy(&actor, written.data(), sizeof actor);
  if (actor == 0
      || !std::ranges::equal(written.subspan(sizeof actor), written_name_))
    return std::nullopt;
  return actor;
}

void node::give_up(peer& of, const caf::error& reason) {
  const auto left = actor_ends::left_by(system_, of.process());
  of.fail(reason, left);
  const auto outcome = requests_.take_all(of.process(), reason, left);
  fail_requests(outcome.requests);
  // Whether what the dead has passed on has arrived, its reader knows.
  for (const auto& each : outcome.to_ask)
    static_cast<void>(peer_of(each)->send_control(
      frame_kind::settle, {of.process().packed(), 0, 0}));
  imports_.process_ended(of.process(), [&](caf::actor_id actor) {
    const auto found = left.find(actor);
    return found == left.end() ? reason : found->second;
  });
}

void node::fail_requests(const std::vector<open_requests::lost>& requests) {
  for (const auto& each : requests)
    if (const auto asker = each.asker.lock())
      fail_request(asker, caf::message_id{each.sent_id}, each.reason);
}

void node::forget(memory::slot_id process) {
  {
    const std::scoped_lock held{mutex_};
    peers_.erase(process.packed());
  }
  if (hears_of_deaths != nullptr)
    hears_of_deaths(process);
}

void node::fail_request(const caf::strong_actor_ptr& asker, caf::message_id id,
                        const caf::error& reason) {
  asker->enqueue(version::make_element(nullptr, id.response_id(), {},
                                       caf::make_message(reason)),
                 nullptr);
}

} // namespace troupe::transport
