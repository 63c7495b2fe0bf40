// SPDX-License-Identifier: BSL-1.0
#include <troupe/machines/gateway.hpp>

#include <troupe/base/error.hpp>
#include <troupe/calls/failure.hpp>
#include <troupe/machines/messages.hpp>
#include <troupe/network/limits.hpp>
#include <troupe/process/remote_error.hpp>
#include <troupe/transport/byte_reader.hpp>
#include <troupe/transport/byte_writer.hpp>
#include <troupe/transport/dead_letters.hpp>
#include <troupe/transport/handle_coding.hpp>
#include <troupe/transport/message_bytes.hpp>
#include <troupe/transport/node_name.hpp>
#include <troupe/transport/type_table.hpp>

#include <caf/actor_cast.hpp>
#include <caf/make_actor.hpp>
#include <caf/sec.hpp>

#include <algorithm>
#include <cstring>
#include <string_view>

namespace troupe::machines {

namespace {

using transport::byte_reader;
using transport::byte_writer;
using transport::make_error;

/// What stands behind the two kinds of a message to an actor. Behind it the
/// content, then for each handle in that its `actor_reference` and where in the
/// content it begins.
struct message_head {
  std::uint64_t target = 0;
  std::uint64_t sender = 0;
  std::uint64_t id = 0;
  std::uint32_t flags = 0;
  std::uint32_t handles = 0;
};

struct carried_handle {
  std::uint64_t reference = 0;
  std::uint64_t place = 0;
};

enum message_flag : std::uint32_t {
  with_stages = 1,
  as_image = 2,
};

constexpr std::size_t kinds = 2;
constexpr std::size_t handle_size = 36;
/// Of the text of an error that says why an actor has ended.
constexpr std::size_t longest_text_of_end = 16U << 10;
constexpr std::size_t longest_error = 48U << 10;
/// Messages that are delivered before woken actors have their turn.
constexpr std::size_t most_in_turn = 256;

[[noreturn]] void malformed(std::string_view why) {
  throw malformed_bytes("read what a machine says of actors", why);
}

/// A context for reading: actors that it wakes go to CAF.
class reading_context final : public transport::version::own_context {
public:
  explicit reading_context(caf::actor_system& system)
    : own_context(system), system_(system) {
  }
  void later(caf::resumable* woken) override {
    transport::version::schedule(system_, woken);
  }

private:
  caf::actor_system& system_;
};

/// The bytes of a handle as CAF's inspectors write it.
bytes written(std::uint64_t process, caf::actor_id actor) {
  bytes result;
  byte_writer sink{nullptr, result, 0};
  auto node = transport::node_of(memory::slot_id::unpacked(process));
  static_cast<void>(sink.apply(actor) && sink.apply(node));
  result.resize(sink.written());
  return result;
}

bytes written(transport::node& of, caf::error what) {
  const auto write = [&of](caf::error& one, bytes& into) {
    byte_writer sink{&of.system(), into, 0};
    if (!sink.apply(one) || !sink.objects().empty() || !sink.actors().empty()
        || sink.written() > longest_error)
      return false;
    into.resize(sink.written());
    return true;
  };
  bytes result;
  if (write(what, result))
    return result;
  // What does not cross is told as a text.
  const auto code = transport::code_of(what);
  auto text = transport::text_of(what);
  text.resize(std::min(text.size(), longest_text_of_end));
  auto told = make_error(code == errc::none ? errc::remote_exception : code,
                         std::move(text));
  static_cast<void>(write(told, result));
  return result;
}

caf::error read_error(transport::node& of, bytes_view from) {
  reading_context context{of.system()};
  const transport::version::proxy_scope scope{context, of.proxies()};
  byte_reader source{&of.system(), &context, from};
  caf::error result;
  if (!source.apply(result) || source.left() != 0)
    malformed("an error that is none");
  if (!transport::is_showable(result))
    result = make_error(errc::malformed_bytes,
                        "an error arrived whose category is no error code "
                        "here");
  return result;
}

std::uint64_t number_of(caf::message_id id) noexcept {
  return id.integer_value() & caf::message_id::request_id_mask;
}

/// Begins a message of that kind; what it says comes behind.
bytes begin(actor_frame kind) {
  return {static_cast<std::byte>(message_kind::actors),
          static_cast<std::byte>(kind)};
}

template <class Content>
bytes frame_of(actor_frame kind, const Content& content) {
  auto result = begin(kind);
  const auto packed = codec::encode(content);
  const auto body = packed.body();
  result.insert(result.end(), body.begin(), body.end());
  return result;
}

struct down_note {
  std::uint64_t number = 0;
  bytes why;
};

struct dropped_note {
  std::uint64_t number = 0;
  std::uint64_t handles = 0;
};

std::size_t length_of(const caf::attachable* first) noexcept {
  std::size_t count = 0;
  for (; first != nullptr; first = first->next.get())
    ++count;
  return count;
}

void append(caf::attachable_ptr& to, caf::attachable_ptr chain) {
  auto* at = &to;
  while (*at != nullptr)
    at = &(*at)->next;
  *at = std::move(chain);
}

void tell(const caf::attachable_ptr& first, const caf::error& why) {
  for (auto* each = first.get(); each != nullptr; each = each->next.get())
    each->actor_exited(why, nullptr);
}

/// What became of a process, with the machine that it was on.
caf::error on_machine(const caf::error& why, const std::string& machine) {
  const auto& context = why.context();
  if (transport::code_of(why) != errc::peer_died
      || !context.match_elements<std::string, std::int32_t, std::int32_t>())
    return why;
  return caf::make_error(errc::peer_died,
                         context.get_as<std::string>(0) + " on " + machine,
                         context.get_as<std::int32_t>(1),
                         context.get_as<std::int32_t>(2));
}

remote_proxy& as_proxy(const caf::strong_actor_ptr& actor) {
  return *static_cast<remote_proxy*>(actor->get());
}

} // namespace

std::shared_ptr<gateway> gateway::make(std::string other, way to, duties does) {
  auto made = std::make_shared<gateway>(transport::node::require(),
                                        std::move(other), std::move(to),
                                        std::move(does));
  made->put(frame_of(actor_frame::types,
                     transport::type_table::current().fingerprint()),
            first_stream - 1, false);
  return made;
}

gateway::gateway(transport::node& of, std::string other, way to, duties does)
  : node_(of),
    other_(std::move(other)),
    to_(std::move(to)),
    does_(std::move(does)) {
}

gateway::~gateway() = default;

void gateway::put(const bytes& message, std::uint64_t stream,
                  bool behind_all) const {
  to_.send(message, stream, behind_all);
}

gateway::name gateway::name_of(const caf::strong_actor_ptr& actor) const {
  const auto process = transport::process_of(actor->nid);
  return {process ? process->packed() : node_.self().packed(), actor->aid};
}

caf::error gateway::lost_error() const {
  const lock guard{mutex_};
  return make_error(errc::machine_lost,
                    "reach an actor on " + other_
                      + ": it is lost: " + lost_.value_or("it has ended"));
}

// What is to be sent.

/// With the mutex held.
actor_reference gateway::refer(const caf::strong_actor_ptr& to,
                               sending& about) {
  if (!to)
    return {};
  if (node_.is_local(to))
    if (const auto* const proxy = dynamic_cast<remote_proxy*>(to->get());
        proxy != nullptr && proxy->is_through(*this))
      return actor_reference::make(proxy->number(), true);
  const auto who = name_of(to);
  auto& number = numbers_[who];
  if (number == 0)
    number = ++last_number_;
  auto& entry = exported_[number];
  if (entry.sent++ == 0) {
    if (entry.who != who) {
      entry.who = who;
      about.fresh.emplace_back(number, to);
    }
    about.kept.push_back(std::exchange(entry.held, to));
  }
  if (entry.ended)
    about.ended.emplace_back(number, *entry.ended);
  return actor_reference::make(number, false);
}

void gateway::finish(sending about) {
  for (const auto& [number, actor] : about.fresh) {
    if (node_.is_local(actor))
      node_.export_actor(actor);
    actor->get()->attach_functor(
      [own = weak_from_this(), number = number](const caf::error& why) {
        if (const auto one = own.lock())
          one->ended(number, why);
      });
  }
  // Whoever has let go of it once has forgotten that it has ended.
  for (const auto& [number, why] : about.ended)
    send_down(number, why);
}

void gateway::ended(std::uint64_t number, const caf::error& why) {
  {
    const lock guard{mutex_};
    const auto found = exported_.find(number);
    if (found == exported_.end())
      return;
    found->second.ended = why;
    if (found->second.sent == 0) {
      numbers_.erase(found->second.who);
      exported_.erase(found);
    }
  }
  send_down(number, why);
}

void gateway::send_down(std::uint64_t number, const caf::error& why) {
  // Behind all that it has sent before.
  put(frame_of(actor_frame::down, down_note{number, written(node_, why)}),
      first_stream - 1, true);
}

void gateway::note_request(const caf::strong_actor_ptr& asker,
                           caf::message_id id) {
  auto& entry = open_[{name_of(asker), number_of(id)}];
  entry.asker = caf::weak_actor_ptr{asker.get()};
  entry.sent_id = id.integer_value();
  ++entry.copies;
}

/// With the mutex held: one that has it here, or has had it answered.
void gateway::strike(const caf::strong_actor_ptr& asker, caf::message_id id) {
  const auto found = open_.find({name_of(asker), number_of(id)});
  if (found != open_.end() && (id.is_response() || --found->second.copies == 0))
    open_.erase(found);
}

std::optional<caf::error>
gateway::trouble_of(const caf::mailbox_element& what) const {
  if (transport::version::is_stream(what.mid))
    return make_error(errc::invalid_argument,
                      "send a part of a stream to " + other_
                        + ": CAF 0.18's streams stay in their process; send "
                          "messages");
  if (const auto type = transport::unknown_type(what.payload.types()))
    return transport::type_refusal(*type, "its type is not registered",
                                   " to " + other_);
  if (to_.waiting() > most_waiting)
    return make_error(errc::limit_reached,
                      "send a message to " + other_
                        + ": more than 256 MiB wait for the connection; send "
                          "less before an answer has come");
  return std::nullopt;
}

bool gateway::refuse(const remote_proxy& to, const caf::mailbox_element& what,
                     const caf::error& why) {
  if (what.mid.is_request() && what.sender)
    node_.fail_request(what.sender, what.mid, why);
  transport::report_dead_letter(
    {to.id(), what.sender, what.payload, transport::text_of(why)});
  return false;
}

/// A message of an actor on its way into the connection.
struct gateway::outgoing {
  bytes message = begin(actor_frame::message);
  message_head head;
  std::vector<carried_handle> handles;
  /// The actors that `handles` name.
  std::vector<caf::strong_actor_ptr> actors;

