// SPDX-License-Identifier: BSL-1.0
#include <troupe/network/listener.hpp>

#include <troupe/network/acceptor.hpp>
#include <troupe/network/dispatcher.hpp>

#include <troupe/os/tcp.hpp>

#include <atomic>
#include <utility>
#include <vector>

namespace troupe::network {

namespace {

std::uint64_t next_client() noexcept {
  // seq_cst, and relaxed would do: each number is given once, and that is all.
  static std::atomic<std::uint64_t> last{0};
  return ++last;
}

/// What a client's carrier talks to.
class session final : public carrier::receiver {
public:
  session(std::shared_ptr<dispatcher> requests,
          const std::shared_ptr<carrier>& by)
    : requests_(std::move(requests)), by_(by), client_(next_client()) {
    requests_->enter(client_);
  }

  void opened() override {
  }

  void received(arrival& what) override {
    if (const auto by = by_.lock())
      requests_->dispatch(client_, by, what);
  }

  void refused(std::uint64_t) override {
  }

  void lost(const loss&) noexcept override {
    requests_->leave(client_);
  }

private:
  std::shared_ptr<dispatcher> requests_;
  std::weak_ptr<carrier> by_;
  const std::uint64_t client_;
};

} // namespace

struct listener::parts {
  parts(const key& shared, service what, const limits& bounds,
        const address& at)
    : context(credentials::of(shared), tls_context::role::server),
      admitted(std::make_shared<admission>(bounds, at)),
      requests(std::make_shared<dispatcher>(std::move(what))),
      loop(std::make_shared<event_loop>()),
      entrance(std::make_shared<acceptor>(
        loop, context, bounds, admitted,
        [this](const std::shared_ptr<tls_carrier>& by) {
          std::erase_if(carriers,
                        [](const auto& each) { return each.expired(); });
          carriers.push_back(by);
          return std::make_shared<session>(requests, by);
        })) {
  }
  parts(const parts&) = delete;
  parts& operator=(const parts&) = delete;

  ~parts() {
    requests->stop();
    loop->post([this] {
      admitted->close();
      entrance->close();
      admitted->end_strangers();
      for (const auto& each : carriers)
        if (const auto alive = each.lock())
          alive->end({loss::cause::closed_here, "it was closed here"});
    });
    loop->stop();
    // All clients have gone, and nobody answers any more.
    requests->close();
  }

  tls_context context;
  std::shared_ptr<admission> admitted;
  std::shared_ptr<dispatcher> requests;
  std::shared_ptr<event_loop> loop;
  std::shared_ptr<acceptor> entrance;
  /// The clients'; the loop's own.
  std::vector<std::weak_ptr<tls_carrier>> carriers;
};

listener::listener(const address& where, const key& shared, service what,
                   const limits& bounds)
  : where_(where) {
  auto fd = std::make_shared<os::descriptor>(
    os::listen_tcp(where.host(), where.port()));
  where_ = address{where.host(), os::local_port(fd->get())};
  parts_ = std::make_unique<parts>(shared, std::move(what), bounds, where_);
  parts_->loop->post(
    [entrance = parts_->entrance, fd] { entrance->start(std::move(*fd)); });
}

listener::~listener() = default;

std::uint32_t listener::clients() const {
  return parts_->admitted->clients();
}

std::uint32_t listener::strangers() const {
  return parts_->admitted->strangers();
}

} // namespace troupe::network
