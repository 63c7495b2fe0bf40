// SPDX-License-Identifier: BSL-1.0
#include <troupe/state/network/gate.hpp>

#include <troupe/os/pipe.hpp>
#include <troupe/os/tcp.hpp>

#include <utility>

namespace troupe::network {

/// What a connection holds of the gate.
class gate::visitor final : public handshake {
public:
  visitor(std::shared_ptr<gate> of, int fd) noexcept
    : of_(std::move(of)), fd_(fd) {
  }
  visitor(const visitor&) = delete;
  visitor& operator=(const visitor&) = delete;

  ~visitor() override {
    of_->left(fd_);
  }

  void succeeded() noexcept override {
    of_->passed(fd_);
  }

private:
  std::shared_ptr<gate> of_;
  int fd_;
};

gate::gate(const limits& bounds, address at)
  : bounds_(bounds), at_(std::move(at)) {
}

std::unique_ptr<handshake> gate::admit(int fd) {
  auto name = os::name_of_peer(fd);
  const std::scoped_lock guard{mutex_};
  if (clients_ >= bounds_.clients) {
    tell(name, "there are " + std::to_string(clients_) + " clients already");
    return nullptr;
  }
  if (waiting() >= bounds_.strangers) {
    auto oldest = open_.end();
    for (auto each = open_.begin(); each != open_.end(); ++each)
      if (!each->second.has_key && each->second.sent_away.empty()
          && (oldest == open_.end() || each->second.came < oldest->second.came))
        oldest = each;
    if (oldest == open_.end() || leaving_ >= bounds_.strangers) {
      tell(name, too_many_strangers());
      return nullptr;
    }
    send_away(oldest->first, oldest->second, too_many_strangers());
  }
  auto made = std::make_unique<visitor>(shared_from_this(), fd);
  open_.insert_or_assign(fd, guest{clock::now(), std::move(name), false, {}});
  return made;
}

void gate::passed(int fd) noexcept {
  const std::scoped_lock guard{mutex_};
  if (const auto found = open_.find(fd); found != open_.end()) {
    auto& guest = found->second;
    guest.has_key = true;
    ++clients_;
    if (!guest.sent_away.empty())
      --leaving_;
  }
}

void gate::left(int fd) noexcept {
  const std::scoped_lock guard{mutex_};
  const auto found = open_.find(fd);
  if (found == open_.end())
    return;
  const auto& gone = found->second;
  if (gone.has_key) {
    --clients_;
  } else if (gone.sent_away.empty()) {
    tell(gone.name, "it did not show the key");
  } else {
    --leaving_;
    tell(gone.name, gone.sent_away);
  }
  open_.erase(found);
}

void gate::end_overdue() {
  const auto latest = clock::now() - bounds_.handshake;
  const std::scoped_lock guard{mutex_};
  for (auto& [fd, each] : open_)
    if (!each.has_key && each.sent_away.empty() && each.came <= latest)
      send_away(fd, each,
                "it has not shown the key in "
                  + std::to_string(bounds_.handshake.count()) + " ms");
}

void gate::close() noexcept {
  const std::scoped_lock guard{mutex_};
  closed_ = true;
}

std::uint32_t gate::strangers() const {
  const std::scoped_lock guard{mutex_};
  return waiting();
}

std::uint32_t gate::clients() const {
  const std::scoped_lock guard{mutex_};
  return clients_;
}

void gate::send_away(int fd, guest& of, std::string why) noexcept {
  of.sent_away = std::move(why);
  ++leaving_;
  // Its descriptor is open as long as it stands here; the loop sees the end.
  os::shut_down(fd);
}

std::uint32_t gate::waiting() const noexcept {
  return static_cast<std::uint32_t>(open_.size()) - clients_ - leaving_;
}

std::string gate::too_many_strangers() const {
  return std::to_string(bounds_.strangers)
         + " others are about to show the key";
}

void gate::tell(const std::string& who, const std::string& why) const noexcept {
  if (!closed_)
    os::write_all(2, "troupe: " + to_string(at_) + " has turned away " + who
                       + ": " + why + '\n');
}

} // namespace troupe::network
