// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/base/bytes.hpp>
#include <troupe/base/errc.hpp>
#include <troupe/machines/known_machine.hpp>
#include <troupe/machines/remote_proxy.hpp>
#include <troupe/network/payload.hpp>
#include <troupe/transport/caf_error.hpp>
#include <troupe/transport/caf_version.hpp>
#include <troupe/transport/handle_coding.hpp>
#include <troupe/transport/node.hpp>

#include <caf/actor_control_block.hpp>
#include <caf/attachable.hpp>
#include <caf/error.hpp>
#include <caf/message.hpp>

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace troupe::machines {

/// What one run and another say to each other of actors, at one end of the
/// connection between their roots: the first byte behind
/// `message_kind::actors`.
enum class actor_frame : std::uint8_t {
  /// First: the fingerprint of the message types.
  types = 1,
  message = 2,
  down = 3,
  dropped = 4,
  // To the machine, and its answer:
  spawn = 5,
  spawned = 6,
  // In both directions: a message of another kind that has handles in it.
  carried = 7,
  // To the lead, and its answer: the actor by which it serves machines.
  service = 8,
};

/// A handle of an actor: 0 for none, else the number by which one of the two
/// ends knows the actor, and whether that is the reader's own one.
struct actor_reference {
  std::uint64_t packed = 0;

  [[nodiscard]] static actor_reference make(std::uint64_t number,
                                            bool of_reader) noexcept {
    return {(number << 1) | (of_reader ? 1U : 0U)};
  }
  [[nodiscard]] bool is_of_reader() const noexcept {
    return (packed & 1) != 0;
  }
  [[nodiscard]] std::uint64_t number() const noexcept {
    return packed >> 1;
  }
};

/// The actor that a machine is to make in a process of its own.
struct spawn_order {
  /// Names it on this connection.
  std::uint64_t number = 0;
  std::uint64_t module = 0;
  std::uint64_t offset = 0;
  std::string library;
  bytes arguments;
  /// Where in the arguments handles of actors belong, and which.
  std::vector<std::pair<std::uint64_t, std::uint64_t>> handles;
};

/// What became of it: an actor, or an error as CAF's inspectors write it.
struct spawned_note {
  std::uint64_t number = 0;
  std::uint64_t actor = 0;
  bytes failure;
};

/// A message between machines, and which handles of actors belong to it, and
/// where.
struct carried_message {
  bytes content;
  std::vector<std::pair<std::uint64_t, std::uint64_t>> handles;
};

/// Writes handles where they belong in bytes that another machine has sent, for
/// who reads them in this run, and sees to it that he finds the actors.
/// Somebody has to hold those until then. Throws `malformed_bytes`.
void write_handles(bytes& into, const placed_actors& actors);

/// Throws the failure with which another run has answered: that of a function
/// of `who` as `remote_error`, else an error of Troupe's about what was
/// attempted.
[[noreturn]] void throw_answer(const caf::error& failure,
                               std::string_view attempted,
                               const std::string& who);

/// Carries handles of actors, and what is said to them, between two runs: one
/// end of the connection between their roots. All functions may be called from
/// any thread, none waits for the other end but `spawn`.
///
/// # What is promised
/// Messages of one actor to another arrive in their order, and before the end
/// of the one that has sent them is told. A request is answered: by whoever has
/// it, or with `machine_lost` when the connection is lost. An actor of which
/// the other run has a handle is held here until it has none.
class gateway final : public std::enable_shared_from_this<gateway> {
public:
  /// More does not wait for the connection, besides one message that is longer.
  static constexpr std::size_t most_waiting = std::size_t{256} << 20;

  /// Messages to one actor are a stream of the connection. Others use numbers
  /// below.
  static constexpr std::uint64_t first_stream = std::uint64_t{1} << 62;

  /// The way to the other end.
  struct way {
    std::function<void(const bytes& message, std::uint64_t stream,
                       bool behind_all)>
      send;
    std::function<std::size_t()> waiting;
  };

  /// Makes actors for the other end, and says so by `spawned`. It waits for
  /// nobody, and holds the handles until then.
  using spawner = std::function<void(
    spawn_order what, std::vector<caf::strong_actor_ptr> handles)>;

  /// Takes what the other end has given to `carry`.
  using taker = std::function<void(bytes message, placed_actors actors)>;

  /// What this end does for the other one. What it does not, the other one may
  /// not ask for.
  struct duties {
    /// Of a machine only.
    spawner makes = {};
    taker takes = {};
    /// Of the lead only: gives the actor by which it serves machines.
    std::function<caf::strong_actor_ptr()> serves = {};
  };

  /// `other` is what the other end is called in texts. Makes the process's
  /// actor system if it has none.
  [[nodiscard]] static std::shared_ptr<gateway> make(std::string other, way to,
                                                     duties does);

  gateway(transport::node& of, std::string other, way to, duties does);
  gateway(const gateway&) = delete;
  gateway& operator=(const gateway&) = delete;
  ~gateway();

  /// A message of kind `actors` has come; by the thread of the connection.
  /// Throws `malformed_bytes`.
  void take(network::payload what);

  /// The connection is lost.
  void lose(const std::string& why);

  /// Has the other end make an actor. Throws `machine_lost`, `remote_error`,
  /// whatever kept it from that.
  /// @blocks on the other machine, until the actor's function has returned
  [[nodiscard]] caf::strong_actor_ptr spawn(spawn_order what,
                                            const placed_actors& handles);

  /// Sends a message of another kind, to which actors belong.
  void carry(bytes message, const placed_actors& actors, std::uint64_t stream,
             bool behind_all);

  /// Asks the lead for the actor by which it serves machines. Throws
  /// `machine_lost`.
  /// @blocks on the lead
  [[nodiscard]] caf::strong_actor_ptr service();

  /// What became of an order.
  void spawned(std::uint64_t number, const caf::strong_actor_ptr& made);
  void spawned(std::uint64_t number, const caf::error& failure);

  // Of the proxies:

  /// Sends a message to the actor behind `to`. False if it is refused, and then
  /// the sender has been told.
  bool send(remote_proxy& to, caf::mailbox_element& what);

  /// In the receiving thread: nobody here has a handle any more of what a proxy
  /// stood for. `waiting` is what waits for the actor's end.
  void proxy_gone(std::uint64_t number, std::uint64_t handles,
                  caf::attachable_ptr waiting);

private:
  using lock = std::unique_lock<std::mutex>;
  /// By process and id.
  using name = std::pair<std::uint64_t, caf::actor_id>;

  /// An actor of this run of which the other one has, or has had, handles.
  struct exported {
    name who;
    /// While the other run holds it.
    caf::strong_actor_ptr held;
    /// Handles that were sent, less those that were given back.
    std::uint64_t sent = 0;
    std::optional<caf::error> ended;
  };

  /// An actor of the other run, until that has told of its end.
  struct imported {
    /// Of its proxies, of which there is one at a time: who has a link to one,
    /// or its address, knows the next.
    caf::actor_id id = 0;
    caf::weak_actor_ptr proxy;
    /// Proxies of which `proxy_gone` has not told.
    std::uint32_t proxies = 0;
    /// What waits for the end without one; and how many of these need not.
    caf::attachable_ptr waiting;
    std::size_t idle = 0;
    std::optional<caf::error> ended;
  };

  /// A request that went to the other run.
  struct open_request {
    caf::weak_actor_ptr asker;
    std::uint64_t sent_id = 0;
    std::uint32_t copies = 0;
  };

  /// Handles that are about to be sent: what follows from that, without the
  /// lock.
  struct sending {
    std::vector<std::pair<std::uint64_t, caf::strong_actor_ptr>> fresh;
    std::vector<std::pair<std::uint64_t, caf::error>> ended;
    /// Nothing ends under the lock.
    std::vector<caf::strong_actor_ptr> kept;
  };

  /// A message that has come, with all that it names.
  struct incoming {
    network::payload bytes;
    std::size_t begin = 0;
    std::size_t size = 0;
    std::uint32_t flags = 0;
    caf::message_id id;
    caf::strong_actor_ptr target;
    caf::strong_actor_ptr sender;
    std::vector<std::size_t> places;
    std::vector<caf::strong_actor_ptr> handles;
  };

  /// What comes of an actor that is waited for.
  struct pending_actor {
    std::mutex mutex;
    std::condition_variable changed;
    bool done = false;
    caf::strong_actor_ptr made;
    caf::error failure;
  };

  struct outgoing;

  // What is to be sent:
  [[nodiscard]] std::optional<caf::error> end_of(std::uint64_t number) const;
  [[nodiscard]] std::optional<caf::error>
  write(const caf::mailbox_element& what, outgoing& into) const;
  [[nodiscard]] bool refer_all(const caf::mailbox_element& what, outgoing& in,
                               sending& about);
  [[nodiscard]] actor_reference refer(const caf::strong_actor_ptr& to,
                                      sending& about);
  void finish(sending about);
  void ended(std::uint64_t number, const caf::error& why);
  void send_down(std::uint64_t number, const caf::error& why);
  bool refuse(const remote_proxy& to, const caf::mailbox_element& what,
              const caf::error& why);
  [[nodiscard]] std::optional<caf::error>
  trouble_of(const caf::mailbox_element& what) const;
  [[nodiscard]] caf::error lost_error() const;
  void put(const bytes& message, std::uint64_t stream, bool behind_all) const;
  void answer_spawn(spawned_note note);
  static void settle(pending_actor& what, caf::strong_actor_ptr made,
                     caf::error failure);
  void note_request(const caf::strong_actor_ptr& asker, caf::message_id id);
  void strike(const caf::strong_actor_ptr& asker, caf::message_id id);

  // What has come:
  void take_message(network::payload what);
  void take_spawn(bytes_view content);
  void take_spawned(bytes_view content);
  void take_carried(bytes_view content);
  void take_service(bytes_view content);
  void take_down(bytes_view content);
  void take_dropped(bytes_view content);
  /// The actor of a reference that was read; counts it. Empty for none. Throws
  /// `malformed_bytes`.
  [[nodiscard]] caf::strong_actor_ptr resolve(actor_reference what);
  /// The same of handles that the other end has sent with bytes.
  [[nodiscard]] placed_actors resolve_all(
    const std::vector<std::pair<std::uint64_t, std::uint64_t>>& handles);
  void later(std::function<void()> task);
  void run_tasks();
  void deliver(incoming what);
  [[nodiscard]] std::optional<caf::error>
  read(incoming& what, transport::version::stages& stages,
       caf::message& content);
  void end_imported(std::uint64_t number, const caf::error& why);
  void end_all();

  [[nodiscard]] name name_of(const caf::strong_actor_ptr& actor) const;

  transport::node& node_;
  const std::string other_;
  const way to_;
  const duties does_;

  mutable std::mutex mutex_;
  std::optional<std::string> lost_;
  bool other_types_ = false;
  std::uint64_t last_number_ = 0;
  std::uint64_t last_spawn_ = 0;
  std::map<name, std::uint64_t> numbers_;
  std::unordered_map<std::uint64_t, exported> exported_;
  std::unordered_map<std::uint64_t, imported> imported_;
  /// By asker, and number of the request.
  std::map<std::pair<name, std::uint64_t>, open_request> open_;
  /// How many there were when those without askers were thrown out.
  std::size_t looked_at_ = 0;
  std::map<std::uint64_t, std::shared_ptr<pending_actor>> spawns_;
  std::shared_ptr<pending_actor> service_;

  std::mutex tasks_mutex_;
  std::deque<std::function<void()>> tasks_;
  bool scheduled_ = false;
};

} // namespace troupe::machines
