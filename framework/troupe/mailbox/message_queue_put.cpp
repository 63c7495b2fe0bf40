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

std::size_t message_queue::put_locked(std::span<const draft> messages,
                                      std::span<const reference> objects,
                                      put_outcome& outcome) {
  auto word = put_.word.load(std::memory_order_relaxed);
  outcome = put_outcome::closed;
  if ((word & closed_bit) != 0)
    return 0;
  outcome = put_outcome::no_reader;
  if (!has_readers())
    return 0;
  const auto self = run_memory::current().self().packed();
  auto state = writers_.states[word & which_bit];
  std::size_t written = 0;
  std::size_t committed = 0;
  const auto commit = [&] {
    const auto other = (word & which_bit) ^ which_bit;
    writers_.states[other] = state;
    word = ((messages_in(word) + (written - committed)) << count_shift) | other;
    committed = written;
    put_.bytes.store(state.bytes, std::memory_order_relaxed);
    TROUPE_CRASH_POINT("mailbox.put.before_commit");
    // release: pairs with the acquire of readers. The fence of the unlock
    // comes before the look at who waits.
    put_.word.store(word, std::memory_order_release);
    TROUPE_CRASH_POINT("mailbox.put.committed");
  };
  for (; written < messages.size(); ++written) {
    const auto& content = messages[written];
    const auto count = messages_in(word) + (written - committed);
    if (options_.messages != 0
        && count - state.taken_seen >= options_.messages) {
      state.taken_seen
        = messages_in(taken_.word.load(std::memory_order_acquire));
      if (count - state.taken_seen >= options_.messages)
        break;
    }
    if (options_.window != 0) {
      // What readers write is looked at only where it matters.
      const auto too_much = [&] {
        return state.bytes - std::min(state.taken_bytes_seen, state.bytes)
               > window_for(content.body.size());
      };
      if (too_much()) {
        state.taken_bytes_seen = taken_.bytes.load(std::memory_order_acquire);
        if (too_much()
            && count
                 != messages_in(taken_.word.load(std::memory_order_acquire)))
          break;
      }
    }
    auto body = content.body;
    memory::object_id carrier = 0;
    apart_body outside{};
    auto kind = record_head::here;
    const auto id = objects.empty() ? 0 : objects[written].id();
    if (id != 0) {
      if (lies_apart(content)) {
        outside = {id, content.body.size()};
        body = bytes_view{std::as_bytes(std::span{&outside, 1})};
        kind = record_head::apart;
      } else
        carrier = id;
      if (written != committed)
        commit();
      writers_.message_note.at.store(messages_in(word));
      writers_.message_note.where.store(id);
      TROUPE_CRASH_POINT("mailbox.put.noted");
      memory::keep_alive(objects[written]);
      TROUPE_CRASH_POINT("mailbox.put.apart");
    }
    const auto need = segment::room_for(carrier != 0, body.size());
    auto* last = state.segment != 0 ? &segment::at(state.segment) : nullptr;
    const auto fits = [&] {
      return last != nullptr && need <= last->capacity()
             && last->fits(state.position, need, state.consumed_seen);
    };
    bool room = fits();
    if (!room && last != nullptr) {
      state.consumed_seen = last->consumed();
      room = fits();
    }
    state.bytes += content.body.size();
    if (room) {
      state.position = last->write(state.position, body, carrier, kind, self);
      if (id == 0)
        continue;
    } else {
      // A new segment takes over together with its first message.
      if (written != committed) {
        state.bytes -= content.body.size();
        commit();
        state.bytes += content.body.size();
      }
      reference added;
      try {
        added = segment::make(last != nullptr ? last->capacity() * 2 : 0, need);
      } catch (...) {
        if (writers_.message_note.where.load() != 0) {
          memory::forget(id);
          writers_.message_note.where.store(0);
        }
        if (written != 0)
          break; // the next call meets it again, with nothing done before
        throw;
      }
      TROUPE_CRASH_POINT("mailbox.grow.created");
      writers_.segment_note.at.store(messages_in(word));
      writers_.segment_note.where.store(added.id());
      memory::keep_alive(added);
      TROUPE_CRASH_POINT("mailbox.grow.noted");
      auto& next = *added.as<segment>();
      const auto behind = next.write(0, body, carrier, kind, self);
      if (last != nullptr)
        last->seal(state.position, added.id());
      else
        writers_.first.store(added.id());
      TROUPE_CRASH_POINT("mailbox.grow.linked");
      state.segment = added.id();
      state.position = behind;
      state.consumed_seen = 0;
    }
    ++written;
    commit();
    --written;
    TROUPE_CRASH_POINT("mailbox.grow.committed");
    writers_.segment_note.where.store(0);
    writers_.message_note.where.store(0);
  }
  if (written != committed)
    commit();
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
  arrivals_.room.ring_if_occupied(
    static_cast<int>(std::min<std::size_t>(count, 1 << 20)));
  if (arrivals_.watchers.any())
    arrivals_.watchers.ring(watcher_bits());
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
