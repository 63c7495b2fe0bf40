// SPDX-License-Identifier: BSL-1.0
#include <troupe/network/connection.hpp>

#include <troupe/base/error.hpp>
#include <troupe/mailbox/spinner.hpp>
#include <troupe/memory/run_memory.hpp>
#include <troupe/network/door.hpp>
#include <troupe/network/messages.hpp>
#include <troupe/network/switchboard.hpp>
#include <troupe/network/tls_scribe.hpp>
#include <troupe/network/tls_system.hpp>
#include <troupe/os/tcp.hpp>

#include <caf/actor_cast.hpp>
#include <caf/io/middleman.hpp>
#include <caf/scoped_actor.hpp>

#include <algorithm>
#include <atomic>
#include <set>
#include <utility>

namespace troupe::network {

namespace {

/// Tells whether the other end has shown the key.
class listening_handshake final : public handshake {
public:
  explicit listening_handshake(std::shared_ptr<std::atomic<bool>> done) noexcept
    : done_(std::move(done)) {
  }
  void succeeded() noexcept override {
    done_->store(true);
  }

private:
  std::shared_ptr<std::atomic<bool>> done_;
};

} // namespace

bool answer::wait(deadline limit) const {
  const auto done = [this] { return state_.load() != open; };
  if (mailbox::spinner::of_this_thread().spin(done, limit))
    return true;
  slept_on_ = true;
  while (!done())
    if (!os::wait(state_, open, limit))
      return done();
  return true;
}

void answer::become(std::uint32_t state) noexcept {
  // Sequentially consistent, as the sleeper's store and look are.
  state_ = state;
  if (slept_on_)
    os::wake_all(state_);
  if (watched_)
    memory::ring(memory::run_memory::current().own_slot());
}

bytes answer::take() {
  static_cast<void>(wait(deadline::never()));
  if (state_ == lost)
    throw connection_lost("wait for an answer", why_);
  return std::move(content_);
}

struct connection::parts {
  parts(const key& shared, const limits& bounds) : system(shared, bounds) {
  }
  parts(const parts&) = delete;
  parts& operator=(const parts&) = delete;

  ~parts() {
    if (!here)
      return;
    const tls_system::visit visit;
    caf::scoped_actor self{system.actors(), true};
    self->send_exit(here, caf::exit_reason::user_shutdown);
    self->wait_for(here);
  }

  std::shared_ptr<switchboard> board = std::make_shared<switchboard>();
  tls_system system;
  caf::actor here;
  caf::actor session;
};

connection::connection(const address& where, const key& shared,
                       const limits& bounds, deadline limit)
  : where_(where) {
  const auto attempted = "connect to " + to_string(where);
  auto fd = os::connect_tcp(where.host(), where.port(), limit);
  os::give_up_after(fd.get(), bounds.silence);
  parts_ = std::make_unique<parts>(shared, bounds);
  parts_->board->name = to_string(where);
  auto& system = parts_->system;
  const auto authentic = std::make_shared<std::atomic<bool>>(false);
  forget_errors();
  auto session = caf::openssl::make_session(system.actors(), fd.get(), false);
  if (!session)
    throw not_authentic(attempted, "it does not speak TLS");
  caf::io::scribe_ptr scribe = caf::make_counted<tls_scribe>(
    system.loop(), std::move(fd), std::move(session),
    std::make_unique<listening_handshake>(authentic));
  const auto patience = [&] {
    return caf::timespan{
      std::min<deadline::clock::duration>(limit.left(), std::chrono::hours{1})};
  };
  const auto refuse = [&](const caf::error& why) {
    if (why == caf::sec::request_timeout)
      throw timed_out(attempted, "it has not answered in time");
    if (why == full)
      throw limit_reached(attempted, "it has as many clients as it takes",
                          "try again when one of them has gone");
    if (!*authentic)
      throw not_authentic(attempted, "it has not this key, or this end's key "
                                     "is not its own");
    throw connection_lost(attempted, to_string(why));
  };
  const tls_system::visit visit;
  caf::scoped_actor self{system.actors(), true};
  caf::strong_actor_ptr door;
  // What CAF's own `remote_actor` says to this broker.
  transport::version::request_within(self, patience(), system.basp(),
                                     caf::connect_atom_v, std::move(scribe),
                                     where.port())
    .receive([&](caf::node_id&, caf::strong_actor_ptr& found,
                 std::set<std::string>&) { door = std::move(found); },
             refuse);
  if (!door)
    throw not_authentic(attempted, "nothing is published there");
  parts_->here = system.actors().middleman().spawn_broker(plug, parts_->board,
                                                          &system.loop());
  transport::version::request_within(self, patience(),
                                     caf::actor_cast<caf::actor>(door),
                                     caf::join_atom_v, parts_->here)
    .receive([&](caf::actor& found) { parts_->session = std::move(found); },
             refuse);
  transport::version::send_anonymously(parts_->here, caf::link_atom_v,
                                       parts_->session);
}

connection::~connection() = default;

std::shared_ptr<answer> connection::call(bytes_view request) {
  check_size(request);
  auto made = std::make_shared<answer>();
  const auto number = parts_->board->enter({made, request.size(), false});
  send(number, request);
  return made;
}

bytes connection::ask(bytes_view request) {
  check_size(request);
  const tls_system::visit visit;
  const auto made = std::make_shared<answer>();
  auto& board = *parts_->board;
  const auto number = board.enter({made, request.size(), true});
  // With several on the way, they are served better by a thread that leads on.
  if (board.on_the_way() > 1) {
    send(number, request);
    return made->take();
  }
  {
    wakeful_loop::guest here{parts_->system.loop()};
    send(number, request);
    here.run_until([&] { return made->state_ != answer::open; });
    if (board.on_the_way() > 0)
      here.expect_more();
  }
  return made->take();
}

void connection::check_size(bytes_view request) const {
  if (request.size() > longest_content)
    throw limit_reached("call " + to_string(where_),
                        "the request has more than 1 GiB");
}

void connection::send(std::uint64_t number, bytes_view request) {
  transport::version::send_anonymously(
    parts_->session, number, parcel{bytes(request.begin(), request.end())});
}

void connection::tell(bytes_view request) noexcept {
  if (!is_lost())
    send(0, request);
}

bool connection::is_lost() const noexcept {
  return parts_->board->lost;
}

} // namespace troupe::network