  static constexpr std::size_t content = kinds + sizeof(message_head);

  /// Puts head and handles where they belong; returns what is to be sent.
  [[nodiscard]] const bytes& finished() {
    head.handles = static_cast<std::uint32_t>(handles.size());
    std::memcpy(message.data() + kinds, &head, sizeof head);
    if (!handles.empty()) {
      const auto behind = message.size();
      const auto size = handles.size() * sizeof(carried_handle);
      message.resize(behind + size);
      std::memcpy(message.data() + behind, handles.data(), size);
    }
    return message;
  }
};

bool gateway::send(remote_proxy& to, caf::mailbox_element& what) {
  if (const auto why = end_of(to.number()))
    return refuse(to, what, *why);
  if (auto trouble = trouble_of(what)) {
    if (transport::unknown_type(what.payload.types()))
      transport::keep_for_ever(std::exchange(what.payload, caf::message{}));
    return refuse(to, what, *trouble);
  }
  outgoing made;
  made.head.target = to.number();
  made.head.id = what.mid.integer_value();
  if (const auto why = write(what, made))
    return refuse(to, what, *why);
  sending about;
  if (!refer_all(what, made, about))
    return refuse(to, what, lost_error());
  put(made.finished(), first_stream + to.number(), false);
  finish(std::move(about));
  return true;
}

/// Returns why nothing can be sent to the actor of that number any more.
std::optional<caf::error> gateway::end_of(std::uint64_t number) const {
  lock guard{mutex_};
  if (lost_) {
    guard.unlock();
    return lost_error();
  }
  const auto known = imported_.find(number);
  if (known == imported_.end() || !known->second.ended)
    return std::nullopt;
  // One that died with its process fails as it did.
  const auto& why = *known->second.ended;
  const auto code = transport::code_of(why);
  if (code == errc::peer_died || code == errc::machine_lost)
    return why;
  return caf::error{caf::sec::request_receiver_down};
}

/// Writes the content, and where in it handles are. Returns why that cannot be.
std::optional<caf::error> gateway::write(const caf::mailbox_element& what,
                                         outgoing& into) const {
  constexpr auto start = outgoing::content;
  into.message.resize(start);
  const auto* const stages = transport::version::stages_of(what);
  const auto image = stages == nullptr ? transport::image_size(what.payload)
                                       : 0;
  if (image != 0) {
    into.head.flags = as_image;
    into.message.resize(start + image);
    transport::write_image(what.payload, into.message.data() + start);
  } else {
    byte_writer sink{&node_.system(), into.message, start};
    if (stages != nullptr) {
      into.head.flags = with_stages;
      auto copy = *stages;
      if (!sink.apply(copy))
        return sink.get_error();
    }
    if (!transport::write_message(sink, what.payload)) {
      auto why = sink.get_error();
      if (transport::code_of(why) == errc::none)
        why
          = make_error(errc::invalid_argument,
                       "send a message to " + other_
                         + ": an inspect function refuses: " + to_string(why));
      return why;
    }
    if (!sink.objects().empty())
      return make_error(
        errc::invalid_argument,
        "send a message to " + other_
          + ": it names memory of this machine; send a copy, such as a "
            "std::vector or buffer.copied(), or publish a held object and "
            "connect to it there");
    into.message.resize(sink.written());
    for (std::size_t i = 0; i < sink.actors().size(); ++i) {
      const auto& each = sink.actors()[i];
      into.actors.push_back(node_.actor_in(each.process, each.actor));
      into.handles.push_back({0, sink.places()[i] - start});
    }
  }
  if (into.message.size() <= network::longest_content / 2)
    return std::nullopt;
  return make_error(errc::limit_reached,
                    "send a message of " + std::to_string(into.message.size())
                      + " bytes to " + other_ + ": 512 MiB is the most");
}

/// Gives sender and handles their numbers, and notes the request. False: the
/// connection is lost.
bool gateway::refer_all(const caf::mailbox_element& what, outgoing& in,
                        sending& about) {
  const lock guard{mutex_};
  if (lost_)
    return false;
  in.head.sender = refer(what.sender, about).packed;
  for (std::size_t i = 0; i < in.handles.size(); ++i)
    in.handles[i].reference = refer(in.actors[i], about).packed;
  if (what.mid.is_request() && what.sender)
    note_request(what.sender, what.mid);
  // Those whose askers are gone are thrown out where there are many.
  if (open_.size() > 2 * looked_at_ + 1024) {
    std::erase_if(open_, [&](const auto& each) {
      about.kept.push_back(each.second.asker.lock());
      return about.kept.back() == nullptr;
    });
    looked_at_ = open_.size();
  }
  return true;
}

// What has come.

void gateway::take(network::payload what) {
  const auto content = what.view();
  if (content.size() < kinds)
    malformed("it is empty");
  switch (static_cast<actor_frame>(content[1])) {
    case actor_frame::types: {
      const auto theirs = codec::decode<std::uint64_t>(content.subspan(kinds));
      const lock guard{mutex_};
      other_types_ = theirs != transport::type_table::current().fingerprint();
      return;
    }
    case actor_frame::message: return take_message(std::move(what));
    case actor_frame::down: return take_down(content.subspan(kinds));
    case actor_frame::dropped: return take_dropped(content.subspan(kinds));
    case actor_frame::spawn: return take_spawn(content.subspan(kinds));
    case actor_frame::spawned: return take_spawned(content.subspan(kinds));
    case actor_frame::carried: return take_carried(content.subspan(kinds));
    case actor_frame::service: return take_service(content.subspan(kinds));
  }
  malformed("there is no such kind");
}

placed_actors gateway::resolve_all(
  const std::vector<std::pair<std::uint64_t, std::uint64_t>>& handles) {
  placed_actors actors;
  for (const auto& [place, reference] : handles)
    actors.push_back({static_cast<std::size_t>(place), resolve({reference})});
  return actors;
}

caf::strong_actor_ptr gateway::resolve(actor_reference what) {
  if (what.packed == 0)
    return nullptr;
  const auto number = what.number();
  if (what.is_of_reader()) {
    const lock guard{mutex_};
    const auto found = exported_.find(number);
    if (found == exported_.end() || !found->second.held)
      malformed("it names an actor that it was not told of");
    return found->second.held;
  }
  std::optional<caf::error> ended;
  caf::strong_actor_ptr result;
  bool next = false;
  {
    const lock guard{mutex_};
    auto& entry = imported_[number];
    result = entry.proxy.lock();
    if (!result) {
      caf::actor_config config;
      auto& system = node_.system();
      next = entry.id != 0;
      if (!next)
        entry.id = system.next_actor_id();
      result = caf::make_actor<remote_proxy, caf::strong_actor_ptr>(
        entry.id, node_.name(), &system, config, node_, shared_from_this(),
        number);
      entry.proxy = caf::weak_actor_ptr{result.get()};
      ++entry.proxies;
      // Nobody else knows it yet.
      as_proxy(result).attached() = std::move(entry.waiting);
      ended = entry.ended;
    }
    as_proxy(result).count();
  }
  // Others may know the one before it.
  if (next)
    static_cast<void>(node_.exported()->note(result));
  if (ended)
    as_proxy(result).end(*ended);
  return result;
}

void gateway::take_message(network::payload what) {
  message_head head;
  const auto all = what.view();
  const auto start = kinds + sizeof head;
  if (all.size() < start)
    malformed("a message without a head");
  std::memcpy(&head, all.data() + kinds, sizeof head);
  const auto behind = std::uint64_t{head.handles} * sizeof(carried_handle);
  if (behind > all.size() - start)
    malformed("a message with more handles than bytes");
  if ((head.flags & ~std::uint32_t{with_stages | as_image}) != 0
      || head.flags == (with_stages | as_image)
      || (head.flags == as_image && head.handles != 0))
    malformed("a message of no such kind");
  incoming came;
  came.begin = start;
  came.size = all.size() - start - static_cast<std::size_t>(behind);
  came.flags = head.flags;
  came.id = caf::message_id{head.id};
  if (transport::version::is_stream(came.id))
    malformed("a part of a stream");
  came.target = resolve(actor_reference::make(head.target, true));
  came.sender = resolve({head.sender});
  std::uint64_t next = 0;
  for (std::uint32_t i = 0; i < head.handles; ++i) {
    carried_handle each;
    std::memcpy(&each, all.data() + start + came.size + i * sizeof each,
                sizeof each);
    if (each.reference == 0 || each.place < next || came.size < handle_size
        || each.place > came.size - handle_size)
      malformed("a handle outside of its message");
    next = each.place + handle_size;
    came.places.push_back(static_cast<std::size_t>(each.place));
    came.handles.push_back(resolve({each.reference}));
  }
  {
    const lock guard{mutex_};
    if (came.id.is_response())
      strike(came.target, came.id);
    else if (came.id.is_request() && came.sender)
      strike(came.sender, came.id);
  }
  came.bytes = std::move(what);
  auto shared = std::make_shared<incoming>(std::move(came));
  later(
    [own = shared_from_this(), shared] { own->deliver(std::move(*shared)); });
}

void gateway::take_down(bytes_view content) {
  auto note = codec::decode<down_note>(content);
  auto why = read_error(node_, note.why);
  if (!does_.makes)
    why = on_machine(why, other_);
  later([own = shared_from_this(), number = note.number, why = std::move(why)] {
    own->end_imported(number, why);
  });
}

void gateway::take_dropped(bytes_view content) {
  const auto note = codec::decode<dropped_note>(content);
  caf::strong_actor_ptr let_go;
  {
    const lock guard{mutex_};
    const auto found = exported_.find(note.number);
    if (found == exported_.end() || note.handles > found->second.sent)
      malformed("it gives back what it has not got");
    auto& entry = found->second;
    entry.sent -= note.handles;
    if (entry.sent == 0) {
      let_go = std::exchange(entry.held, nullptr);
      if (entry.ended) {
        numbers_.erase(entry.who);
        exported_.erase(found);
      }
    }
  }
  if (let_go)
    node_.receiver().release(std::move(let_go));
}

void gateway::later(std::function<void()> task) {
  {
    const std::scoped_lock guard{tasks_mutex_};
    tasks_.push_back(std::move(task));
    if (std::exchange(scheduled_, true))
      return;
  }
  if (transport::node::current() == &node_)
    node_.receiver().post([own = shared_from_this()] { own->run_tasks(); });
}

void gateway::run_tasks() {
  std::vector<std::function<void()>> turn;
  bool more = false;
  {
    const std::scoped_lock guard{tasks_mutex_};
    while (!tasks_.empty() && turn.size() < most_in_turn) {
      turn.push_back(std::move(tasks_.front()));
      tasks_.pop_front();
    }
    more = !tasks_.empty();
    scheduled_ = more;
  }
  for (const auto& task : turn)
    task();
  if (more)
    node_.receiver().post([own = shared_from_this()] { own->run_tasks(); });
}

/// Returns why it cannot be read.
std::optional<caf::error> gateway::read(incoming& what,
                                        transport::version::stages& stages,
                                        caf::message& content) {
  const bytes_view body{what.bytes.data() + what.begin, what.size};
  const auto unknown = [this](const std::string& type) {
    return make_error(errc::unknown_message_type,
                      "read a message of " + other_ + ": " + type
                        + "; name the same type-id blocks in "
                          "troupe::use_messages before troupe::program on all "
                          "machines");
  };
  {
    const lock guard{mutex_};
    if (other_types_)
      return unknown("it knows other message types than this program");
  }
  auto result = transport::read_result::malformed;
  caf::type_id_t type = 0;
  if (what.flags == as_image) {
    result = transport::read_image(body, content, type);
  } else {
    std::vector<transport::actor_name> expected;
    for (std::size_t i = 0; i < what.handles.size(); ++i) {
      const auto& actor = what.handles[i];
      const auto [process, id] = name_of(actor);
      // Where CAF looks for it.
      if (node_.is_local(actor))
        static_cast<void>(node_.exported()->note(actor));
      const auto handle = written(process, id);
      std::memcpy(what.bytes.data() + what.begin + what.places[i],
                  handle.data(), std::min(handle.size(), handle_size));
      expected.push_back({memory::slot_id::unpacked(process), id});
    }
    reading_context context{node_.system()};
    const transport::version::proxy_scope scope{context, node_.proxies()};
    byte_reader source{&node_.system(), &context, body};
    do {
      result = transport::read_result::malformed;
      if (what.flags != with_stages || source.apply(stages))
        result = transport::read_message(source, content, type);
    } while (source.start_again());
    // Whoever writes handles there by himself does not get what they name.
    if (source.left() != 0 || source.actors() != expected)
      result = result == transport::read_result::unknown_type
                 ? result
                 : transport::read_result::malformed;
    if (result == transport::read_result::done)
      transport::make_showable(content);
    node_.handles_read(source.actors());
  }
  if (result == transport::read_result::unknown_type)
    return unknown("type " + transport::name_of(type) + " is not known here");
  if (result != transport::read_result::done)
    return make_error(errc::malformed_bytes,
                      "read a message of " + other_
                        + ": its bytes are no such message");
  return std::nullopt;
}

void gateway::deliver(incoming what) {
  transport::version::stages stages;
  caf::message content;
  if (const auto why = read(what, stages, content)) {
    if (what.id.is_request() && what.sender)
      node_.fail_request(what.sender, what.id, *why);
    else if (what.id.is_response())
      what.target->enqueue(transport::version::make_element(
                             nullptr, what.id, {}, caf::make_message(*why)),
                           nullptr);
    transport::report_dead_letter(
      {what.target->aid, what.sender, {}, transport::text_of(*why)});
    return;
  }
  if (!does_.makes && what.id.is_response()
      && content.match_elements<caf::error>())
    content
      = caf::make_message(on_machine(content.get_as<caf::error>(0), other_));
  auto* const runner = node_.receiver().runner_for(what.target->aid);
  if (what.target->enqueue(
        transport::version::make_element(std::move(what.sender), what.id,
                                         std::move(stages), std::move(content)),
        runner))
    return;
  // A proxy has told of it.
  if (node_.is_local(what.target)
      && dynamic_cast<remote_proxy*>(what.target->get()) == nullptr)
    transport::report_dead_letter(
      {what.target->aid, nullptr, {}, "its actor has ended"});
}

void gateway::end_imported(std::uint64_t number, const caf::error& why) {
  caf::strong_actor_ptr proxy;
  caf::attachable_ptr waiting;
  {
    const lock guard{mutex_};
    const auto found = imported_.find(number);
    if (found == imported_.end())
      return;
    auto& entry = found->second;
    entry.ended = why;
    proxy = entry.proxy.lock();
    waiting = std::move(entry.waiting);
    if (entry.proxies == 0)
      imported_.erase(found);
  }
  if (proxy)
    as_proxy(proxy).end(why);
  tell(waiting, why);
}

void gateway::proxy_gone(std::uint64_t number, std::uint64_t handles,
                         caf::attachable_ptr waiting) {
  std::optional<caf::error> ended;
  caf::strong_actor_ptr next;
  caf::attachable_ptr needless;
  bool lost = false;
  {
    const lock guard{mutex_};
    lost = lost_.has_value();
    const auto found = imported_.find(number);
    if (found == imported_.end())
      return;
    auto& entry = found->second;
    --entry.proxies;
    ended = entry.ended;
    if (!ended)
      next = entry.proxy.lock();
    if (!ended && !next) {
      append(entry.waiting, std::move(waiting));
      // What the table of this process has attached is needed by nobody then.
      if (entry.proxies == 0 && node_.exported()->forget(entry.id))
        ++entry.idle;
      if (length_of(entry.waiting.get()) == entry.idle) {
        needless = std::move(entry.waiting);
        entry.idle = 0;
      }
    }
    if (entry.proxies == 0 && ended)
      imported_.erase(found);
  }
  if (ended)
    tell(waiting, *ended);
  while (waiting != nullptr) {
    auto rest = std::move(waiting->next);
    if (next)
      next->get()->attach(std::move(waiting));
    waiting = std::move(rest);
  }
  // Behind all that was sent to it.
  if (!lost)
    put(frame_of(actor_frame::dropped, dropped_note{number, handles}),
        first_stream - 1, true);
}

void gateway::lose(const std::string& why) {
  {
    const lock guard{mutex_};
    if (lost_)
      return;
    lost_ = why;
  }
  later([own = shared_from_this()] { own->end_all(); });
}

void gateway::end_all() {
  const auto why = lost_error();
  std::vector<caf::strong_actor_ptr> kept;
  decltype(open_) open;
  decltype(spawns_) spawns;
  decltype(service_) service;
  std::vector<std::uint64_t> numbers;
  decltype(exported_) exported;
  {
    const lock guard{mutex_};
    open.swap(open_);
    spawns.swap(spawns_);
    service.swap(service_);
    exported.swap(exported_);
    numbers_.clear();
    for (const auto& [number, each] : imported_)
      numbers.push_back(number);
  }
  for (const auto& [key, each] : open)
    if (const auto asker = each.asker.lock())
      node_.fail_request(asker, caf::message_id{each.sent_id}, why);
  for (const auto number : numbers)
    end_imported(number, why);
  for (const auto& [number, each] : spawns)
    settle(*each, nullptr, why);
  if (service)
    settle(*service, nullptr, why);
  for (auto& [number, each] : exported)
    if (each.held)
      node_.receiver().release(std::move(each.held));
}

// Actors that one end makes for the other.

caf::strong_actor_ptr gateway::spawn(spawn_order what,
                                     const placed_actors& handles) {
  const auto pending = std::make_shared<pending_actor>();
  sending about;
  bool lost = false;
  {
    const lock guard{mutex_};
    lost = lost_.has_value();
    if (!lost) {
      for (const auto& [place, actor] : handles)
        what.handles.emplace_back(place, refer(actor, about).packed);
      what.number = ++last_spawn_;
      spawns_.emplace(what.number, pending);
    }
  }
  if (!lost) {
    // Each in its own stream, so that a long one delays no other.
    put(frame_of(actor_frame::spawn, what), first_stream - 1 - what.number,
        false);
    finish(std::move(about));
    std::unique_lock guard{pending->mutex};
    pending->changed.wait(guard, [&] { return pending->done; });
  } else {
    pending->failure = lost_error();
  }
  if (pending->made)
    return std::move(pending->made);
  throw_answer(pending->failure, "make an actor on " + other_,
               "the maker of an actor on " + other_);
}

void gateway::take_spawn(bytes_view content) {
  if (!does_.makes)
    malformed("it has this end make an actor");
  auto what = codec::decode<spawn_order>(content);
  const auto actors = resolve_all(what.handles);
  write_handles(what.arguments, actors);
  does_.makes(std::move(what), actors_of(actors));
}

void gateway::answer_spawn(spawned_note note) {
  put(frame_of(actor_frame::spawned, note), first_stream - 1, false);
}

void gateway::spawned(std::uint64_t number, const caf::strong_actor_ptr& made) {
  sending about;
  spawned_note note{number, 0, {}};
  {
    const lock guard{mutex_};
    note.actor = refer(made, about).packed;
  }
  answer_spawn(std::move(note));
  finish(std::move(about));
}

void gateway::spawned(std::uint64_t number, const caf::error& failure) {
  answer_spawn({number, 0, written(node_, failure)});
}

void gateway::take_spawned(bytes_view content) {
  const auto note = codec::decode<spawned_note>(content);
  std::shared_ptr<pending_actor> pending;
  {
    const lock guard{mutex_};
    auto found = spawns_.extract(note.number);
    if (found.empty()) {
      if (lost_)
        return;
      malformed("it has made an actor that nobody has asked for");
    }
    pending = std::move(found.mapped());
  }
  auto made = resolve({note.actor});
  auto failure = made ? caf::error{} : read_error(node_, note.failure);
  settle(*pending, std::move(made), std::move(failure));
}

void gateway::settle(pending_actor& what, caf::strong_actor_ptr made,
                     caf::error failure) {
  const std::scoped_lock guard{what.mutex};
  what.done = true;
  what.made = std::move(made);
  what.failure = std::move(failure);
  what.changed.notify_all();
}

void throw_answer(const caf::error& failure, std::string_view attempted,
                  const std::string& who) {
  const auto thrown = transport::failure_of(failure);
  if (thrown.code == errc::remote_exception)
    hosting::raise(remote_error{who, thrown});
  throw_error(thrown.code == errc::none ? errc::invalid_state : thrown.code,
              attempted, thrown.text);
}

// What the roots say to each other otherwise, with handles in it.

void write_handles(bytes& into, const placed_actors& actors) {
  auto& own = transport::node::require();
  std::size_t next = 0;
  for (const auto& [place, actor] : actors) {
    const auto size = into.size();
    if (place < next || size < transport::handle_place
        || place > size - transport::handle_place)
      malformed("a handle outside of what it belongs to");
    next = place + transport::handle_place;
    // Where whoever reads looks for it.
    if (actor && own.is_local(actor))
      static_cast<void>(own.exported()->note(actor));
    transport::write_handle(into.data() + place, actor);
  }
}

void gateway::carry(bytes message, const placed_actors& actors,
                    std::uint64_t stream, bool behind_all) {
  carried_message what{std::move(message), {}};
  sending about;
  {
    const lock guard{mutex_};
    if (lost_)
      return;
    for (const auto& [place, actor] : actors)
      what.handles.emplace_back(place, refer(actor, about).packed);
  }
  put(frame_of(actor_frame::carried, what), stream, behind_all);
  finish(std::move(about));
}

void gateway::take_carried(bytes_view content) {
  auto what = codec::decode<carried_message>(content);
  if (!does_.takes)
    malformed("it has handles in what has none");
  auto actors = resolve_all(what.handles);
  does_.takes(std::move(what.content), std::move(actors));
}

caf::strong_actor_ptr gateway::service() {
  std::shared_ptr<pending_actor> pending;
  bool asked = false;
  {
    const lock guard{mutex_};
    if (!lost_) {
      asked = service_ != nullptr;
      if (!asked)
        service_ = std::make_shared<pending_actor>();
      pending = service_;
    }
  }
  if (!pending)
    throw machine_lost("ask " + other_ + " for machines",
                       transport::text_of(lost_error()));
  if (!asked)
    put(frame_of(actor_frame::service, std::uint64_t{0}), first_stream - 1,
        false);
  std::unique_lock guard{pending->mutex};
  pending->changed.wait(guard, [&] { return pending->done; });
  if (!pending->made)
    throw machine_lost("ask " + other_ + " for machines",
                       transport::text_of(pending->failure));
  return pending->made;
}

void gateway::take_service(bytes_view content) {
  const auto said = codec::decode<std::uint64_t>(content);
  if (does_.serves) {
    sending about;
    std::uint64_t answer = 0;
    const auto by = does_.serves();
    {
      const lock guard{mutex_};
      answer = refer(by, about).packed;
    }
    put(frame_of(actor_frame::service, answer), first_stream - 1, false);
    return finish(std::move(about));
  }
  std::shared_ptr<pending_actor> pending;
  {
    const lock guard{mutex_};
    pending = service_;
  }
  if (!pending)
    malformed("it serves one that has not asked it to");
  auto by = resolve({said});
  auto failure = by ? caf::error{}
                    : make_error(errc::machine_lost, "it is about to end");
  settle(*pending, std::move(by), std::move(failure));
}

} // namespace troupe::machines
