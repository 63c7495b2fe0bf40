// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/base/deadline.hpp>
#include <troupe/codec/packet.hpp>
#include <troupe/memory/reference.hpp>
#include <troupe/state/call.hpp>
#include <troupe/state/call_context.hpp>
#include <troupe/state/object.hpp>
#include <troupe/state/operation.hpp>
#include <troupe/state/target.hpp>

#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <unordered_set>
#include <vector>

namespace troupe::held {

/// Where an answer goes. Lives as long as the call that it is for, on the
/// stack; a call that waits keeps a copy.
class answer_route {
public:
  virtual ~answer_route() = default;

  [[nodiscard]] virtual client_id client() const noexcept = 0;

  /// Which call of that client, so that it can be withdrawn.
  [[nodiscard]] virtual std::uint64_t call() const noexcept = 0;

  /// Whether there is anybody to answer. True where nobody knows better.
  [[nodiscard]] virtual bool is_alive() const noexcept {
    return true;
  }

  /// How this client's proxies are coded.
  [[nodiscard]] virtual wire* coding() noexcept = 0;

  /// Sends the answer, and takes its handles over. Never waits.
  virtual void send(codec::packet& answer) noexcept = 0;

  /// The client has withdrawn the call, and is not answered.
  virtual void withdrawn() noexcept {
  }

  [[nodiscard]] virtual std::unique_ptr<answer_route> keep() const = 0;
};

/// The objects of a state, in its process: finds them, calls them, ends them
/// when nobody refers to them any more, and keeps the calls that wait.
///
/// One call at a time, whoever brings it: the mailbox, a connection, an actor,
/// or a function of a held object that calls another one.
class table {
public:
  /// `home` is the state's control block. Makes itself the process's table.
  explicit table(memory::reference home);
  table(const table&) = delete;
  table& operator=(const table&) = delete;

  /// `what` is done first of all when the state ends.
  void at_end(std::function<void()> what);

  /// Destroys all objects. Nobody may call any more.
  void end() noexcept;

  /// The calling process's; nullptr where it is not a state's process.
  [[nodiscard]] static table* find() noexcept;

  /// The same. Throws `invalid_state`.
  [[nodiscard]] static table& here();

  /// Executes a call. The answer is sent before this returns, or when the call
  /// has waited for what it needs. Whatever the bytes are, only the caller's
  /// answer suffers. Ends the shares of all handles.
  /// @blocks on the call that is being executed
  void execute(bytes_view request, std::span<const memory::object_id> handles,
               answer_route& route);

  /// The same with a call in a packet, whose handles it takes over.
  void execute(codec::packet request, answer_route& route);

  /// The client is gone: forgets its calls, and frees what it locked.
  void client_gone(client_id client);

  /// A process that calls by messages of actors: to be asked about its death.
  void remember(client_id process);

  /// Calls `client_gone` for those of which `is_alive` is false.
  void forget_dead(bool (*is_alive)(client_id));

  /// Withdraws a call of the client that still waits.
  void withdraw(client_id client, std::uint64_t call);

  /// Answers the calls whose limit has passed. Returns when the next one will.
  deadline answer_late();

  /// Whether the calling thread is inside of a call.
  [[nodiscard]] static bool is_running_here() noexcept;

  /// Looks after objects of which other processes have dropped the last proxy.
  void collect();

  /// Holds `made` from now on and returns a target of it.
  /// Throws `limit_reached`.
  [[nodiscard]] std::shared_ptr<target> hold(std::unique_ptr<object> made);

  /// Returns a target of the object. Throws `stale_handle`.
  [[nodiscard]] std::shared_ptr<target> target_of(object_number number);

  /// Returns a handle's object for other processes of the run.
  [[nodiscard]] memory::reference object_ref_of(object_number number);

  /// Returns a handle of the state itself for them.
  [[nodiscard]] memory::reference cell();

  /// Whether another process has a handle of the state or of an object.
  [[nodiscard]] bool is_wanted();

  /// Remote clients have been told of, or gave back, an object that often.
  void named(object_number number, std::uint64_t times);
  void given_back(object_number number, std::uint64_t times) noexcept;

  /// The hash of the object's type. Throws `stale_handle`.
  [[nodiscard]] std::uint64_t type_of(object_number number);

  /// Whose call is being executed: what that calls within the state is called
  /// in the same name.
  [[nodiscard]] client_id calling() const noexcept {
    return calling_;
  }

  [[nodiscard]] const std::shared_ptr<caller>& inside() const noexcept {
    return inside_;
  }

  [[nodiscard]] const memory::reference& home() const noexcept {
    return home_;
  }

  /// Objects held, for the curious and for tests.
  [[nodiscard]] std::size_t size();

  /// Held by whoever looks at several things at once.
  [[nodiscard]] std::recursive_mutex& mutex() noexcept {
    return mutex_;
  }

  /// While there is one, no object ends. With the mutex held.
  class open_scope {
  public:
    explicit open_scope(table& of) noexcept : of_(of) {
      ++of_.depth_;
    }
    open_scope(const open_scope&) = delete;
    open_scope& operator=(const open_scope&) = delete;
    ~open_scope() {
      of_.leave();
    }

  private:
    table& of_;
  };

private:
  class inner_target;

  struct waiting {
    std::unique_ptr<parked> call;
    std::unique_ptr<answer_route> route;
    deadline limit = deadline::never();
  };

  struct entry {
    std::unique_ptr<object> held;
    std::uint32_t generation = 1;
    /// Targets in this process.
    std::uint32_t inside = 0;
    /// Calls that run on it.
    std::uint32_t busy = 0;
    /// How often remote clients know it.
    std::uint64_t remote = 0;
    /// The last object reference made, 0 once it is gone.
    memory::object_id object_ref = 0;
    std::list<waiting> calls;
    /// Somebody looks through `calls`, and whether to do so once more.
    bool waking = false;
    bool again = false;
  };

  [[nodiscard]] entry& entry_of(object_number number);
  [[nodiscard]] object_number number_of(std::uint32_t index) const noexcept;
  void run(const call_head& head, codec::decoder& arguments,
           codec::packet& answer, answer_route& route);
  [[nodiscard]] call_context context_of(answer_route& route) noexcept;
  void wake(entry& of);
  void leave_inside(object_number number) noexcept;
  void end_if_unused(std::uint32_t index) noexcept;
  void reclaim() noexcept;
  void leave() noexcept;

  std::recursive_mutex mutex_;
  memory::reference home_;
  std::shared_ptr<caller> inside_;
  std::unordered_set<client_id> remembered_;
  std::vector<std::function<void()>> at_end_;
  std::vector<std::unique_ptr<entry>> entries_;
  std::vector<std::uint32_t> free_;
  /// Objects that may have lost their last target, and those that have; both
  /// are looked after when no call is running.
  std::vector<std::uint32_t> doubtful_;
  std::vector<std::unique_ptr<object>> dead_;
  codec::packet answer_;
  /// Entries with an object reference.
  std::size_t referenced_ = 0;
  std::uint64_t news_seen_ = 0;
  client_id calling_ = 0;
  std::uint32_t depth_ = 0;
  /// No call that waits has an earlier limit.
  deadline earliest_ = deadline::never();
};

} // namespace troupe::held
