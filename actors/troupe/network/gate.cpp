// SPDX-License-Identifier: BSL-1.0
#include <troupe/network/gate.hpp>

#include <troupe/os/pipe.hpp>
#include <troupe/os/tcp.hpp>

#include <utility>

namespace troupe::network {

namespace {

/// Without the gate's mutex: whoever reads standard error may be slow.
void tell(const std::string& line) noexcept {
  if (!line.empty())
    os::write_all(2, line);
}

} // namespace

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

  void announced_too_much(std::uint64_t size) noexcept override {
    of_->cut_off(fd_, size);
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
  const auto refuse = [&](std::unique_lock<std::mutex>& guard,
                          const std::string& why) {
    const auto line = line_about(name, why);
    guard.unlock();
    tell(line);
    return nullptr;
  };
  std::unique_lock guard{mutex_};
  // One more than the door lets in is told so there.
  if (clients_ >= bounds_.clients + bounds_.strangers)
    return refuse(guard, too_many_clients());
  if (waiting() >= bounds_.strangers) {
    auto oldest = open_.end();
    for (auto each = open_.begin(); each != open_.end(); ++each)
      if (!each->second.has_key && each->second.sent_away.empty()
          && (oldest == open_.end() || each->second.came < oldest->second.came))
        oldest = each;
    if (oldest == open_.end() || leaving_ >= bounds_.strangers)
      return refuse(guard, too_many_strangers());
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

void gate::cut_off(int fd, std::uint64_t size) noexcept {
  std::string line;
  {
    const std::scoped_lock guard{mutex_};
    if (const auto found = open_.find(fd); found != open_.end())
      line = line_about(found->second.name, "it has announced a message of "
                                              + std::to_string(size)
                                              + " bytes");
  }
  tell(line);
}

void gate::left(int fd) noexcept {
  std::string line;
  {
    const std::scoped_lock guard{mutex_};
    const auto found = open_.find(fd);
    if (found == open_.end())
      return;
    const auto& gone = found->second;
    if (gone.has_key) {
      --clients_;
    } else if (gone.sent_away.empty()) {
      line = line_about(gone.name, "it did not show the key");
    } else {
      --leaving_;
      line = line_about(gone.name, gone.sent_away);
    }
    open_.erase(found);
  }
  tell(line);
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

void gate::tell_full() {
  std::string line;
  {
    const std::scoped_lock guard{mutex_};
    line = line_about("one that has the key", too_many_clients());
  }
  tell(line);
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

std::string gate::too_many_clients() const {
  return "there are " + std::to_string(bounds_.clients) + " clients already";
}

std::string gate::line_about(const std::string& who,
                             const std::string& why) const {
  return closed_ ? std::string{}
                 : "troupe: " + to_string(at_) + " has turned away " + who
                     + ": " + why + '\n';
}

} // namespace troupe::network
