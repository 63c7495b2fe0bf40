// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/channel/pipe_end.hpp>
#include <troupe/memory/reference.hpp>
#include <troupe/state/caller.hpp>
#include <troupe/state/local_wire.hpp>
#include <troupe/state/object_ref.hpp>

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

namespace troupe::held {

/// Calls a state of this run: requests go into the one mailbox of its process,
/// answers come through pipes. One for each state in a process.
///
/// A thread that waits for its answer has a pipe to itself for that time; all
/// futures share one. Pipes are used again, and opened once.
///
/// # What a crash leaves
/// If the state's process dies, the ends that it held are gone: whoever waits
/// finds the end of the stream, at once. If this process dies, the state's
/// process hears of it as everybody does, and forgets its calls.
class local_caller final : public caller {
public:
  /// Returns this process's caller for the state whose control block is there.
  /// Throws `stale_handle` if the state is gone.
  [[nodiscard]] static std::shared_ptr<local_caller>
  of(memory::object_id control_block);

  explicit local_caller(memory::reference control_block);
  ~local_caller() override;

  [[nodiscard]] std::unique_ptr<pending> send(codec::packet& request) override;
  void call(codec::packet& request, answer_reader& reader) override;

  [[nodiscard]] wire* coding() noexcept override {
    return &by_number_;
  }

  [[nodiscard]] wire* coding_for_send() noexcept override {
    return &by_handle_;
  }

  [[nodiscard]] std::string description() const override;

  /// The state's process.
  [[nodiscard]] memory::slot_id process() const noexcept;

  /// Throws the `peer_died` that tells how the state's process ended.
  /// @blocks on whoever confirms the death, where that has begun
  [[noreturn]] void throw_dead() const;

private:
  class future_answer;

  struct pipe {
    channel::pipe_end end;
    std::uint32_t number = 0;
  };

  [[nodiscard]] std::unique_ptr<pipe> take_pipe();
  [[nodiscard]] std::unique_ptr<pipe> open_pipe();
  void give_pipe_back(std::unique_ptr<pipe> used) noexcept;
  void post(std::uint32_t what, std::uint32_t pipe, std::uint64_t call,
            codec::packet& request);
  void notify(std::uint32_t what, std::uint32_t pipe,
              std::uint64_t call) noexcept;

  memory::reference held_;
  local_wire by_number_{this};
  local_wire by_handle_{nullptr};
  control_block* home_;
  std::int32_t owner_;
  mailbox::message_queue* box_;

  std::mutex mutex_;
  std::vector<std::unique_ptr<pipe>> free_;

  /// Answers to futures: who waits reads for all, one at a time.
  struct arrived;
  std::mutex futures_mutex_;
  std::condition_variable futures_changed_;
  std::unique_ptr<pipe> futures_pipe_;
  std::unordered_map<std::uint64_t, std::unique_ptr<arrived>> futures_;
  bool reading_ = false;
  /// Futures that are waited for beside other things. Changed before a look at
  /// them, and read after a change of them.
  // Both seq_cst, so that one sees the other.
  std::atomic<std::uint32_t> watching_{0};
};

} // namespace troupe::held
