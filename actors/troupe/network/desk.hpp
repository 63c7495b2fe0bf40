// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/base/bytes.hpp>
#include <troupe/network/service.hpp>
#include <troupe/os/wait_word.hpp>

#include <caf/actor.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <thread>
#include <unordered_map>

namespace troupe::network {

/// Where requests wait for the service, and the thread that runs it: the loop
/// of the sockets never waits for a function of the user, so that signs of life
/// go out while one runs.
class desk {
public:
  /// A client that has more bytes than this waiting here is lost: it does not
  /// keep to what a `connection` does.
  static constexpr std::size_t most_waiting = 256U << 20;

  explicit desk(service what);
  desk(const desk&) = delete;
  desk& operator=(const desk&) = delete;

  ~desk();

  /// Drops the requests that wait. When this returns, what was served is
  /// answered.
  /// @blocks on the function that just runs
  void stop();

  /// Returns when all clients have gone.
  void close();

  /// A client has come; it will go.
  void enter(std::uint64_t client);

  /// Serves a request in this thread if nothing waits and the service does it
  /// at once. Returns false if it was not done.
  [[nodiscard]] bool serve_now(std::uint64_t client, const caf::actor& plug,
                               std::uint64_t number, const bytes& request);

  /// Returns false where too much of this client waits already. The answer to
  /// call `number` goes to `plug`; to none for number 0.
  [[nodiscard]] bool post(std::uint64_t client, caf::actor plug,
                          std::uint64_t number, bytes request);

  /// To be told after all that the client has posted.
  void post_gone(std::uint64_t client);

private:
  struct job {
    std::uint64_t client;
    std::uint64_t number;
    caf::actor plug;
    bytes request;
    bool gone;
  };

  void run();
  void serve(job& next);

  service service_;
  std::mutex mutex_;
  std::deque<job> waiting_;
  /// The thread is not through with what it has taken.
  bool busy_ = false;
  std::unordered_map<std::uint64_t, std::size_t> sizes_;
  std::atomic<bool> closing_{false};
  /// Held while a request is served.
  std::mutex serving_;
  /// Counts what was posted; the thread sleeps on it.
  os::wait_word news_{0};
  std::atomic<bool> asleep_{false};
  std::thread thread_;
};

} // namespace troupe::network
