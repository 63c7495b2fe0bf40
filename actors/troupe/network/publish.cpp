// SPDX-License-Identifier: BSL-1.0
#include <troupe/network/publish.hpp>

#include <troupe/base/error.hpp>
#include <troupe/network/listener.hpp>
#include <troupe/network/publish_messages.hpp>
#include <troupe/shared/buffer.hpp>
#include <troupe/state/call.hpp>
#include <troupe/state/event.hpp>
#include <troupe/state/serving.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include <openssl/crypto.h>

namespace troupe::network {

namespace {

/// What a state's process is told to do.
struct order {
  std::string host;
  std::uint16_t port;
  /// The key, which stands there only until it is read: messages are copied,
  /// and their memory is not wiped.
  buffer secret;
  std::int64_t silence;
  std::int64_t handshake;
  std::uint32_t strangers;
  std::uint32_t clients;
};

std::vector<std::unique_ptr<listener>>& listeners() {
  static auto& all = *new std::vector<std::unique_ptr<listener>>;
  return all;
}

/// A thread that ends a listener: that waits for the call of a client that just
/// runs, and this may wait for the state.
class closer {
public:
  closer(std::unique_ptr<listener> what, held::event ended)
    : thread_([this, what = std::move(what),
               ended = std::optional{std::move(ended)}]() mutable {
        what.reset();
        ended->set();
        // It takes the table's mutex, which whoever joins may have.
        ended.reset();
        done_ = true;
      }) {
  }

  /// Whether joining it takes no time.
  [[nodiscard]] bool is_done() const noexcept {
    return done_;
  }

private:
  // seq_cst: the last that the thread does. It publishes nothing, for who has
  // seen it joins the thread.
  std::atomic<bool> done_{false};
  std::jthread thread_;
};

std::vector<std::unique_ptr<closer>>& closers() {
  static auto& all = *new std::vector<std::unique_ptr<closer>>;
  return all;
}

void join_those_done() {
  std::erase_if(closers(), [](const auto& each) { return each->is_done(); });
}

std::uint64_t operation_of(bytes_view request) noexcept {
  held::call_head head;
  if (request.size() < sizeof head)
    return 0;
  std::memcpy(&head, request.data(), sizeof head);
  return head.operation;
}

/// Which operations take no time to speak of: those of which the last runs did
/// not. With the table's mutex held.
class experience {
public:
  [[nodiscard]] bool is_quick(std::uint64_t operation) const {
    const auto found = quick_runs_.find(operation);
    return found != quick_runs_.end() && found->second >= enough;
  }

  void add(std::uint64_t operation, std::chrono::steady_clock::duration took) {
    // Numbers come from outside: not more of them than a program has.
    if (quick_runs_.size() >= most && !quick_runs_.contains(operation))
      return;
    auto& runs = quick_runs_[operation];
    runs = took < quick ? runs + 1 : 0;
  }

private:
  static constexpr std::chrono::microseconds quick{200};
  static constexpr std::uint64_t enough = 8;
  static constexpr std::size_t most = 10'000;

  std::unordered_map<std::uint64_t, std::uint64_t> quick_runs_;
};

/// Runs `request` under the table's mutex, which is held, and learns.
void serve_and_learn(std::uint64_t client, bytes_view request,
                     service::reply_function reply, experience& gained) {
  const auto start = std::chrono::steady_clock::now();
  held::serve(client, request, std::move(reply));
  gained.add(operation_of(request), std::chrono::steady_clock::now() - start);
}

service of_this_state() {
  static auto& gained = *new experience;
  return {[](std::uint64_t client, bytes_view request,
             service::reply_function reply) {
            const std::scoped_lock guard{held::table::here().mutex()};
            serve_and_learn(client, request, std::move(reply), gained);
          },
          [](std::uint64_t client, bytes_view request,
             service::reply_function reply) {
            const std::unique_lock guard{held::table::here().mutex(),
                                         std::try_to_lock};
            if (!guard || !gained.is_quick(operation_of(request)))
              return false;
            serve_and_learn(client, request, std::move(reply), gained);
            return true;
          },
          [](std::uint64_t client) { held::client_gone(client); }};
}

/// Reads the key out of shared memory and wipes it there.
key take_key(const buffer& from) {
  const auto bytes = from.bytes();
  std::string secret(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  OPENSSL_cleanse(bytes.data(), bytes.size());
  if (std::ranges::all_of(secret, [](char each) { return each == 0; }))
    throw invalid_argument("publish a state",
                           "its key has only zeros, or this message has been "
                           "answered before",
                           "make a message for each time");
  return key{std::move(secret)};
}

std::uint16_t publish_here(const order& what) {
  join_those_done();
  state::offer<held::itself, &held::itself::bind, &held::itself::find,
               &held::itself::unbind, &held::itself::size>();
  const limits bounds{std::chrono::milliseconds{what.silence},
                      std::chrono::milliseconds{what.handshake}, what.strangers,
                      what.clients};
  auto made = std::make_unique<listener>(address{what.host, what.port},
                                         take_key(what.secret), of_this_state(),
                                         bounds);
  const auto port = made->where().port();
  static bool ends_them = false;
  if (!std::exchange(ends_them, true))
    held::table::here().at_end([] {
      listeners().clear();
      closers().clear();
    });
  listeners().push_back(std::move(made));
  return port;
}

/// Returns what is set when it has ended; nothing if there is none.
std::optional<held::event> unpublish_here(const std::string& host,
                                          std::uint16_t port) {
  auto& all = listeners();
  const auto found = std::find_if(all.begin(), all.end(),
                                  [&](const auto& each) {
                                    return each->where() == address{host, port};
                                  });
  if (found == all.end())
    return std::nullopt;
  join_those_done();
  const auto ended = state::here().make<held::event>();
  closers().push_back(std::make_unique<closer>(std::move(*found), ended));
  all.erase(found);
  return ended;
}

order order_of(const address& where, const key& shared, const limits& bounds) {
  return {where.host(),
          where.port(),
          buffer{std::as_bytes(std::span{shared.reveal()})},
          bounds.silence.count(),
          bounds.handshake.count(),
          bounds.strangers,
          bounds.clients};
}

} // namespace

held::call_for<std::uint16_t>
call_to_publish(const address& where, const key& shared, const limits& bounds) {
  return held::call_to_run<&publish_here>(order_of(where, shared, bounds));
}

held::call_for<std::optional<held::event>>
call_to_unpublish(const address& where) {
  return held::call_to_run<&unpublish_here>(where.host(), where.port());
}

bool unpublish(const state& what, const address& where) {
  const auto ended = what.run<&unpublish_here>(where.host(), where.port());
  if (!ended)
    return false;
  ended->wait();
  return true;
}

address publish(const state& what, const address& where, const key& shared,
                const limits& bounds) {
  try {
    const auto port = what.run<&publish_here>(order_of(where, shared, bounds));
    return {where.host(), port};
  } catch (const error& refused) {
    if (refused.code() == errc::os_failure)
      throw error_of<errc::os_failure>("publish a state", refused.what());
    throw;
  }
}

} // namespace troupe::network
