// SPDX-License-Identifier: BSL-1.0
#include <troupe/network/tls_carrier.hpp>

#include <troupe/base/error.hpp>
#include <troupe/os/boot_clock.hpp>
#include <troupe/os/tcp.hpp>

#include <algorithm>
#include <array>
#include <new>
#include <string>
#include <utility>

namespace troupe::network {

namespace {

/// What the kernel holds and has not sent: two pieces' time at the most.
constexpr unsigned ahead = 128U << 10;

/// Reads and writes of one connection before others have their turn, and what
/// came in is looked at again.
constexpr int most_reads = 4;
constexpr int most_writes = 2;

constexpr std::size_t longest_record = 16U << 10;

/// More than this given back by the service is worth telling the other end.
constexpr std::size_t worth_granting = most_unanswered / 8;

[[noreturn]] void refuse_frame(const std::string& why) {
  throw malformed_bytes("read a frame", why);
}

} // namespace

class tls_carrier::coming final : public arrival {
public:
  /// A small one is copied where it is to be kept.
  coming(std::uint64_t tag, bytes_view content, payload* whole,
         std::shared_ptr<payload_account> account) noexcept
    : arrival(tag, content), whole_(whole), account_(std::move(account)) {
  }

  [[nodiscard]] payload take() override {
    payload taken;
    if (whole_ != nullptr) {
      taken = std::move(*whole_);
    } else {
      taken = payload{content().size()};
      std::copy(content().begin(), content().end(), taken.data());
    }
    taken.count(account_);
    return taken;
  }

private:
  payload* whole_;
  std::shared_ptr<payload_account> account_;
};

tls_carrier::tls_carrier(std::shared_ptr<event_loop> loop,
                         const tls_context& with, const limits& bounds,
                         carrier_terms terms)
  : loop_(std::move(loop)),
    role_(with.as()),
    bounds_(bounds),
    terms_(std::move(terms)),
    tls_(with),
    beat_(bounds.silence / 5),
    longest_silence_(bounds.silence) {
}

tls_carrier::~tls_carrier() = default;

std::shared_ptr<tls_carrier>
tls_carrier::make_client(std::shared_ptr<event_loop> loop,
                         const tls_context& with, os::descriptor fd,
                         const limits& bounds, std::shared_ptr<receiver> to,
                         carrier_terms terms) {
  auto made = std::make_shared<tls_carrier>(loop, with, bounds,
                                            std::move(terms));
  made->receiver_ = std::move(to);
  // `post` takes what can be copied.
  auto shared_fd = std::make_shared<os::descriptor>(std::move(fd));
  loop->post([made, shared_fd] { made->start(std::move(*shared_fd)); });
  return made;
}

void tls_carrier::make_server(std::shared_ptr<event_loop> loop,
                              const tls_context& with, os::descriptor fd,
                              const limits& bounds,
                              const std::shared_ptr<admission>& at,
                              receiver_function to, carrier_terms terms) {
  auto made = std::make_shared<tls_carrier>(std::move(loop), with, bounds,
                                            std::move(terms));
  made->make_receiver_ = std::move(to);
  // The entry, which the carrier has, must not keep the carrier.
  const std::weak_ptr<tls_carrier> weak{made};
  made->entry_ = admission::admit(at, os::name_of_peer(fd.get()),
                                  [weak](const loss& why) {
                                    if (const auto of = weak.lock())
                                      of->end(why);
                                  });
  made->start(std::move(fd));
}

void tls_carrier::start(os::descriptor fd) {
  os::send_without_delay(fd.get());
  os::send_little_ahead(fd.get(), ahead);
  watch_.emplace(*loop_, std::move(fd), weak_from_this());
  watch_->await_readable();
  alive_ = self();
  if (role_ == tls_context::role::server)
    watch_->alarm_after(bounds_.handshake);
  else
    shake_hands();
}

void tls_carrier::send(const departure& what) {
  queue_.message(what);
  if (!ends_turn_.exchange(true))
    loop_->end_turn_of(shared_from_this());
}

void tls_carrier::refuse(std::uint64_t tag) {
  queue_.control(frame_kind::too_long, tag, {});
  if (!ends_turn_.exchange(true))
    loop_->end_turn_of(shared_from_this());
}

bool tls_carrier::borrows(const std::byte* from) const {
  return queue_.borrows(from);
}

std::size_t tls_carrier::waiting() const {
  return queue_.waiting();
}

void tls_carrier::close() noexcept {
  loop_->post([of = self()] {
    of->end({loss::cause::closed_here, "it was closed here"});
  });
}

void tls_carrier::kept(std::size_t size) noexcept {
  kept_ += size;
}

void tls_carrier::released(std::size_t size) noexcept {
  kept_ -= size;
  if (released_.fetch_add(size) + size < worth_granting)
    return;
  released_ = 0;
  if (!ends_turn_.exchange(true))
    loop_->end_turn_of(shared_from_this());
}

void tls_carrier::end(const loss& why) noexcept {
  if (stage_ == stage::over)
    return;
  const auto alive = std::exchange(alive_, nullptr);
  loop_->expect_no_more_from(*this);
  const auto before = std::exchange(stage_, stage::over);
  if (watch_) {
    if (before == stage::open && why.why == loss::cause::closed_here) {
      // What can be said at once, the answers that there are first.
      write_out();
      queue_.control(frame_kind::goodbye, 0, {});
      write_out();
    }
    tls_.end();
    if (!tls_.out().empty())
      static_cast<void>(os::send_some(watch_->fd(), tls_.out()));
    watch_->close();
  }
  queue_.clear();
  if (entry_)
    entry_->left(why);
  entry_.reset();
  make_receiver_ = nullptr;
  if (const auto to = std::exchange(receiver_, nullptr))
    to->lost(why);
}

void tls_carrier::readable() {
  if (stage_ == stage::over)
    return;
  receive();
  if (stage_ == stage::over)
    return;
  watch_->await_readable();
  if (stage_ == stage::open)
    loop_->expect_from(shared_from_this());
}

bool tls_carrier::look() {
  return stage_ == stage::open && receive();
}

bool tls_carrier::receive() {
  bool some = false;
  const auto alive = shared_from_this();
  for (int i = 0; i < most_reads && stage_ != stage::over; ++i) {
    const auto room = tls_.room();
    const auto got = os::receive_some(watch_->fd(), room);
    if (got.what == os::transfer::outcome::would_wait)
      break;
    if (got.what != os::transfer::outcome::some) {
      end({loss::cause::gone, stage_ == stage::open
                                ? "the other end is gone, or the way there"
                                : "the other end has closed the connection "
                                  "before it was open"});
      return true;
    }
    some = true;
    heard_ = clock::now();
    tls_.filled(got.size);
    decipher();
    if (got.size < room.size())
      break;
  }
  if (some && stage_ == stage::open)
    grant();
  return some;
}

void tls_carrier::decipher() {
  try {
    if (stage_ == stage::handshake)
      shake_hands();
    static thread_local std::array<std::byte, longest_record> record;
    while (stage_ == stage::greeting || stage_ == stage::open) {
      const auto place = reader_.place_in_piece();
      std::size_t size = 0;
      const auto came_to = tls_.read(place.empty() ? bytes_span{record} : place,
                                     size);
      if (came_to == tls_stream::outcome::more)
        return;
      if (came_to == tls_stream::outcome::ended)
        return end({loss::cause::gone, "the other end has closed it"});
      if (came_to == tls_stream::outcome::wrong_key)
        return end({loss::cause::wrong_key, tls_.reason()});
      if (came_to != tls_stream::outcome::done)
        return end({loss::cause::malformed,
                    "what came was changed on its way: " + tls_.reason()});
      if (place.empty())
        reader_.read(bytes_view{record}.first(size));
      else
        reader_.written(size);
    }
  } catch (const malformed_bytes& wrong) {
    end({loss::cause::malformed, wrong.what()});
  } catch (const std::bad_alloc&) {
    end({loss::cause::gone, "there is no memory for what has come"});
  }
}

void tls_carrier::shake_hands() {
  const auto came_to = tls_.handshake();
  if (!flush())
    return;
  switch (came_to) {
    case tls_stream::outcome::done: return shaken_hands();
    case tls_stream::outcome::more: return;
    case tls_stream::outcome::wrong_key:
      return end({loss::cause::wrong_key, tls_.reason()});
    default: return end({loss::cause::not_tls, tls_.reason()});
  }
}

void tls_carrier::shaken_hands() {
  stage_ = stage::greeting;
  if (role_ == tls_context::role::server) {
    entry_->show_key();
    return;
  }
  queue_.control(frame_kind::hello, 0,
                 to_bytes(hello_content{
                   protocol_version, static_cast<std::uint32_t>(terms_.wanted),
                   static_cast<std::uint64_t>(bounds_.silence.count())}));
  // The answer to it prolongs the lease for the first time.
  unanswered_.emplace_back(0, os::boot_now());
  write_out();
}

void tls_carrier::open(std::uint64_t silence_of_other) {
  stage_ = stage::open;
  // As often as the more impatient of the two wants it.
  const auto most = static_cast<std::uint64_t>(bounds_.silence.count());
  beat_ = std::chrono::milliseconds{
    std::max<std::uint64_t>(std::min(most, silence_of_other) / 5, 1)};
  heard_ = clock::now();
  if (terms_.leased) {
    const std::chrono::milliseconds agreed{
      std::max<std::uint64_t>(std::min(most, silence_of_other), 1)};
    term_ = std::chrono::nanoseconds{agreed}.count();
    if (role_ == tls_context::role::server) {
      longest_silence_ = agreed * 3 / 2;
    } else {
      longest_silence_ = agreed;
      answered(0);
    }
  }
  set_alarm();
  receiver_->opened();
}

void tls_carrier::set_alarm() {
  std::chrono::nanoseconds next{beat_};
  if (lease_ != 0)
    next = std::clamp(std::chrono::nanoseconds{lease_ - os::boot_now()},
                      std::chrono::nanoseconds{0}, next);
  watch_->alarm_after(next);
}

void tls_carrier::send_sign() {
  queue_.control(frame_kind::alive, 0,
                 to_bytes(alive_content{++signs_, last_sign_}));
  if (terms_.leased && role_ == tls_context::role::client)
    unanswered_.emplace_back(signs_, os::boot_now());
}

void tls_carrier::answered(std::uint64_t number) {
  if (!terms_.leased || role_ != tls_context::role::client)
    return;
  auto sent = std::int64_t{0};
  while (!unanswered_.empty() && unanswered_.front().first <= number) {
    sent = unanswered_.front().second;
    unanswered_.pop_front();
  }
  if (sent == 0)
    return;
  lease_ = sent + term_;
  if (terms_.prolonged)
    terms_.prolonged(lease_, term_);
}

std::string tls_carrier::name_of_other_end() const {
  return watch_ ? os::name_of_peer(watch_->fd()) : std::string{};
}

void tls_carrier::greet(const frame_header& head, bytes_view content) {
  if (role_ == tls_context::role::client) {
    if (head.kind == frame_kind::welcome) {
      const auto told = read_welcome(content);
      return open(told.silence);
    }
    if (head.kind != frame_kind::refusal)
      refuse_frame("it does not answer as one of ours");
    const auto told = read_refusal(content);
    if (told.reason == refusal_reason::full)
      return end({loss::cause::full, "it has as many clients as it takes"});
    return end({loss::cause::other_protocol,
                told.version == protocol_version
                  ? "it offers something else than what is wanted of it"
                  : "it speaks version " + std::to_string(told.version)
                      + " of the protocol, and this end "
                      + std::to_string(protocol_version)});
  }
  if (head.kind != frame_kind::hello)
    refuse_frame("it does not begin as one of ours");
  const auto told = read_hello(content);
  const auto refuse_it = [this](refusal_reason why) {
    queue_.control(frame_kind::refusal, 0,
                   to_bytes(refusal_content{why, protocol_version}));
    write_out();
  };
  if (told.version != protocol_version
      || told.service != static_cast<std::uint32_t>(terms_.wanted)) {
    refuse_it(refusal_reason::other_protocol);
    return end({loss::cause::other_protocol,
                told.version == protocol_version
                  ? "it wants something else than what is offered"
                  : "it speaks version " + std::to_string(told.version)
                      + " of the protocol"});
  }
  if (!entry_->enter()) {
    refuse_it(refusal_reason::full);
    return end(
      {loss::cause::full,
       "there are " + std::to_string(bounds_.clients) + " clients already"});
  }
  queue_.control(frame_kind::welcome, 0,
                 to_bytes(welcome_content{protocol_version,
                                          static_cast<std::uint64_t>(
                                            bounds_.silence.count())}));
  receiver_ = make_receiver_(self());
  open(told.silence);
  write_out();
}

void tls_carrier::require_open() const {
  if (stage_ != stage::open)
    refuse_frame("it has sent a message before it was welcome");
}

void tls_carrier::control(const frame_header& head, bytes_view content) {
  if (stage_ == stage::over)
    return;
  if (stage_ == stage::greeting)
    return greet(head, content);
  switch (head.kind) {
    case frame_kind::alive: {
      const auto told = read_alive(content);
      if (told.number != last_sign_ + 1 || told.heard > signs_)
        refuse_frame("its signs of life are out of order");
      last_sign_ = told.number;
      answered(told.heard);
      return;
    }
    case frame_kind::credit:
      queue_.set_credit(read_number(content));
      if (!ends_turn_.exchange(true))
        loop_->end_turn_of(shared_from_this());
      return;
    case frame_kind::goodbye:
      return end({loss::cause::closed_there, "the other end has closed it"});
    case frame_kind::too_long: return receiver_->refused(head.tag);
    default: refuse_frame("it has greeted twice");
  }
}

void tls_carrier::small(std::uint64_t tag, bytes_view content) {
  if (stage_ == stage::over)
    return;
  require_open();
  if (reader_.credited() > told_credit_)
    refuse_frame("it has sent more than it may");
  coming what{tag, content, nullptr, self()};
  receiver_->received(what);
}

void tls_carrier::begins(std::uint64_t, std::size_t) {
  require_open();
}

void tls_carrier::whole(std::uint64_t tag, payload content) {
  if (stage_ == stage::over)
    return;
  if (reader_.credited() > told_credit_)
    refuse_frame("it has sent more than it may");
  coming what{tag, content.view(), &content, self()};
  receiver_->received(what);
}

void tls_carrier::writable() {
  awaits_writable_ = false;
  if (stage_ == stage::over)
    return;
  const auto alive = shared_from_this();
  if (stage_ == stage::handshake)
    return shake_hands();
  write_out();
  if (stage_ == stage::open)
    grant();
}

void tls_carrier::end_turn() {
  // Before the look at what there is.
  ends_turn_ = false;
  if (stage_ != stage::greeting && stage_ != stage::open)
    return;
  write_out();
  if (stage_ == stage::open)
    grant();
}

bool tls_carrier::flush() {
  while (!tls_.out().empty()) {
    const auto sent = os::send_some(watch_->fd(), tls_.out());
    if (sent.what == os::transfer::outcome::would_wait) {
      if (!std::exchange(awaits_writable_, true))
        watch_->await_writable();
      return false;
    }
    if (sent.what != os::transfer::outcome::some) {
      // What it said before it went may say why.
      awaits_writable_ = true;
      return false;
    }
    sent_since_beat_ = true;
    tls_.sent(sent.size);
  }
  return true;
}

void tls_carrier::write_out() {
  if (awaits_writable_)
    return;
  for (int i = 0; flush(); ++i) {
    if (i == most_writes) {
      if (!ends_turn_.exchange(true))
        loop_->end_next_turn_of(shared_from_this());
      return;
    }
    bytes_view piece;
    if (!queue_.next(frames_, piece))
      return;
    // The first bytes of a piece fill the record that its header begins.
    const auto filled = frames_.size() % longest_record;
    const auto first = std::min(piece.size(), longest_record - filled);
    frames_.insert(frames_.end(), piece.begin(),
                   piece.begin() + static_cast<std::ptrdiff_t>(first));
    if (!tls_.write(frames_)
        || (first < piece.size() && !tls_.write(piece.subspan(first))))
      return end({loss::cause::gone, "the session of TLS is over"});
    queue_.written();
  }
}

void tls_carrier::grant() {
  // What waits here is an answer to what came only where one asks and the other
  // answers. Elsewhere two ends with much to say would wait for each other.
  const auto answers = terms_.wanted == carrier_terms::service::held_objects
                         ? queue_.waiting()
                         : 0;
  const auto out = kept_.load() + answers + reader_.partial();
  const auto total = reader_.credited() + credit_window;
  if (total < out + told_credit_)
    return;
  const auto more = total - out - told_credit_;
  // A little only where the sender may have nothing left.
  const bool short_of = told_credit_ - reader_.credited() < 4 * longest_piece;
  if (more < (short_of ? frame_header_size : worth_granting))
    return;
  told_credit_ += more;
  queue_.control(frame_kind::credit, 0, to_bytes(told_credit_));
  write_out();
}

void tls_carrier::alarm() {
  if (stage_ == stage::over)
    return;
  if (stage_ != stage::open)
    return end({loss::cause::late, "it has not shown the key in "
                                     + std::to_string(bounds_.handshake.count())
                                     + " ms"});
  const auto alive = shared_from_this();
  // This end may have been the one that stood still.
  receive();
  if (stage_ == stage::over)
    return;
  if (clock::now() - heard_ >= longest_silence_)
    return end({loss::cause::silent,
                "nothing has come for "
                  + std::to_string(longest_silence_.count()) + " ms"});
  if (lease_ != 0 && os::boot_now() >= lease_)
    return end({loss::cause::silent,
                "no sign of life has been answered for "
                  + std::to_string(longest_silence_.count()) + " ms"});
  if (!std::exchange(sent_since_beat_, false) || terms_.leased)
    send_sign();
  write_out();
  if (stage_ != stage::over)
    set_alarm();
}

} // namespace troupe::network
