// SPDX-License-Identifier: BSL-1.0
#include <troupe/mailbox/message_queue.hpp>
#include <troupe/mailbox/message_queue_lock.hpp>
#include <troupe/mailbox/reader_back_off.hpp>

#include <troupe/base/error.hpp>
#include <troupe/os/crash_point.hpp>

#include <algorithm>
#include <limits>
#include <string>
#include <utility>
#include <vector>

namespace troupe::mailbox {

using memory::object_kind;
using memory::reference;
using memory::run_memory;

namespace {

/// Whether the body is copied into an object of its own.
bool lies_apart(const draft& content) noexcept {
  return segment::room_for(!content.handles.empty(), content.body.size())
         > segment::largest_record;
}

} // namespace

void message_queue::recover_put() noexcept {
  const auto word = put_.word.load(std::memory_order_relaxed);
  const auto& state = writers_.states[word & which_bit];
  if (const auto where = writers_.segment_note.where.load(); where != 0) {
    if (messages_in(word) == writers_.segment_note.at.load()) {
      if (state.segment != 0)
        segment::at(state.segment).unseal();
      else
        writers_.first.store(0);
      memory::forget(where);
    }
    writers_.segment_note.where.store(0);
  }
  if (const auto where = writers_.message_note.where.load(); where != 0) {
    if (messages_in(word) == writers_.message_note.at.load())
      memory::forget(where);
    writers_.message_note.where.store(0);
  }
}

std::uint64_t message_queue::window_for(std::uint64_t bytes) const noexcept {
  return std::clamp(bytes * 4, options_.window, options_.window * 16);
}

bool message_queue::has_room(std::uint64_t bytes) const noexcept {
  const auto taken = messages_in(taken_.word.load(std::memory_order_seq_cst));
  const auto word = put_.word.load(std::memory_order_seq_cst);
  if (options_.messages != 0 && messages_in(word) - taken >= options_.messages)
    return false;
  // What a killed process added to the bytes ends when the last message is out.
  return options_.window == 0 || messages_in(word) == taken
         || unread_bytes() <= window_for(bytes);
}

std::uint64_t message_queue::unread_bytes() const noexcept {
  const auto taken = taken_.bytes.load(std::memory_order_seq_cst);
  const auto put = put_.bytes.load(std::memory_order_seq_cst);
  return put - std::min(put, taken);
}

/// What one `put_locked` has written, and what of that is pending: it counts,
/// and readers know of it, from its commit on.
class message_queue::put_transaction {
public:
  explicit put_transaction(message_queue& of) noexcept
    : queue_(of),
      word_(of.put_.word.load(std::memory_order_relaxed)),
      state_(of.writers_.states[word_ & which_bit]) {
  }

  [[nodiscard]] bool closed() const noexcept {
    return (word_ & closed_bit) != 0;
  }

  /// Whether the bounds of the queue let another message of `size` bytes in.
  /// What readers write is looked at only where it matters.
  [[nodiscard]] bool lets_in(std::uint64_t size) noexcept {
    const auto& bounds = queue_.options_;
    const auto count = messages_in(word_) + pending_;
    if (bounds.messages != 0 && count - state_.taken_seen >= bounds.messages) {
      state_.taken_seen = taken();
      if (count - state_.taken_seen >= bounds.messages)
        return false;
    }
    if (bounds.window == 0 || !exceeds_window(size))
      return true;
    // acquire: pairs with the commit of a reader.
    state_.taken_bytes_seen
      = queue_.taken_.bytes.load(std::memory_order_acquire);
    // Into an empty queue goes a message of any size.
    return !exceeds_window(size) || count == taken();
  }

  /// Writes a message; `object` is the one that it has of its own, or nullptr.
  /// False: there is no memory for a segment, and messages before it were
  /// written. Throws `limit_reached` where none was.
  [[nodiscard]] bool append(const draft& content, const reference* object) {
    const record what{content, object == nullptr ? 0 : object->id()};
    if (object != nullptr)
      note_object(*object);
    const bool in_last = write_to_last(what);
    if (!in_last && !write_to_new(what))
      return false;
    state_.bytes += content.body.size();
    ++pending_;
    has_written_ = true;
    // What is noted is handed over by the commit of this very message.
    if (!in_last || object != nullptr) {
      commit();
      TROUPE_CRASH_POINT("mailbox.grow.committed");
      queue_.writers_.segment_note.where.store(0);
      queue_.writers_.message_note.where.store(0);
    }
    return true;
  }

