// SPDX-License-Identifier: BSL-1.0
#include <troupe/transport/handle_coding.hpp>

#include <troupe/base/error.hpp>
#include <troupe/transport/caf_error.hpp>
#include <troupe/transport/message_bytes.hpp>
#include <troupe/transport/node.hpp>
#include <troupe/transport/node_name.hpp>
#include <troupe/transport/shares.hpp>
#include <troupe/transport/type_table.hpp>

#include <utility>

namespace troupe::transport {

namespace {

/// A context for reading outside of the hub: actors woken go to CAF.
class reading_context final : public version::own_context {
public:
  explicit reading_context(caf::actor_system& system)
    : version::own_context(system), system_(system) {
  }
  void later(caf::resumable* woken) override {
    version::schedule(system_, woken);
  }

private:
  caf::actor_system& system_;
};

/// An actor in a message as it travels through queues and arguments.
struct handle_image {
  std::uint64_t process = 0;
  std::uint64_t actor = 0;
};

static_assert(sizeof(handle_image) == handle_place);

} // namespace

void write_handle(std::byte* place, const caf::strong_actor_ptr& actor) {
  handle_image image;
  if (const auto process = actor ? process_of(actor->nid) : std::nullopt)
    image = {process->packed(), actor->aid};
  std::memcpy(place, &image, sizeof image);
}

void save_handle(codec::encoder& to, const caf::strong_actor_ptr& actor) {
  handle_image image;
  if (!actor) {
    to.write(&image, sizeof image);
    return;
  }
  const auto process = process_of(actor->nid);
  if (!process)
    to.refuse("an actor handle", "the actor lives outside of this run");
  if (auto* const aside = to.context_as<handles_aside>()) {
    aside->add(actor);
    to.write(&image, sizeof image);
    return to.handle({});
  }
  image = {process->packed(), actor->aid};
  to.write(&image, sizeof image);
  to.handle(node::require().share_of(actor));
}

caf::strong_actor_ptr load_handle(codec::decoder& from) {
  handle_image image;
  std::memcpy(&image, from.take(sizeof image, "an actor handle"), sizeof image);
  if (image.actor == 0)
    return nullptr;
  const auto process = memory::slot_id::unpacked(image.process);
  if (process.index >= memory::run_memory::current().header().slots)
    from.refuse("an actor handle", "there is no such process");
  auto share = from.handle(memory::object_kind::share);
  auto& own = node::require();
  auto actor = own.actor_in(process, image.actor);
  // Until its process knows that this one holds it.
  own.imported().when_known({{process, image.actor}},
                            [share = std::move(share)] {});
  return actor;
}

} // namespace troupe::transport

namespace troupe::codec {

using namespace troupe::transport;

void coding<caf::message>::save(encoder& to, const caf::message& value) {
  type_table::current().add_own();
  if (const auto type = unknown_type(value.types()))
    throw unknown_message_type("encode a message with " + name_of(*type),
                               "its type is not registered",
                               "name its type-id block in "
                               "troupe::use_messages before troupe::program");
  auto* own = node::current();
  std::vector<std::byte> bytes;
  byte_writer sink{own != nullptr ? &own->system() : nullptr, bytes, 0};
  if (!write_message(sink, value))
    to.refuse("a message",
              "an inspect function refuses: " + text_of(sink.get_error()));
  to.count(sink.written());
  to.write(bytes.data(), sink.written());
  auto objects = std::move(sink.objects());
  for (const auto& each : sink.actors())
    if (const auto actor = own->actor_in(each.process, each.actor))
      if (auto share = own->share_of(actor))
        objects.push_back(std::move(share));
  to.handles(objects);
}

caf::message coding<caf::message>::load(decoder& from) {
  type_table::current().add_own();
  const auto size = from.count(1, "a message");
  const bytes_view bytes{from.take(size, "a message"), size};
  caf::message result;
  caf::type_id_t type = 0;
  std::vector<actor_name> actors;
  const auto read = [&](node* own) {
    if (own == nullptr) {
      byte_reader source{nullptr, nullptr, bytes};
      return read_message(source, result, type);
    }
    reading_context context{own->system()};
    const version::proxy_scope scope{context, own->proxies()};
    byte_reader source{&own->system(), &context, bytes};
    auto outcome = read_result::malformed;
    do
      outcome = read_message(source, result, type);
    while (source.start_again());
    own->handles_read(source.actors());
    actors = source.actors();
    return outcome;
  };
  auto outcome = read(node::current());
  // Only handles of actors need an actor system.
  if (outcome == read_result::malformed && node::current() == nullptr)
    outcome = read(&node::require());
  if (outcome == read_result::unknown_type)
    from.refuse("a message",
                "type " + name_of(type)
                  + " is not registered in this process; name its type-id "
                    "block in troupe::use_messages before troupe::program");
  if (outcome != read_result::done)
    from.refuse("a message", "its bytes are none");
  // The message has taken hold of its objects itself; shares of actors are kept
  // until their processes know that this one holds them.
  auto shares = from.handles();
  if (!actors.empty())
    node::require().imported().when_known(actors,
                                          [kept = std::move(shares)] {});
  make_showable(result);
  return result;
}

} // namespace troupe::codec
