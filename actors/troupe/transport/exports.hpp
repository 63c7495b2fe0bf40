// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/memory/process_slot.hpp>

#include <caf/actor_control_block.hpp>
#include <caf/error.hpp>
#include <caf/fwd.hpp>

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

namespace troupe::transport {

class actor_ends;

/// The actors of this process of which other processes have, or have had,
/// handles: who holds each of them, and who wants to hear of its end.
///
/// An actor that some process holds, that a message on its way carries, or that
/// is to be kept, stands in CAF's registry, which keeps it alive. When the last
/// of these is gone it is taken out: then it ends as any actor of CAF does to
/// which nobody refers, with `exit_reason::unreachable`, as soon as nobody in
/// this process refers to it either. docs/design/transport.md argues that this
/// never happens too early.
///
/// All functions may be called from any thread, with no lock of an actor, of a
/// peer or of CAF's held that the end of an actor may want; `hold` with a
/// peer's.
class exports : public std::enable_shared_from_this<exports> {
public:
  /// Ends the share that this process has in an actor, where it may run the
  /// actor's destructor.
  using releaser = std::function<void(caf::strong_actor_ptr)>;

  /// Tells a process, by its packed slot_id, that an actor has ended.
  using teller = std::function<void(std::uint64_t process, caf::actor_id actor,
                                    const caf::error& why)>;

  /// The reasons of ends are noted in `ends`.
  exports(caf::actor_system& system, releaser release, teller tell,
          std::shared_ptr<actor_ends> ends);

  /// Makes an actor of this process known. False where it has ended.
  bool note(const caf::strong_actor_ptr& actor);

  /// Nobody in this process refers to the actor any more, which stands for one
  /// elsewhere: it is unknown from now on. False where it was, or where some
  /// process wants to hear of its end.
  bool forget(caf::actor_id actor);

  /// Returns an actor that is known, and lives; else an empty handle.
  [[nodiscard]] caf::strong_actor_ptr find(caf::actor_id actor) const;

  /// `process` holds the actor now, and will be told of its end. False where
  /// there is no such actor.
  bool hold(memory::slot_id process, caf::actor_id actor);

  /// `process` holds the actor no more. If it `watches` it is told of its end
  /// all the same. The actor is not let go of yet, but doubtful.
  void release(memory::slot_id process, caf::actor_id actor, bool watches);

  /// Actors that a process has let go of since the last call. What others have
  /// said of them before is to be read, and then to be looked at again.
  [[nodiscard]] std::vector<caf::actor_id> take_doubtful();
  [[nodiscard]] bool has_doubtful() const noexcept {
    return has_doubtful_.load(std::memory_order_relaxed);
  }

  /// Whether `process` holds an actor, or wants to hear of its end.
  [[nodiscard]] bool knows(memory::slot_id process) const;

  /// Nobody in `process` holds anything any more.
  void process_gone(memory::slot_id process);

  /// A message carries the actor's handle, until `unlend`. False where there is
  /// no such actor.
  bool lend(caf::actor_id actor);
  void unlend(caf::actor_id actor);

  /// From now on the actor ends by itself, or with its process.
  void keep(const caf::strong_actor_ptr& actor);

  /// Called for an actor that would be let go: true if a share of it lives.
  void shared_by(std::function<bool(caf::actor_id)> is_shared);

  /// A share of the actor was made here.
  void shared(caf::actor_id actor);

  /// A share of the actor has ended, or it is doubtful: lets go of it unless
  /// somebody outside refers to it.
  void look_again(caf::actor_id actor);

  /// A name leads to the actor. The caller holds it.
  void named(caf::actor_id actor);

  /// Looks again whether somebody still refers to each actor that a name keeps.
  void names_changed();

  /// Called for an actor that would be let go: true if a name leads to it.
  void named_by(std::function<bool(caf::actor_id)> is_named);

  /// Actors that are known, and processes that hold or watch each of them, all
  /// together. For tests and diagnostics.
  [[nodiscard]] std::size_t size() const;
  [[nodiscard]] std::size_t holders() const;

private:
  struct holder {
    std::uint64_t process = 0;
    bool holds = false;
    bool watches = false;
  };

  struct entry {
    caf::weak_actor_ptr actor;
    std::vector<holder> holders;
    /// Messages on their way that carry it.
    std::uint64_t lent = 0;
    bool kept = false;
    /// A name leads to it; it is asked again when names change.
    bool named = false;
    /// It stands in CAF's registry.
    bool entered = false;
  };

  using lock = std::unique_lock<std::mutex>;

  void enter(entry& which);
  void leave_unless_needed(lock& held, caf::actor_id actor);
  void ended(caf::actor_id actor, const caf::error& why);

  caf::actor_system& system_;
  releaser release_;
  teller tell_;
  std::shared_ptr<actor_ends> ends_;
  std::function<bool(caf::actor_id)> is_named_;
  std::function<bool(caf::actor_id)> is_shared_;
  mutable std::mutex mutex_;
  std::unordered_map<caf::actor_id, entry> entries_;
  std::vector<caf::actor_id> doubtful_;
  // Changed under the mutex, which orders `doubtful_`; read relaxed as a hint.
  std::atomic<bool> has_doubtful_{false};
};

} // namespace troupe::transport