  /// Makes what is pending known to readers, by one store.
  void commit() noexcept {
    if (pending_ == 0)
      return;
    const auto other = (word_ & which_bit) ^ which_bit;
    queue_.writers_.states[other] = state_;
    word_ = ((messages_in(word_) + pending_) << count_shift) | other;
    pending_ = 0;
    queue_.put_.bytes.store(state_.bytes, std::memory_order_relaxed);
    TROUPE_CRASH_POINT("mailbox.put.before_commit");
    // release: pairs with the acquire of readers. The fence of the unlock
    // comes before the look at who waits.
    queue_.put_.word.store(word_, std::memory_order_release);
    TROUPE_CRASH_POINT("mailbox.put.committed");
  }

private:
  /// A message as it stands in a segment.
  struct record {
    record(const draft& content, memory::object_id object) noexcept {
      if (object != 0 && lies_apart(content)) {
        outside = {object, content.body.size()};
        body = bytes_view{std::as_bytes(std::span{&outside, 1})};
        kind = record_head::apart;
      } else {
        body = content.body;
        carrier = object;
      }
      need = segment::room_for(carrier != 0, body.size());
    }

    record(const record&) = delete;
    record& operator=(const record&) = delete;

    apart_body outside{};
    scattered_view body;
    memory::object_id carrier = 0;
    record_head::kind_of kind = record_head::here;
    std::uint64_t need = 0;
  };

  [[nodiscard]] std::uint64_t taken() const noexcept {
    // acquire: pairs with the commit of a reader.
    return messages_in(queue_.taken_.word.load(std::memory_order_acquire));
  }

  [[nodiscard]] bool exceeds_window(std::uint64_t size) const noexcept {
    return state_.bytes - std::min(state_.taken_bytes_seen, state_.bytes)
           > queue_.window_for(size);
  }

  /// From now on the object belongs to the next message, or, if that is never
  /// committed, to whoever recovers.
  void note_object(const reference& object) noexcept {
    commit();
    auto& note = queue_.writers_.message_note;
    note.at.store(messages_in(word_));
    note.where.store(object.id());
    TROUPE_CRASH_POINT("mailbox.put.noted");
    memory::keep_alive(object);
    TROUPE_CRASH_POINT("mailbox.put.apart");
  }

  void withdraw_object() noexcept {
    auto& note = queue_.writers_.message_note;
    if (const auto where = note.where.load(); where != 0) {
      memory::forget(where);
      note.where.store(0);
    }
  }

  [[nodiscard]] std::uint64_t write(segment& to, std::uint64_t position,
                                    const record& what) const noexcept {
    return to.write(position, what.body, what.carrier, what.kind, self_);
  }

  /// Returns false if there is no room in the last segment.
  [[nodiscard]] bool write_to_last(const record& what) noexcept {
    if (state_.segment == 0)
      return false;
    auto& last = segment::at(state_.segment);
    const auto fits = [&] {
      return what.need <= last.capacity()
             && last.fits(state_.position, what.need, state_.consumed_seen);
    };
    if (!fits()) {
      state_.consumed_seen = last.consumed();
      if (!fits())
        return false;
    }
    state_.position = write(last, state_.position, what);
    return true;
  }

  /// A new segment takes over together with its first message. As `append`.
  [[nodiscard]] bool write_to_new(const record& what) {
    commit();
    auto* const last = state_.segment != 0 ? &segment::at(state_.segment)
                                           : nullptr;
    reference added;
    try {
      added = segment::make(last != nullptr ? last->capacity() * 2 : 0,
                            what.need);
    } catch (...) {
      withdraw_object();
      if (has_written_)
        return false; // the next call meets it again, with nothing done before
      throw;
    }
    TROUPE_CRASH_POINT("mailbox.grow.created");
    auto& note = queue_.writers_.segment_note;
    note.at.store(messages_in(word_));
    note.where.store(added.id());
    memory::keep_alive(added);
    TROUPE_CRASH_POINT("mailbox.grow.noted");
    const auto behind = write(*added.as<segment>(), 0, what);
    if (last != nullptr)
      last->seal(state_.position, added.id());
    else
      queue_.writers_.first.store(added.id());
    TROUPE_CRASH_POINT("mailbox.grow.linked");
    state_.segment = added.id();
    state_.position = behind;
    state_.consumed_seen = 0;
    return true;
  }

