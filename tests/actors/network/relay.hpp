// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/network/address.hpp>
#include <troupe/os/descriptor.hpp>
#include <troupe/os/tcp.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <poll.h>
#include <sys/socket.h>

namespace troupe::test {

/// What the way is like.
struct relay_options {
  /// Bytes a second, each way; 0: as fast as it can.
  std::size_t rate = 0;
  /// Nothing is passed on for so long after a connection has come.
  std::chrono::milliseconds delay{0};
  /// Whether it keeps what it hears.
  bool hears = true;
};

/// Stands on the way to a server: hears what is said, and changes, slows down
/// or cuts it.
class relay {
public:
  enum direction : std::size_t { to_server, to_client };

  explicit relay(network::address to, const relay_options& options = {})
    : to_(std::move(to)),
      options_(options),
      listening_(os::listen_tcp("127.0.0.1", 0)),
      thread_([this] { run(); }) {
  }
  relay(const relay&) = delete;
  relay& operator=(const relay&) = delete;
  ~relay() {
    stop_ = true;
    thread_.join();
  }

  [[nodiscard]] network::address where() const {
    return network::address{os::local_port(listening_.get())};
  }

  /// All that it has heard.
  [[nodiscard]] std::string heard(direction way) const {
    const std::scoped_lock guard{mutex_};
    return heard_[way];
  }

  /// Changes one bit of what comes next that way: the last of its piece, which
  /// lies in the seal of a TLS record.
  void change_next(direction way) {
    change_[way] = true;
  }

  /// Whether there is nothing left to change that way.
  [[nodiscard]] bool has_changed(direction way) const {
    return !change_[way];
  }

  /// Ends the connections that there are.
  void cut() {
    const std::scoped_lock guard{mutex_};
    for (const auto& each : pairs_)
      for (const auto& end : each->ends)
        os::shut_down(end.get());
  }

  /// How many have ever connected.
  [[nodiscard]] std::size_t connections() const {
    const std::scoped_lock guard{mutex_};
    return pairs_.size();
  }

private:
  using clock = std::chrono::steady_clock;

  struct pair {
    /// As `direction` says who reads from it: the client's, the server's.
    std::array<os::descriptor, 2> ends;
    std::array<bool, 2> over{};
    clock::time_point came = clock::now();
    /// When the next bytes may go, by the rate.
    std::array<clock::time_point, 2> next{came, came};
  };

  static bool ready(int fd, short events) {
    pollfd one{fd, events, 0};
    return ::poll(&one, 1, 1) > 0;
  }

  void send_all(int fd, const char* from, std::size_t size) const {
    while (size != 0 && !stop_) {
      const auto count = ::send(fd, from, size, MSG_NOSIGNAL | MSG_DONTWAIT);
      if (count < 0 && errno != EAGAIN)
        return;
      if (count < 0) {
        static_cast<void>(ready(fd, POLLOUT));
        continue;
      }
      from += count;
      size -= static_cast<std::size_t>(count);
    }
  }

  /// Returns whether something was said.
  bool pass_on(pair& of, direction way) {
    const auto now = clock::now();
    if (of.over[way] || now < of.came + options_.delay || now < of.next[way])
      return false;
    std::array<char, 65536> piece;
    // A slow way passes on little at a time.
    const auto most = options_.rate == 0 ? piece.size() : std::size_t{8192};
    const auto count = ::recv(of.ends[way].get(), piece.data(), most,
                              MSG_DONTWAIT);
    if (count < 0 && errno == EAGAIN)
      return false;
    if (count <= 0) {
      of.over[way] = true;
      ::shutdown(of.ends[1 - way].get(), SHUT_WR);
      return true;
    }
    const auto size = static_cast<std::size_t>(count);
    if (options_.rate != 0)
      // What was missed while this thread did not run is caught up with, as far
      // as a wire has it on its way.
      of.next[way]
        = std::max(of.next[way], now - std::chrono::milliseconds{20})
          + std::chrono::nanoseconds{size * 1'000'000'000 / options_.rate};
    if (options_.hears) {
      const std::scoped_lock guard{mutex_};
      heard_[way].append(piece.data(), size);
    }
    if (change_[way].exchange(false))
      piece[size - 1] = static_cast<char>(piece[size - 1] ^ 1);
    send_all(of.ends[1 - way].get(), piece.data(), size);
    return true;
  }

  void run() {
    os::tcp_acceptor from{listening_.get()};
    std::vector<pair*> all;
    while (!stop_) {
      bool busy = false;
      if (auto client = from.accept()) {
        auto made = std::make_unique<pair>();
        made->ends[to_server] = std::move(client);
        made->ends[to_client] = os::connect_tcp(
          to_.host(), to_.port(), deadline::after(std::chrono::seconds{20}));
        if (options_.rate != 0)
          // Or the whole of a message would wait in the system's buffers.
          for (const auto& end : made->ends)
            for (const int which : {SO_RCVBUF, SO_SNDBUF}) {
              const int size = 32 << 10;
              ::setsockopt(end.get(), SOL_SOCKET, which, &size, sizeof size);
            }
        all.push_back(made.get());
        const std::scoped_lock guard{mutex_};
        pairs_.push_back(std::move(made));
      }
      for (auto* each : all)
        for (const auto way : {to_server, to_client})
          busy |= pass_on(*each, way);
      // Time: between two looks.
      if (!busy)
        std::this_thread::sleep_for(std::chrono::microseconds{200});
    }
  }

  network::address to_;
  relay_options options_;
  os::descriptor listening_;
  mutable std::mutex mutex_;
  std::array<std::string, 2> heard_;
  std::vector<std::unique_ptr<pair>> pairs_;
  std::array<std::atomic<bool>, 2> change_{};
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

} // namespace troupe::test
