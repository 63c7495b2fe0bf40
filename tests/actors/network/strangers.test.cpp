// SPDX-License-Identifier: BSL-1.0
#include <troupe/base/error.hpp>
#include <troupe/network/connection.hpp>
#include <troupe/network/credentials.hpp>
#include <troupe/network/listener.hpp>
#include <troupe/os/descriptor.hpp>
#include <troupe/os/tcp.hpp>

#include <doctest/doctest.h>
#include <support/eventually.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <openssl/ssl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "key_holder.hpp"
#include "shared_key.hpp"

using namespace std::chrono_literals;
using troupe::bytes;
using troupe::bytes_view;
using troupe::deadline;
using troupe::network::address;
using troupe::network::connection;
using troupe::network::frame_kind;
using troupe::network::key;
using troupe::network::limits;
using troupe::network::listener;
using troupe::network::service;
using troupe::test::eventually;
using troupe::test::forged_messages;
using troupe::test::shared;

namespace {

service echo() {
  return {[](std::uint64_t, bytes_view request, service::reply_function reply) {
            reply(request);
          },
          {},
          [](std::uint64_t) {}};
}

/// Catches standard error while it lives.
class caught {
public:
  caught() : file_(::memfd_create("caught", MFD_CLOEXEC)), before_(::dup(2)) {
    ::dup2(file_.get(), 2);
  }
  caught(const caught&) = delete;
  caught& operator=(const caught&) = delete;
  ~caught() {
    ::dup2(before_.get(), 2);
  }

  [[nodiscard]] std::string text() const {
    std::ifstream file{"/proc/self/fd/" + std::to_string(file_.get())};
    return {std::istreambuf_iterator<char>{file}, {}};
  }

  /// Lines about that listener: of the one before some may still come.
  [[nodiscard]] long lines(const std::string& with, const listener& of) const {
    const auto about = to_string(of.where()) + ' ';
    std::ifstream file{"/proc/self/fd/" + std::to_string(file_.get())};
    long count = 0;
    for (std::string line; std::getline(file, line);)
      count += line.find(with) != std::string::npos
                   && line.find(about) != std::string::npos
                 ? 1
                 : 0;
    return count;
  }

  /// How many were turned away, by the lines and by the counts.
  [[nodiscard]] long turned_away(const listener& of) const {
    const auto words = to_string(of.where()) + " has turned away ";
    std::ifstream file{"/proc/self/fd/" + std::to_string(file_.get())};
    long count = 0;
    for (std::string line; std::getline(file, line);)
      if (const auto at = line.find(words); at != std::string::npos)
        count += line.ends_with(" more")
                   ? std::stol(line.substr(at + words.size()))
                   : 1;
    return count;
  }

private:
  troupe::os::descriptor file_;
  troupe::os::descriptor before_;
};

troupe::os::descriptor knock(const address& where) {
  return troupe::os::connect_tcp(where.host(), where.port(),
                                 deadline::after(20s));
}

/// Whether the other end has closed the connection.
bool is_closed(int fd) {
  std::array<char, 4096> some{};
  const auto count = ::recv(fd, some.data(), some.size(), MSG_DONTWAIT);
  return count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR);
}

bool ends(const troupe::os::descriptor& fd) {
  return eventually([&] { return is_closed(fd.get()); });
}

long open_descriptors() {
  return std::distance(std::filesystem::directory_iterator{"/proc/self/fd"},
                       std::filesystem::directory_iterator{});
}

/// A client with the key that works all the time.
class busy {
public:
  explicit busy(const address& where)
    : line_(where, shared()), thread_([this] {
        try {
          while (!stop_) {
            if (line_.call(asked_)->take() != asked_)
              return;
            ++answered_;
          }
          whole_ = true;
        } catch (const troupe::error&) {
        }
      }) {
  }
  busy(const busy&) = delete;
  busy& operator=(const busy&) = delete;
  ~busy() {
    stop();
  }