  message_queue& queue_;
  std::uint64_t word_;
  put_state state_;
  std::uint64_t self_ = run_memory::current().self().packed();
  /// Messages that are written and not committed.
  std::uint64_t pending_ = 0;
  bool has_written_ = false;
};

std::size_t message_queue::put_locked(std::span<const draft> messages,
                                      std::span<const reference> objects,
                                      put_outcome& outcome) {
  put_transaction put{*this};
  outcome = put_outcome::closed;
  if (put.closed())
    return 0;
  outcome = put_outcome::no_reader;
  if (!has_readers())
    return 0;
  std::size_t written = 0;
  for (; written < messages.size(); ++written) {
    const auto& content = messages[written];
    const auto* const object
      = !objects.empty() && objects[written] ? &objects[written] : nullptr;
    if (!put.lets_in(content.body.size()) || !put.append(content, object))
      break;
  }
  put.commit();
  outcome = written == messages.size() ? put_outcome::done : put_outcome::full;
  return written;
}

/// The usual case of `put_locked`: a small message for which there is room in
/// the last segment, as far as writers know. False for any other, and then
/// nothing has happened.
bool message_queue::put_at_hand(const draft& content) {
  const auto word = put_.word.load(std::memory_order_relaxed);
  const auto& now = writers_.states[word & which_bit];
  const auto size = content.body.size();
  if ((word & closed_bit) != 0 || now.segment == 0 || !has_readers())
    return false;
  if (options_.messages != 0
      && messages_in(word) - now.taken_seen >= options_.messages)
    return false;
  if (options_.window != 0
      && now.bytes - std::min(now.taken_bytes_seen, now.bytes)
           > window_for(size))
    return false;
  auto& last = segment::at(now.segment);
  if (!last.fits(now.position, segment::room_for(false, size),
                 now.consumed_seen))
    return false;
  const auto other = (word & which_bit) ^ which_bit;
  auto& next = writers_.states[other];
  next = now;
  next.position = last.write(now.position, content.body, 0, record_head::here,
                             run_memory::current().self().packed());
  next.bytes += size;
  put_.bytes.store(next.bytes, std::memory_order_relaxed);
  TROUPE_CRASH_POINT("mailbox.put.before_commit");
  // As in put_locked.
  put_.word.store(((messages_in(word) + 1) << count_shift) | other,
                  std::memory_order_release);
  TROUPE_CRASH_POINT("mailbox.put.committed");
  last.take_back(now.position, next.position, now.consumed_seen);
  return true;
}

put_outcome message_queue::put(const draft& content, deadline limit) {
  if (content.handles.empty() && content.body.size() <= at_hand) {
    bool put = false;
    {
      TROUPE_CRASH_POINT("mailbox.put.unlocked");
      const message_queue_lock guard{writers_.lock, [this] { recover_put(); },
                                     "put into a mailbox"};
      TROUPE_CRASH_POINT("mailbox.put.locked");
      put = put_at_hand(content);
    }
    if (put) {
      TROUPE_CRASH_POINT("mailbox.put.unannounced");
      announce_put(1);
      return put_outcome::done;
    }
  }
  std::size_t done = 0;
  return put({&content, 1}, done, limit);
}

put_outcome message_queue::put(std::span<const draft> messages,
                               std::size_t& done, deadline limit) {
  done = 0;
  std::vector<reference> objects;
  for (std::size_t i = 0; i < messages.size(); ++i) {
    const auto& each = messages[i];
    if (each.handles.size() > std::numeric_limits<std::uint16_t>::max())
      throw limit_reached("put a message into a mailbox",
                          "it carries " + std::to_string(each.handles.size())
                            + " handles and may carry 65535",
                          "send the handles in several messages");
    const bool apart = lies_apart(each);
    if (!apart && each.handles.empty())
      continue;
    objects.resize(messages.size());
    objects[i] = reference::create_with_shares(object_kind::message,
                                               apart ? each.body.size() : 0,
                                               each.handles,
                                               memory::contents::unspecified);
    if (!apart)
      continue;
    // One call for all pages, and not a fault for each.
    objects[i].populate();
    each.body.copy_to(objects[i].behind_shares().data());
  }
  for (;;) {
    put_outcome outcome{};
    std::size_t now = 0;
    {
      TROUPE_CRASH_POINT("mailbox.put.unlocked");
      const message_queue_lock guard{writers_.lock, [this] { recover_put(); },
                                     "put into a mailbox"};
      TROUPE_CRASH_POINT("mailbox.put.locked");
      now = put_locked(messages.subspan(done),
                       objects.empty() ? std::span<const reference>{}
                                       : std::span{objects}.subspan(done),
                       outcome);
    }
    TROUPE_CRASH_POINT("mailbox.put.unannounced");
    done += now;
    if (now != 0)
      announce_put(now);
    if (outcome != put_outcome::full)
      return outcome;
    if (limit.passed() || !wait_writable(messages[done].body.size(), limit))
      return put_outcome::full;
  }
}

void message_queue::announce_put(std::size_t count) noexcept {
  spinner::of_this_thread().expect_answer(true);
  reader_back_off::of_this_thread().expect_answer();
  arrivals_.room.wake_if_occupied(
    static_cast<int>(std::min<std::size_t>(count, 1 << 20)));
  if (arrivals_.watchers.any())
    arrivals_.watchers.notify(watcher_bits());
  if (run_memory::reports()) [[unlikely]]
    memory::count_depth(this, size());
}

bool message_queue::wait_writable(std::uint64_t bytes, deadline limit) {
  spinner::of_this_thread().expect_answer(false);
  return departures_.room.wait(
    [&] { return has_room(bytes) || closed() || !has_readers(); }, limit,
    memory::wait_kind::room);
}

} // namespace troupe::mailbox
