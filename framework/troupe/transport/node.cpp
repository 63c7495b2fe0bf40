// SPDX-License-Identifier: BSL-1.0
#include <troupe/transport/node.hpp>

#include <troupe/base/error.hpp>
#include <troupe/transport/caf_error.hpp>
#include <troupe/transport/node_name.hpp>
#include <troupe/transport/proxy.hpp>
#include <troupe/transport/type_table.hpp>

#include <caf/make_actor.hpp>

#include <array>
#include <atomic>

namespace troupe::transport {

namespace {

std::atomic<node*> the_node{nullptr};

using system_maker = caf::actor_system& (*) ();

constinit system_maker make_system = nullptr;
void (*hears_of_deaths)(memory::slot_id) = nullptr;

/// How long the end of a process may wait for readers of what it has sent.
constexpr std::chrono::seconds farewell{10};

} // namespace

node::node(caf::actor_system& system)
  : system_(system),
    self_(memory::run_memory::current().self()),
    name_(node_of(self_)),
    proxies_(system, *this),
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
                                caf::timespan{mailbox::patience::most}));
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
  const auto& table = type_table::current();
  hub_.start(mailbox::inbox::make(table.fingerprint(), table.names()));
}

void node::drain() const {
  const auto limit = deadline::after(farewell);
  for (const auto& each : peers())
    each->drain(limit);
}

void node::stop() {
  drain();
  the_node.store(nullptr, std::memory_order_release);
  hub_.stop();
  const auto reason = make_error(errc::invalid_state,
                                 "the actor system of this process ends");
  for (const auto& each : peers())
    each->fail(reason);
  proxies_.clear();
  // CAF's registry lets go of all that others may know under its own lock, which
  // an actor that nothing else holds wants for its end. One by one it does not.
  for (auto id = system_.latest_actor_id(); id != 0; --id)
    system_.registry().erase(id);
}

caf::strong_actor_ptr node::make_proxy(caf::node_id name, caf::actor_id actor) {
  const auto process = process_of(name);
  if (actor == 0 || !process || *process == self_)
    return nullptr;
  auto home = peer_of(*process);
  caf::actor_config config;
  auto made = caf::make_actor<proxy, caf::strong_actor_ptr>(actor, name,
                                                            &system_, config,
                                                            *this, home);
  if (!home->send_control(frame_kind::watch, {actor, 0, 0}))
    hub_.post([this, name, actor, reason = home->failure()] {
      proxies_.erase(name, actor, reason);
    });
  return made;
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
  if (process == self_)
    return system_.registry().get<caf::strong_actor_ptr>(actor);
  if (process.index >= memory::run_memory::current().header().slots)
    return nullptr;
  return proxies_.get_or_put(peer_of(process)->name(), actor);
}

void node::export_actor(const caf::strong_actor_ptr& actor) {
  // Actor ids are never used twice, so a thread need not enter one again.
  thread_local std::array<caf::actor_id, 256> entered{};
  auto& slot = entered[actor->aid % entered.size()];
  if (slot == actor->aid)
    return;
  system_.registry().put(actor->aid, actor);
  slot = actor->aid;
}

void node::give_up(peer& of, const caf::error& reason) {
  of.fail(reason);
  for (const auto& each : requests_.take_all(of.process()))
    if (const auto asker = each.asker.lock())
      fail_request(asker, caf::message_id{each.sent_id}, reason);
  // CAF also notes actors for which there is no proxy, as empty handles.
  for (const auto& each : proxies_.get_all(of.name()))
    if (each)
      proxies_.erase(of.name(), each->aid, reason);
  proxies_.erase(of.name());
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
