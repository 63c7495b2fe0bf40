// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/network/carrier.hpp>
#include <troupe/network/service.hpp>
#include <troupe/os/wait_word.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <set>
#include <thread>

namespace troupe::network {

/// Where requests wait for the service, and the thread that runs it: the loop
/// of the sockets never waits for a function of the user, so that signs of life
/// go out while one runs.
class dispatcher {
public:
  explicit dispatcher(service what);
  dispatcher(const dispatcher&) = delete;
  dispatcher& operator=(const dispatcher&) = delete;

  ~dispatcher();

  /// Drops the requests that wait. When this returns, what was served is
  /// answered.
  /// @blocks on the function that just runs
  void stop();

  /// Returns when all clients have gone.
  void close();

  /// A client has come; it will go.
  void enter(std::uint64_t client);

  /// Serves a request in this thread if nothing waits and the service does it
  /// at once; else keeps it for the other one. The answer goes to `by`, with
  /// the request's tag; to none where that has `no_answer`.
  void dispatch(std::uint64_t client, const std::shared_ptr<carrier>& by,
                arrival& request);

  /// The client has gone; the service is told after all that came from it.
  void leave(std::uint64_t client);

private:
  struct job {
    std::uint64_t client = 0;
    std::uint64_t tag = 0;
    std::shared_ptr<carrier> by;
    payload request;
    bool gone = false;
  };

  [[nodiscard]] bool serve_at_once(std::uint64_t client,
                                   const std::shared_ptr<carrier>& by,
                                   const arrival& request);
  void post(job what);
  void run();
  void serve(job& next);

  service service_;
  std::mutex mutex_;
  std::deque<job> waiting_;
  /// The thread is not through with what it has taken.
  bool busy_ = false;
  std::set<std::uint64_t> clients_;
  // seq_cst: set under `mutex_`, and looked at under that or under `serving_`,
  // which `stop` takes after that.
  std::atomic<bool> closing_{false};
  /// Held while a request is served.
  std::mutex serving_;
  /// Counts what was posted; the thread sleeps on it.
  // seq_cst: `post` counts `news_` and then looks at `asleep_`; the thread sets
  // `asleep_` and then looks at `news_`. One sees the other.
  os::wait_word news_{0};
  std::atomic<bool> asleep_{false};
  std::thread thread_;
};

/// In the tag of a request that is not answered.
inline constexpr std::uint64_t no_answer = std::uint64_t{1} << 63;

} // namespace troupe::network
