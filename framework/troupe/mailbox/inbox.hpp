// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/base/deadline.hpp>
#include <troupe/mailbox/ring.hpp>

#include <atomic>
#include <cstdint>
#include <string_view>
#include <vector>

namespace troupe::mailbox {

/// Where a process finds the rings that others write to it.
///
///     0     owner      packed slot_id of the reader
///     8     types      fingerprint of its message types
///     16    names      bytes of text after the head: its message types
///     128   announced  id of the ring announced last, 0 for none; the one
///                      before it stands in that ring's `next`
///     136   taking     the first of a chain of those that are being taken
///     144   ending     the one that `dispose` forgets
///     256   crowded    1: writers also set their bit below
///     264   bits       one for each process slot: its ring may hold frames
///           text
///
/// A ring that is announced, or being taken, is kept alive.
///
/// # What a crash leaves
/// What was announced to a reader that dies, and what it was taking, is given
/// up by `dispose`. Of a writer that dies while it announces a ring, whoever
/// confirms the death finds whether it has: see `announce`.
struct inbox_head {
  static constexpr std::size_t bit_words = 1024;

  std::uint64_t owner;
  std::uint64_t types;
  std::uint64_t names;

  /// seq_cst in `announce`, and in `was_announced`, which looks at `known`
  /// next; acquire in `take_announced`.
  alignas(cache_line) std::atomic<std::uint64_t> announced;
  // seq_cst: `taking` by the owner in `take_announced`, `ending` by `dispose`;
  // both are read by whoever disposes of it, after the owner or after another
  // that was killed there.
  std::atomic<memory::object_id> taking;
  std::atomic<memory::object_id> ending;
  /// seq_cst in `set_crowded`; writers look after their fence in
  /// `notify_if_asleep`.
  alignas(cache_line) std::atomic<std::uint64_t> crowded;
  // seq_cst: a writer sets its bit in `announce_bytes`, behind its frame; the
  // hub takes the bits before it reads the rings.
  std::atomic<std::uint64_t> bits[bit_words];

  [[nodiscard]] char* text() noexcept {
    return reinterpret_cast<char*>(this + 1);
  }
};

static_assert(sizeof(inbox_head) % cache_line == 0);

/// The reader's own inbox, or a writer's view of another's.
class inbox {
public:
  inbox() noexcept = default;

  /// Makes the calling process's inbox and puts it up in its slot, for others
  /// to find. `names` is the text of its message types.
  /// Throws what `memory::reference::create` throws.
  [[nodiscard]] static inbox make(std::uint64_t types, std::string_view names);

  /// Takes hold of the inbox of another process. Empty if that process has
  /// none, is gone, or has put something else up. Throws `limit_reached`.
  [[nodiscard]] static inbox of(memory::slot_id owner);

  [[nodiscard]] explicit operator bool() const noexcept {
    return head_ != nullptr;
  }

  [[nodiscard]] std::uint64_t types() const noexcept {
    return head_->types;
  }

  /// The text of the owner's message types, copied and of believable length.
  [[nodiscard]] std::string names() const;

  /// Tells the owner of a new ring. The caller notifies it.
  /// Throws `limit_reached` if this process can hold no more objects.
  void announce(const memory::reference& ring);

  /// True if `take_announced` would find something.
  [[nodiscard]] bool has_announced() const noexcept {
    const auto now = head_->announced.load(std::memory_order_relaxed);
    return now != 0 && (now != left_ || retry_.passed());
  }

  /// Takes the rings announced since the last call, in the order in which
  /// they were announced. A ring to another process is left out; what is no
  /// ring, with all that was announced before it. Where this process can hold
  /// no more objects (`limits::handles`), the rest is left for later.
  [[nodiscard]] std::vector<memory::reference> take_announced();

  /// When to call `take_announced` again though nobody has notified.
  [[nodiscard]] deadline retry() const noexcept {
    return retry_;
  }

  /// From now on writers say which of them have written.
  void set_crowded() noexcept {
    head_->crowded.store(1, std::memory_order_seq_cst);
    // seq_cst: pairs with the first fence in `announce_bytes`. The rings are
    // read after this.
    std::atomic_thread_fence(std::memory_order_seq_cst);
  }

  [[nodiscard]] bool crowded() const noexcept {
    return head_->crowded.load(std::memory_order_relaxed) != 0;
  }

  /// For a writer after it has published: says so where the owner wants it
  /// said. Returns true if the owner sleeps and must be notified.
  [[nodiscard]] bool
  announce_bytes(std::uint32_t writer,
                 const memory::process_slot& owner) noexcept {
    // Pairs with the fetch_or in `sleep_until_notified` and the fence in
    // `set_crowded`: either we see those, or they see what we published.
    std::atomic_thread_fence(std::memory_order_seq_cst);
    if (crowded()) {
      head_->bits[writer / 64].fetch_or(1ULL << (writer % 64),
                                        std::memory_order_seq_cst);
      // Pairs with the fetch_or, too: the bit comes before the look below.
      std::atomic_thread_fence(std::memory_order_seq_cst);
    }
    return (owner.wake_word.load(std::memory_order_relaxed) & 1) != 0;
  }

  [[nodiscard]] std::atomic<std::uint64_t>& word(std::size_t index) noexcept {
    return head_->bits[index];
  }

private:
  explicit inbox(memory::reference object) noexcept
    : object_(std::move(object)), head_(object_.as<inbox_head>()) {
  }

  memory::reference object_;
  inbox_head* head_ = nullptr;
  /// What was announced last when rings were left for later.
  memory::object_id left_ = 0;
  deadline retry_ = deadline::never();
};

} // namespace troupe::mailbox
