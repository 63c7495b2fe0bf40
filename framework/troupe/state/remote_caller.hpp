// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/state/caller.hpp>
#include <troupe/state/wire.hpp>

#include <atomic>
#include <cstdint>
#include <mutex>
#include <unordered_map>

namespace troupe::held {

/// A caller whose bytes cross a network: a connection derives from it and
/// carries bytes. Objects are plain numbers in them.
///
/// The state counts, for each connection, how often it has named an object; the
/// last proxy here gives all of that back. So an object that is named in an
/// answer while its last proxy goes is not lost.
class remote_caller : public caller, public wire {
public:
  /// Sends the bytes of a request; each is answered once. Thread-safe, in
  /// order. Throws `connection_lost`.
  [[nodiscard]] virtual std::unique_ptr<pending> send_bytes(bytes_view request)
    = 0;

  /// The same, and waits for the answer. Throws besides what `reader` throws.
  /// @blocks on the state
  virtual void call_bytes(bytes_view request, answer_reader& reader) {
    send_bytes(request)->take(reader);
  }

  /// Sends a request whose answer nobody waits for; does nothing where the
  /// connection is lost.
  virtual void send_and_forget(bytes_view request) noexcept = 0;

  /// Throws besides `invalid_argument`: handles of the run do not cross.
  [[nodiscard]] std::unique_ptr<pending> send(codec::packet& request) final;
  void call(codec::packet& request, answer_reader& reader) final;

  [[nodiscard]] wire* coding() noexcept final {
    return this;
  }

  void save(codec::encoder& to, const target& object) final;
  [[nodiscard]] std::shared_ptr<target> load(codec::decoder& from) final;

private:
  class numbered;
  class withdrawing;

  struct known {
    std::weak_ptr<target> object;
    /// How often the state has named it and was not given it back.
    std::uint64_t named = 0;
  };

  void give_back(object_number number) noexcept;
  void say(object_number object, std::uint64_t operation,
           std::uint64_t what) noexcept;
  void require_no_handles(const codec::packet& request) const;

  // seq_cst, and relaxed would do: each number is given once, and that is all.
  std::atomic<std::uint64_t> last_call_{0};
  std::mutex mutex_;
  std::unordered_map<object_number, known> known_;
};

} // namespace troupe::held
