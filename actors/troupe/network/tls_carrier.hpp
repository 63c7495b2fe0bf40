// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/network/admission.hpp>
#include <troupe/network/carrier.hpp>
#include <troupe/network/event_loop.hpp>
#include <troupe/network/frame_reader.hpp>
#include <troupe/network/limits.hpp>
#include <troupe/network/send_queue.hpp>
#include <troupe/network/tls_stream.hpp>
#include <troupe/os/descriptor.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace troupe::network {

/// What a connection is for, and how its ends know of each other that they
/// live.
struct carrier_terms {
  /// What the two ends want of each other: both must name the same.
  enum class service : std::uint32_t { held_objects = 1, machines = 2 };

  service wanted = service::held_objects;

  /// The client has a lease: it ends the connection `silence` after it *sent*
  /// the sign of life that the server has answered last, and the server does so
  /// half a `silence` later than it otherwise would, so the client's end always
  /// comes first. Both send signs also while they send other things, and the
  /// shorter `silence` of the two counts for both.
  bool leased = false;

  /// At the client, when its lease is prolonged, by whoever leads the loop:
  /// until when, on `os::boot_now`, and the agreed `silence`, in nanoseconds.
  std::function<void(std::int64_t until, std::int64_t silence)> prolonged = {};
};

/// A carrier over one TCP connection: TLS with one key, and frames in it.
class tls_carrier final : public carrier,
                          public event_loop::source,
                          public payload_account,
                          private frame_reader::handler {
public:
  /// Who takes what comes, made when a client has said hello.
  using receiver_function = std::function<std::shared_ptr<receiver>(
    const std::shared_ptr<tls_carrier>&)>;

  /// The end that has connected.
  [[nodiscard]] static std::shared_ptr<tls_carrier>
  make_client(std::shared_ptr<event_loop> loop, const tls_context& with,
              os::descriptor fd, const limits& bounds,
              std::shared_ptr<receiver> to, carrier_terms terms = {});

  /// The end that was connected to; by whoever leads the loop.
  static void make_server(std::shared_ptr<event_loop> loop,
                          const tls_context& with, os::descriptor fd,
                          const limits& bounds,
                          const std::shared_ptr<admission>& at,
                          receiver_function to, carrier_terms terms = {});

  tls_carrier(std::shared_ptr<event_loop> loop, const tls_context& with,
              const limits& bounds, carrier_terms terms);
  ~tls_carrier() override;

  void send(const departure& what) override;
  void refuse(std::uint64_t tag) override;
  [[nodiscard]] bool borrows(const std::byte* from) const override;
  [[nodiscard]] std::size_t waiting() const override;
  void close() noexcept override;

  /// By whoever leads: ends the connection without a word, or with a goodbye
  /// where it was open and is closed here.
  void end(const loss& why) noexcept;

  /// The other end: "127.0.0.1:4242".
  [[nodiscard]] std::string name_of_other_end() const;

  // By the loop:

  void readable() override;
  void writable() override;
  void alarm() override;
  bool look() override;
  void end_turn() override;

  // Of the payloads that it has given away:

  void kept(std::size_t size) noexcept override;
  void released(std::size_t size) noexcept override;

private:
  using clock = std::chrono::steady_clock;
  enum class stage : std::uint8_t { handshake, greeting, open, over };

  class coming;

  void start(os::descriptor fd);
  /// Returns whether something came.
  bool receive();
  void decipher();
  void shake_hands();
  void shaken_hands();
  void open(std::uint64_t silence_of_other);
  void write_out();
  /// Returns whether all is sent.
  bool flush();
  void grant();
  void set_alarm();
  void send_sign();
  /// The other end has seen this end's sign `number`.
  void answered(std::uint64_t number);

  void control(const frame_header& head, bytes_view content) override;
  void small(std::uint64_t tag, bytes_view content) override;
  void begins(std::uint64_t tag, std::size_t size) override;
  void whole(std::uint64_t tag, payload content) override;
  void require_open() const;
  void greet(const frame_header& head, bytes_view content);

  [[nodiscard]] std::shared_ptr<tls_carrier> self() {
    return std::static_pointer_cast<tls_carrier>(shared_from_this());
  }

  const std::shared_ptr<event_loop> loop_;
  const tls_context::role role_;
  const limits bounds_;
  const carrier_terms terms_;
  send_queue queue_;
  // `ends_turn_`: seq_cst. Set by an exchange once there is something to send;
  // whoever was the first has `end_turn` called, which takes it back before it
  // looks what there is.
  // `kept_` and `released_`: seq_cst, counts alone. Who has taken something
  // away counts it before it sets `ends_turn_`, and so before `grant` reads
  // them.
  std::atomic<bool> ends_turn_{false};
  std::atomic<std::size_t> kept_{0};
  std::atomic<std::size_t> released_{0};

  // The leader's:
  stage stage_ = stage::handshake;
  /// Itself, until it ends.
  std::shared_ptr<tls_carrier> alive_;
  std::optional<event_loop::watch> watch_;
  tls_stream tls_;
  frame_reader reader_{*this};
  std::shared_ptr<receiver> receiver_;
  receiver_function make_receiver_;
  std::unique_ptr<admission::entry> entry_;
  bytes frames_;
  clock::time_point heard_ = clock::now();
  std::chrono::milliseconds beat_;
  /// How long nothing may come.
  std::chrono::milliseconds longest_silence_;
  bool sent_since_beat_ = false;
  bool awaits_writable_ = false;
  std::uint64_t told_credit_ = credit_window;
  std::uint64_t signs_ = 0;
  std::uint64_t last_sign_ = 0;
  /// The agreed `silence`, in nanoseconds, where there is a lease.
  std::int64_t term_ = 0;
  /// Signs that were not answered yet, and when they were sent, on
  /// `os::boot_now`.
  std::deque<std::pair<std::uint64_t, std::int64_t>> unanswered_;
  /// 0: there is none.
  std::int64_t lease_ = 0;
};

} // namespace troupe::network