  /// Whether it was answered all the time, and still is.
  bool stop() {
    const auto before = answered_.load();
    static_cast<void>(
      eventually([&] { return answered_ > before + 10 || whole_; }));
    const bool alive = answered_ > before;
    stop_ = true;
    if (thread_.joinable())
      thread_.join();
    return alive && whole_;
  }

private:
  bytes asked_ = bytes(64, std::byte{7});
  connection line_;
  std::atomic<long> answered_{0};
  std::atomic<bool> stop_{false};
  std::atomic<bool> whole_{false};
  std::thread thread_;
};

/// A context of OpenSSL that asks nobody for a certificate, and shows that of a
/// key; none: it shows nothing.
std::unique_ptr<SSL_CTX, void (*)(SSL_CTX*)> showing(const SSL_METHOD* method,
                                                     const key* which) {
  std::unique_ptr<SSL_CTX, void (*)(SSL_CTX*)> made{::SSL_CTX_new(method),
                                                    ::SSL_CTX_free};
  ::SSL_CTX_set_verify(made.get(), SSL_VERIFY_NONE, nullptr);
  if (which == nullptr)
    return made;
  const troupe::network::credentials shown{*which};
  REQUIRE(::SSL_CTX_use_PrivateKey(made.get(), shown.private_key()) == 1);
  REQUIRE(::SSL_CTX_use_certificate(made.get(), shown.certificate()) == 1);
  return made;
}

using tls_session = std::unique_ptr<SSL, void (*)(SSL*)>;

tls_session session_on(SSL_CTX* context, const troupe::os::descriptor& fd) {
  ::fcntl(fd.get(), F_SETFL, ::fcntl(fd.get(), F_GETFL) & ~O_NONBLOCK);
  const timeval most{20, 0};
  ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &most, sizeof most);
  tls_session made{::SSL_new(context), ::SSL_free};
  REQUIRE(::SSL_set_fd(made.get(), fd.get()) == 1);
  return made;
}

/// Says what it likes through TLS, to whoever it is.
class speaker {
public:
  /// Shows the certificate of `which`; none: it shows nothing.
  explicit speaker(const address& where, const key* which = &shared(),
                   int newest = TLS1_3_VERSION)
    : fd_(knock(where)), context_(showing(::TLS_client_method(), which)) {
    REQUIRE(::SSL_CTX_set_max_proto_version(context_.get(), newest) == 1);
    session_ = session_on(context_.get(), fd_);
    welcome_ = ::SSL_connect(session_.get()) == 1;
  }

  /// Whether the handshake is over for this end. In TLS 1.3 it is before the
  /// other end has seen the certificate.
  [[nodiscard]] bool is_welcome() const noexcept {
    return welcome_;
  }

  bool say(bytes_view what) {
    return ::SSL_write(session_.get(), what.data(),
                       static_cast<int>(what.size()))
           == static_cast<int>(what.size());
  }

  /// Hears out what the other end says. Returns whether it ends in time.
  bool ends() {
    std::array<char, 4096> some{};
    while (::SSL_read(session_.get(), some.data(), some.size()) > 0) {
    }
    return ::ends(fd_);
  }

private:
  troupe::os::descriptor fd_;
  std::unique_ptr<SSL_CTX, void (*)(SSL_CTX*)> context_;
  tls_session session_{nullptr, ::SSL_free};
  bool welcome_ = false;
};

/// A TLS server of somebody else's, for one client, of whom it wants no
/// certificate.
class impostor {
public:
  explicit impostor(const key& which)
    : listening_(troupe::os::listen_tcp("127.0.0.1", 0)),
      context_(showing(::TLS_server_method(), &which)),
      thread_([this] { run(); }) {
  }
  impostor(const impostor&) = delete;
  impostor& operator=(const impostor&) = delete;
  ~impostor() {
    static_cast<void>(was_trusted());
  }

  [[nodiscard]] address where() const {
    return address{troupe::os::local_port(listening_.get())};
  }

