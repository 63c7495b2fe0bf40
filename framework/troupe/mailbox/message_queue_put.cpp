// SPDX-License-Identifier: BSL-1.0
#include <troupe/mailbox/box_lock.hpp>
#include <troupe/mailbox/letter_box.hpp>
#include <troupe/mailbox/pursuit.hpp>

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

void letter_box::recover_put() noexcept {
  const auto word = put_.word.load(std::memory_order_relaxed);
  const auto& state = writers_.states[word & which_bit];
  if (const auto where = writers_.segment_note.where.load(); where != 0) {
    if (letters_in(word) == writers_.segment_note.at.load()) {
      if (state.segment != 0)
        segment::at(state.segment).unseal();
      else
        writers_.first.store(0);
      memory::forget(where);
    }
    writers_.segment_note.where.store(0);
  }
  if (const auto where = writers_.letter_note.where.load(); where != 0) {
    if (letters_in(word) == writers_.letter_note.at.load())
      memory::forget(where);
    writers_.letter_note.where.store(0);
  }
}

std::uint64_t letter_box::window_for(std::uint64_t bytes) const noexcept {
  return std::clamp(bytes * 4, options_.window, options_.window * 16);
}

bool letter_box::has_room(std::uint64_t bytes) const noexcept {
  const auto taken = letters_in(taken_.word.load(std::memory_order_seq_cst));
  const auto word = put_.word.load(std::memory_order_seq_cst);
  if (options_.letters != 0 && letters_in(word) - taken >= options_.letters)
    return false;
  // What a killed process added to the bytes ends when the last letter is out.
  return options_.window == 0 || letters_in(word) == taken
         || unread_bytes() <= window_for(bytes);
}

std::uint64_t letter_box::unread_bytes() const noexcept {
  const auto taken = taken_.bytes.load(std::memory_order_seq_cst);
  const auto put = put_.bytes.load(std::memory_order_seq_cst);
  return put - std::min(put, taken);
}

std::size_t letter_box::put_locked(std::span<const draft> letters,
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
    word = ((letters_in(word) + (written - committed)) << count_shift) | other;
    committed = written;
    put_.bytes.store(state.bytes, std::memory_order_relaxed);
    TROUPE_CRASH_POINT("mailbox.put.before_commit");
    // release: pairs with the acquire of readers. The fence of the unlock
    // comes before the look at who waits.
    put_.word.store(word, std::memory_order_release);
    TROUPE_CRASH_POINT("mailbox.put.committed");
  };
  for (; written < letters.size(); ++written) {
    const auto& content = letters[written];
    const auto count = letters_in(word) + (written - committed);
    if (options_.letters != 0 && count - state.taken_seen >= options_.letters) {
      state.taken_seen
        = letters_in(taken_.word.load(std::memory_order_acquire));
      if (count - state.taken_seen >= options_.letters)
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
            && count != letters_in(taken_.word.load(std::memory_order_acquire)))
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
      writers_.letter_note.at.store(letters_in(word));
      writers_.letter_note.where.store(id);
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
      // A new segment takes over together with its first letter.
      if (written != committed) {
        state.bytes -= content.body.size();
        commit();
        state.bytes += content.body.size();
      }
      reference added;
      try {
        added = segment::make(last != nullptr ? last->capacity() * 2 : 0, need);
      } catch (...) {
        if (writers_.letter_note.where.load() != 0) {
          memory::forget(id);
          writers_.letter_note.where.store(0);
        }
        if (written != 0)
          break; // the next call meets it again, with nothing done before
        throw;
      }
      TROUPE_CRASH_POINT("mailbox.grow.created");
      writers_.segment_note.at.store(letters_in(word));
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
    writers_.letter_note.where.store(0);
  }
  if (written != committed)
    commit();
  outcome = written == letters.size() ? put_outcome::done : put_outcome::full;
  return written;
}

/// The usual case of `put_locked`: a small letter for which there is room in
/// the last segment, as far as writers know. False for any other, and then
/// nothing has happened.
bool letter_box::put_at_hand(const draft& content) {
  const auto word = put_.word.load(std::memory_order_relaxed);
  const auto& now = writers_.states[word & which_bit];
  const auto size = content.body.size();
  if ((word & closed_bit) != 0 || now.segment == 0 || !has_readers())
    return false;
  if (options_.letters != 0
      && letters_in(word) - now.taken_seen >= options_.letters)
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
  put_.word.store(((letters_in(word) + 1) << count_shift) | other,
                  std::memory_order_release);
  TROUPE_CRASH_POINT("mailbox.put.committed");
  last.take_back(now.position, next.position, now.consumed_seen);
  return true;
}

put_outcome letter_box::put(const draft& content, deadline limit) {
  if (content.handles.empty() && content.body.size() <= at_hand) {
    bool put = false;
    {
      TROUPE_CRASH_POINT("mailbox.put.unlocked");
      const box_lock guard{writers_.lock, [this] { recover_put(); },
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

put_outcome letter_box::put(std::span<const draft> letters, std::size_t& done,
                            deadline limit) {
  done = 0;
  std::vector<reference> objects;
  for (std::size_t i = 0; i < letters.size(); ++i) {
    const auto& each = letters[i];
    if (each.handles.size() > std::numeric_limits<std::uint16_t>::max())
      throw limit_reached("put a letter into a mailbox",
                          "it carries " + std::to_string(each.handles.size())
                            + " handles and may carry 65535",
                          "send the handles in several letters");
    const bool apart = lies_apart(each);
    if (!apart && each.handles.empty())
      continue;
    objects.resize(letters.size());
    objects[i] = reference::create_with_shares(object_kind::letter,
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
      const box_lock guard{writers_.lock, [this] { recover_put(); },
                           "put into a mailbox"};
      TROUPE_CRASH_POINT("mailbox.put.locked");
      now = put_locked(letters.subspan(done),
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
    if (limit.passed() || !wait_writable(letters[done].body.size(), limit))
      return put_outcome::full;
  }
}

void letter_box::announce_put(std::size_t count) noexcept {
  spinner::of_this_thread().expect_answer(true);
  pursuit::of_this_thread().expect_answer();
  arrivals_.room.ring_if_occupied(
    static_cast<int>(std::min<std::size_t>(count, 1 << 20)));
  if (arrivals_.watchers.any())
    arrivals_.watchers.ring(watcher_bits());
}

bool letter_box::wait_writable(std::uint64_t bytes, deadline limit) {
  spinner::of_this_thread().expect_answer(false);
  return departures_.room.wait(
    [&] { return has_room(bytes) || closed() || !has_readers(); }, limit,
    memory::wait_kind::room);
}

} // namespace troupe::mailbox
