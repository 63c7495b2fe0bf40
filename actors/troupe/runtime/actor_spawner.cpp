// SPDX-License-Identifier: BSL-1.0
#include <troupe/runtime/actor_spawner.hpp>

#include <troupe/base/error.hpp>
#include <troupe/calls/entry.hpp>
#include <troupe/codec/parcel.hpp>
#include <troupe/memory/process_slot.hpp>
#include <troupe/process/process.hpp>
#include <troupe/process/signals.hpp>
#include <troupe/runtime/actor_factory.hpp>
#include <troupe/runtime/actor_system.hpp>
#include <troupe/runtime/service_actor.hpp>
#include <troupe/transport/caf_error.hpp>
#include <troupe/transport/handle_coding.hpp>
#include <troupe/transport/node.hpp>

#include <caf/actor_registry.hpp>
#include <caf/after.hpp>
#include <caf/blocking_actor.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>

#include <utility>
#include <vector>

namespace troupe::runtime {

namespace {

/// How often a host whose actors have ended looks whether their children
/// have, too.
constexpr std::chrono::milliseconds look_again{10};

/// How long actors that are told to end may take.
constexpr std::chrono::seconds grace{2};

/// Makes the actor that was asked for. Throws `error`.
caf::strong_actor_ptr make_actor(os::code_location where,
                                 memory::object_id arguments) {
  auto content = codec::parcel::open(arguments);
  return recipe_entry::at(where, "make an actor")(
    calls::arguments{std::move(content)});
}

/// The spawner: receives until the host has to end.
class actor_spawner {
public:
  actor_spawner(caf::actor_system& system, host_life life)
    : system_(system),
      self_(system),
      life_(life),
      idle_(system.registry().running()) {
  }

  [[nodiscard]] caf::strong_actor_ptr handle() const {
    return caf::actor_cast<caf::strong_actor_ptr>(self_.ptr());
  }

  void run() {
    while (!told_ && !finished())
      if (actors_.empty() && asked_)
        receive(caf::after(std::chrono::nanoseconds{look_again}) >> [] {});
      else
        // Without a limit a look at the run can tell that it waits for others.
        receive();
    // It ends by itself now, and writes what its actors have printed. The end
    // of its parent must not come before. Who has told a host to end waits for
    // it.
    if (!told_)
      hosting::let_end_by_itself();
    let_all_end();
    for (const auto& each : actors_)
      if (const auto actor = caf::actor_cast<caf::strong_actor_ptr>(each))
        caf::anon_send_exit(caf::actor_cast<caf::actor>(actor),
                            caf::exit_reason::user_shutdown);
    const auto limit = deadline::after(grace);
    while (!actors_.empty() && !limit.passed())
      receive(caf::after(std::chrono::nanoseconds{look_again}) >> [] {});
  }

private:
  [[nodiscard]] bool finished() {
    if (life_ != host_life::until_idle || !asked_ || !actors_.empty()
        || system_.registry().running() > idle_)
      return false;
    // The process leaves the reasons of their ends: they have to be noted
    // first.
    auto& ends = transport::node::require().ends();
    std::erase_if(ended_, [&](caf::actor_id each) {
      return ends.reason_of(each).has_value();
    });
    return ended_.empty();
  }

  caf::result<caf::strong_actor_ptr> make(os::code_location where,
                                          memory::object_id arguments) {
    try {
      auto actor = make_actor(where, arguments);
      asked_ = true;
      self_->monitor(caf::actor_cast<caf::actor>(actor));
      actors_.push_back(caf::actor_cast<caf::actor_addr>(actor));
      return actor;
    } catch (const failed_start& failure) {
      return failure.why;
    } catch (const error& failure) {
      return transport::to_caf(failure);
    } catch (...) {
      return transport::exception_being_handled();
    }
  }

  /// `more` is CAF's handler of a timeout, if there is a limit.
  template <class... Ts>
  void receive(Ts... more) {
    self_->receive(
      [this](caf::spawn_atom, std::uint64_t module, std::uint64_t offset,
             std::uint64_t arguments) {
        return make({module, offset}, arguments);
      },
      [this](const caf::down_msg& down) {
        if (life_ == host_life::until_idle)
          ended_.push_back(down.source.id());
        std::erase(actors_, down.source);
      },
      [this](caf::close_atom) { told_ = true; }, std::move(more)...);
  }

  caf::actor_system& system_;
  caf::scoped_actor self_;
  host_life life_;
  /// CAF's count of actors when there are none but ours.
  std::size_t idle_;
  /// Addresses, which keep no actor alive.
  std::vector<caf::actor_addr> actors_;
  std::vector<caf::actor_id> ended_;
  bool asked_ = false;
  bool told_ = false;
};

} // namespace

void keep_host(const host_announcement& announcement, host_life life) {
  actor_spawner self{actor_system(), life};
  transport::node::require().keep(self.handle());
  announcement.announce(self.handle()->aid);
  if (const auto parent = parent_process())
    if (auto* slot = memory::run_memory::current().find(parent->id()))
      memory::notify(*slot);
  self.run();
}

} // namespace troupe::runtime