  /// Whether its client has finished the handshake.
  bool was_trusted() {
    if (thread_.joinable())
      thread_.join();
    return trusted_;
  }

private:
  void run() {
    troupe::os::tcp_acceptor from{listening_.get()};
    troupe::os::descriptor taken;
    if (!eventually([&] {
          taken = from.accept();
          return static_cast<bool>(taken);
        }))
      return;
    const auto session = session_on(context_.get(), taken);
    trusted_ = ::SSL_accept(session.get()) == 1;
    if (!trusted_)
      return;
    // What the client makes of it is its own decision: it is not sent away.
    const bytes senseless(64, std::byte{0xFF});
    static_cast<void>(::SSL_write(session.get(), senseless.data(),
                                  static_cast<int>(senseless.size())));
    static_cast<void>(eventually([&] { return is_closed(taken.get()); }));
  }

  troupe::os::descriptor listening_;
  std::unique_ptr<SSL_CTX, void (*)(SSL_CTX*)> context_;
  bool trusted_ = false;
  std::thread thread_;
};

/// The most memory that this process has ever had, in mebibytes.
long most_memory() {
  std::ifstream file{"/proc/self/status"};
  for (std::string line; std::getline(file, line);)
    if (line.starts_with("VmHWM:"))
      return std::stol(line.substr(6)) / 1024;
  return 0;
}

limits quick() {
  limits bounds;
  bounds.handshake = 2s;
  bounds.strangers = 16;
  return bounds;
}

limits patient() {
  auto bounds = quick();
  bounds.handshake = 60s;
  return bounds;
}

} // namespace

TEST_CASE("garbage is turned away, told of once, and disturbs nobody") {
  const caught told;
  auto bounds = quick();
  bounds.strangers = 64;
  const listener door{address{}, shared(), echo(), bounds};
  busy client{door.where()};
  std::mt19937 random{4242};
  std::vector<troupe::os::descriptor> all;
  for (int i = 0; i < 30; ++i) {
    const auto& fd = all.emplace_back(knock(door.where()));
    std::string noise(1 + random() % 3000, '\0');
    std::generate(noise.begin(), noise.end(),
                  [&] { return static_cast<char>(random()); });
    // The last ones begin as TLS does.
    if (i >= 15)
      std::memcpy(noise.data(), "\x16\x03\x01\x02\x00\x01",
                  std::min<std::size_t>(6, noise.size()));
    static_cast<void>(
      ::send(fd.get(), noise.data(), noise.size(), MSG_NOSIGNAL));
  }
  // Some wait for more of it, until their time is over.
  for (const auto& fd : all)
    CHECK(ends(fd));
  CHECK(eventually([&] { return door.strangers() == 0; }));
  CHECK(eventually([&] { return told.lines("has turned away", door) == 30; }));
  CHECK(client.stop());
}

TEST_CASE("who speaks HTTP is turned away") {
  const caught told;
  const listener door{address{}, shared(), echo(), patient()};
  const auto fd = knock(door.where());
  const std::string asked{"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"};
  static_cast<void>(::send(fd.get(), asked.data(), asked.size(), 0));
  CHECK(ends(fd));
  CHECK(eventually([&] { return door.strangers() == 0; }));
  CHECK(eventually(
    [&] { return told.lines("it did not show the key", door) == 1; }));
}

TEST_CASE("who says nothing is turned away when its time is over") {
  const caught told;
  const listener door{address{}, shared(), echo(), quick()};
  busy client{door.where()};
  const auto fd = knock(door.where());
  CHECK(ends(fd));
  CHECK(eventually([&] { return door.strangers() == 0; }));
  CHECK(eventually([&] {
    return told.lines("it has not shown the key in 2000 ms", door) == 1;
  }));
  CHECK(client.stop());
}

TEST_CASE("who sends a byte now and then gains no time") {
  const caught told;
  const listener door{address{}, shared(), echo(), quick()};
  const auto fd = knock(door.where());
  // The beginning of a long TLS record.
  const std::string begin{"\x16\x03\x01\x40\x00\x01\x00\x3f\xfc", 9};
  static_cast<void>(::send(fd.get(), begin.data(), begin.size(), 0));
  CHECK(eventually([&] {
    static_cast<void>(::send(fd.get(), "\x01", 1, MSG_NOSIGNAL));
    // Time: the rate of the bytes.
    std::this_thread::sleep_for(20ms);
    return is_closed(fd.get());
  }));
  CHECK(eventually([&] { return door.strangers() == 0; }));
  CHECK(eventually([&] { return told.lines("has turned away", door) == 1; }));
}

TEST_CASE("200 idle connections are bounded and end, and disturb nobody") {
  const caught told;
  const auto bounds = quick();
  const listener door{address{}, shared(), echo(), bounds};
  busy client{door.where()};
  const auto before = open_descriptors();
  std::vector<troupe::os::descriptor> idle;
  std::uint32_t most = 0;
  for (int i = 0; i < 200; ++i) {
    idle.push_back(knock(door.where()));
    most = std::max(most, door.strangers());
  }
  CHECK(most <= 16);
  CHECK(eventually([&] {
    return std::all_of(idle.begin(), idle.end(),
                       [](const auto& each) { return is_closed(each.get()); });
  }));
  CHECK(eventually([&] { return door.strangers() == 0; }));
  idle.clear();
  CHECK(eventually([&] { return open_descriptors() <= before; }));
  CHECK(eventually([&] { return told.turned_away(door) == 200; }));
  // The first ones have a line each, the others are counted.
  CHECK(told.lines("has turned away", door) >= 50);
  CHECK(told.lines("has turned away", door) < 100);
  CHECK(client.stop());
}

TEST_CASE("strangers who stay do not keep those out who have the key") {
  const caught told;
  const auto bounds = patient();
  const listener door{address{}, shared(), echo(), bounds};
  std::vector<troupe::os::descriptor> idle;
  for (std::uint32_t i = 0; i < bounds.strangers; ++i)
    idle.push_back(knock(door.where()));
  CHECK(eventually([&] { return door.strangers() == bounds.strangers; }));
  connection client{door.where(), shared()};
  CHECK(client.call({})->take().empty());
  // The one that came first has made room.
  CHECK(ends(idle.front()));
  CHECK(eventually([&] { return told.lines("has turned away", door) == 1; }));
  CHECK(door.strangers() == bounds.strangers - 1);
  CHECK(door.clients() == 1);
}

TEST_CASE("ten wrong keys in a row leave nothing behind") {
  const caught told;
  const listener door{address{}, shared(), echo(), patient()};
  busy client{door.where()};
  const key wrong{"a key that is wrong here"};
  const auto before = open_descriptors();
  for (int i = 0; i < 10; ++i)
    CHECK_THROWS_AS((connection{door.where(), wrong}), troupe::not_authentic);
  CHECK(eventually([&] { return door.strangers() == 0; }));
  CHECK(eventually([&] { return open_descriptors() <= before; }));
  CHECK(eventually(
    [&] { return told.lines("it did not show the key", door) == 10; }));
  CHECK(client.stop());
}

TEST_CASE("the key is in no line that is told") {
  const caught told;
  const listener door{address{}, shared(), echo(), patient()};
  CHECK_THROWS_AS((connection{door.where(), key{"a key that is wrong here"}}),
                  troupe::not_authentic);
  CHECK(eventually([&] { return told.lines("has turned away", door) == 1; }));
  CHECK(told.text().find("a key") == std::string::npos);
}

TEST_CASE("there are no more clients than there may be") {
  const caught told;
  auto bounds = patient();
  bounds.clients = 2;
  const listener door{address{}, shared(), echo(), bounds};
  connection one{door.where(), shared()};
  {
    const connection two{door.where(), shared()};
    CHECK_THROWS_AS((connection{door.where(), shared()}),
                    troupe::limit_reached);
    CHECK(eventually(
      [&] { return told.lines("there are 2 clients already", door) == 1; }));
  }
  CHECK(eventually([&] { return door.clients() == 1; }));
  connection three{door.where(), shared()};
  CHECK(three.call({})->take().empty());
  CHECK(one.call({})->take().empty());
}

TEST_CASE("a message of 4 GiB is cut off, told of once, and takes no memory") {
  const caught told;
  const listener door{address{}, shared(), echo(), patient()};
  busy client{door.where()};
  const auto before = most_memory();
  const auto said = forged_messages(
    {{frame_kind::begin, 1, troupe::network::to_bytes(0xFFFF'FFFFULL)}});
  for (long i = 1; i <= 5; ++i) {
    speaker one{door.where()};
    REQUIRE(one.is_welcome());
    CHECK(one.say(said));
    CHECK(one.ends());
    CHECK(eventually([&] {
      return told.lines("it has announced a message of 4294967295 bytes", door)
             == i;
    }));
  }
  CHECK(eventually([&] { return door.clients() == 1; }));
  CHECK(told.lines("troupe: ", door) == 5);
  // Each has derived the keys, which takes 32 MiB of its own.
  CHECK(most_memory() - before < 256);
  CHECK(client.stop());
}

TEST_CASE("a server that says nothing keeps nobody longer than allowed") {
  const auto mute = troupe::os::listen_tcp("127.0.0.1", 0);
  CHECK_THROWS_AS((connection{address{troupe::os::local_port(mute.get())},
                              shared(),
                              {},
                              deadline::after(100ms)}),
                  troupe::timed_out);
}

TEST_CASE("a server that is none of ours is not trusted") {
  const auto other = troupe::os::listen_tcp("127.0.0.1", 0);
  std::thread answers{[&] {
    troupe::os::tcp_acceptor from{other.get()};
    troupe::os::descriptor taken;
    static_cast<void>(eventually([&] {
      taken = from.accept();
      return static_cast<bool>(taken);
    }));
    const std::string hello{"220 mail.example ESMTP\r\n"};
    static_cast<void>(
      ::send(taken.get(), hello.data(), hello.size(), MSG_NOSIGNAL));
    static_cast<void>(eventually([&] { return is_closed(taken.get()); }, 2s));
  }};
  CHECK_THROWS_AS((connection{address{troupe::os::local_port(other.get())},
                              shared()}),
                  troupe::not_authentic);
  answers.join();
}

TEST_CASE("who speaks TLS without the key is turned away, though it would "
          "trust anybody") {
  const key wrong{"a key that is wrong here"};
  for (const auto newest : {TLS1_2_VERSION, TLS1_3_VERSION})
    for (const auto* shown : {static_cast<const key*>(nullptr), &wrong}) {
      CAPTURE(newest);
      CAPTURE(shown == nullptr);
      const caught told;
      const listener door{address{}, shared(), echo(), patient()};
      busy client{door.where()};
      speaker one{door.where(), shown, newest};
      static_cast<void>(one.say(bytes(32, std::byte{1})));
      CHECK(one.ends());
      CHECK(eventually([&] { return door.strangers() == 0; }));
      CHECK(door.clients() == 1);
      CHECK(eventually(
        [&] { return told.lines("it did not show the key", door) == 1; }));
      CHECK(told.lines("troupe: ", door) == 1);
      CHECK(client.stop());
    }
}

TEST_CASE("a TLS server with another key is not trusted, though it would trust "
          "anybody") {
  {
    // The same with this key gets further: the key alone makes the difference.
    impostor right{shared()};
    CHECK_THROWS_AS((connection{right.where(), shared()}),
                    troupe::connection_lost);
    CHECK(right.was_trusted());
  }
  impostor wrong{key{"a key that is wrong here"}};
  CHECK_THROWS_AS((connection{wrong.where(), shared()}), troupe::not_authentic);
  CHECK_FALSE(wrong.was_trusted());
}

TEST_CASE("a quiet connection is not a lost one") {
  limits bounds;
  bounds.silence = 500ms;
  const listener door{address{}, shared(), echo(), bounds};
  connection line{door.where(), shared(), bounds};
  // Time: after which it would be lost. Signs of life keep it.
  std::this_thread::sleep_for(3 * bounds.silence);
  CHECK(line.call({})->take().empty());
}
