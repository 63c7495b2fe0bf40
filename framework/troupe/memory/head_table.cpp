// SPDX-License-Identifier: BSL-1.0
#include <troupe/memory/head_table.hpp>

#include <troupe/memory/own_row.hpp>
#include <troupe/memory/row_memory.hpp>
#include <troupe/os/crash_point.hpp>
#include <troupe/os/memory_file.hpp>

#include <algorithm>
#include <bit>
#include <mutex>

namespace troupe::memory::head_table {

namespace {

constexpr auto heads_in_page = head_page::heads;
constexpr std::uint64_t all_free = (1ULL << heads_in_page) - 1;

/// Pages that `take` looks at before it takes one that was never in use.
constexpr std::uint32_t pages_looked_at = 256;
constexpr std::size_t most_freed = 64;

run_memory& memory() noexcept {
  return run_memory::current();
}

head_page& page_at(std::uint32_t page) noexcept {
  return memory().page(page);
}

object_head* head_in(std::uint32_t page, std::uint32_t place) noexcept {
  return memory().head_at(page * heads_in_page + place);
}

std::uint32_t pages_high() noexcept {
  return memory().header().pages_high.load(std::memory_order_acquire);
}

void punch(std::uint32_t page) noexcept {
  auto& header = memory().header();
  const auto file = memory().file();
  os::punch_hole(file, header.heads + std::uint64_t{page} * head_page::bytes,
                 head_page::bytes);
  if (header.more_bytes != 0)
    os::punch_hole(
      file, header.more_holders + std::uint64_t{page} * header.more_bytes,
      header.more_bytes);
}

/// Whether a page takes no memory, or would not had nobody looked at it.
bool is_unused(std::uint64_t word) noexcept {
  const auto state = head_page::state_of(word);
  return state == page_state::closed || state == page_state::worn_out;
}

/// Makes a page whose word is `seen` busy in the name of `row`, which says so
/// in its row before. False if the word has changed.
bool make_busy(std::uint32_t page, std::uint64_t seen,
               std::uint32_t row) noexcept {
  auto& own = memory().row(row).busy_page;
  own.store(page, std::memory_order_seq_cst);
  TROUPE_CRASH_POINT("memory.page.noted");
  if (page_at(page).word.compare_exchange_strong(
        seen, head_page::word_of(page_state::busy, row),
        std::memory_order_seq_cst)) {
    TROUPE_CRASH_POINT("memory.page.busy");
    return true;
  }
  own.store(0, std::memory_order_release);
  return false;
}

/// Gives back a page of which every head is `shut`, or was before the hole.
/// @pre the page is busy in the name of `row`
void give_back(std::uint32_t page, std::uint32_t row) noexcept {
  auto& entry = page_at(page);
  for (;;) {
    entry.word.fetch_and(~head_page::touched, std::memory_order_seq_cst);
    punch(page);
    TROUPE_CRASH_POINT("memory.page.punched");
    auto seen = entry.word.load(std::memory_order_seq_cst);
    // A look that came too late has filled the hole again.
    if ((seen & head_page::touched) != 0)
      continue;
    const auto after = entry.worn_out()
                         ? head_page::word_of(page_state::worn_out)
                         : head_page::word_of(page_state::closed);
    if (entry.word.compare_exchange_strong(seen, after,
                                           std::memory_order_seq_cst))
      break;
  }
  memory().row(row).busy_page.store(0, std::memory_order_release);
}

/// Ends an attempt to close: opens the page for what is free in it. Returns
/// whether that is all by now: whoever freed the last one found the page busy,
/// and left it to this.
bool reopen(std::uint32_t page, std::uint32_t row) noexcept {
  auto& entry = page_at(page);
  std::uint64_t free_ones = 0;
  for (std::uint32_t place = 0; place < heads_in_page; ++place) {
    auto* head = head_in(page, place);
    auto seen = head->life_now();
    if (seen.is(life_state::shut, row))
      head->change(seen, life_state::free);
    if (head->life_now().state() == life_state::free)
      free_ones |= 1ULL << place;
  }
  auto seen = entry.word.load(std::memory_order_seq_cst);
  while (!entry.word.compare_exchange_weak(
    seen, head_page::word_of(page_state::open) | (seen & all_free) | free_ones,
    std::memory_order_seq_cst)) {
  }
  TROUPE_CRASH_POINT("memory.page.reopened");
  return ((seen & all_free) | free_ones) == all_free;
}

void close_if_empty(std::uint32_t page, std::uint32_t row) noexcept;

/// Closes a page that is busy in the name of `row`, or opens it again if a head
/// in it is in use. To be done again should the caller die.
void close_busy(std::uint32_t page, std::uint32_t row) noexcept {
  auto& entry = page_at(page);
  auto count = entry.count.load(std::memory_order_relaxed);
  auto generation = entry.generation.load(std::memory_order_relaxed);
  for (std::uint32_t place = 0; place < heads_in_page; ++place) {
    auto* head = head_in(page, place);
    auto seen = head->life_now();
    // In a page that is being opened, or was given back already: no life yet.
    if (seen.bits == 0) {
      seen = life_word::make(life_state::shut, row,
                             entry.count.load(std::memory_order_relaxed));
      std::uint64_t nothing = 0;
      head->life.compare_exchange_strong(nothing, seen.bits,
                                         std::memory_order_seq_cst);
      seen = head->life_now();
    }
    if (seen.state() == life_state::free
        && head->change(seen, life_state::shut, row))
      seen = head->life_now();
    if (!seen.is(life_state::shut, row)) {
      if (reopen(page, row))
        return close_if_empty(page, row);
      memory().row(row).busy_page.store(0, std::memory_order_release);
      return;
    }
    count = std::max(count, seen.count() + 1);
    generation = std::max(generation,
                          head->generation.load(std::memory_order_relaxed));
  }
  TROUPE_CRASH_POINT("memory.page.shut");
  entry.generation.store(generation, std::memory_order_relaxed);
  // release: before the hole, which takes what the heads know of it.
  entry.count.store(count, std::memory_order_release);
  TROUPE_CRASH_POINT("memory.page.counted");
  give_back(page, row);
}

/// Gives the page back if no head in it is in use.
void close_if_empty(std::uint32_t page, std::uint32_t row) noexcept {
  const auto seen = page_at(page).word.load(std::memory_order_seq_cst);
  const auto empty = head_page::word_of(page_state::open) | all_free;
  if ((seen & ~head_page::touched) == empty && make_busy(page, seen, row))
    close_busy(page, row);
}

/// Names a page among those that the row keeps though they may be empty, in the
/// place of another, which goes if it is empty.
void list(picker& from, std::uint32_t page, std::uint32_t row) noexcept {
  auto& of = memory().row(row);
  if (std::ranges::any_of(of.empty_pages, [page](const auto& each) {
        return each.load(std::memory_order_relaxed) == page;
      }))
    return;
  auto& place = of.empty_pages[from.next_empty++ % of.empty_pages.size()];
  const auto old = place.load(std::memory_order_relaxed);
  // First the note: after the store the row names the old page nowhere else.
  of.busy_page.store(old, std::memory_order_seq_cst);
  place.store(page, std::memory_order_seq_cst);
  TROUPE_CRASH_POINT("memory.page.listed");
  if (old != 0)
    close_if_empty(old, row);
  of.busy_page.store(0, std::memory_order_release);
}

/// Opens a page that is not in use. False if another was faster.
bool open(picker& from, std::uint32_t page, std::uint32_t row) noexcept {
  auto& entry = page_at(page);
  const auto seen = entry.word.load(std::memory_order_seq_cst);
  if (head_page::state_of(seen) != page_state::closed)
    return false;
  // Should the caller die before it takes a head, the page is empty.
  list(from, page, row);
  if (!make_busy(page, seen, row))
    return false;
  const auto count = entry.count.load(std::memory_order_acquire) + 1;
  const auto generation = entry.generation.load(std::memory_order_relaxed);
  for (std::uint32_t place = 0; place < heads_in_page; ++place) {
    auto* head = head_in(page, place);
    head->generation.store(generation, std::memory_order_relaxed);
    // release: whoever takes the head finds the generation.
    head->life.store(life_word::make(life_state::free, 0, count).bits,
                     std::memory_order_release);
  }
  TROUPE_CRASH_POINT("memory.page.free");
  entry.word.store(head_page::word_of(page_state::open) | all_free,
                   std::memory_order_seq_cst);
  memory().row(row).busy_page.store(0, std::memory_order_release);
  TROUPE_CRASH_POINT("memory.page.opened");
  return true;
}

/// Takes the head if it is free.
bool take_head(std::uint32_t index, std::uint32_t row) noexcept {
  auto* head = memory().head_at(index);
  auto& word = page_at(index / heads_in_page).word;
  const auto bit = 1ULL << (index % heads_in_page);
  // First the bit, then the head: should the caller die in between, its note
  // names a free head, and `announce_free` sets the bit again.
  word.fetch_and(~bit, std::memory_order_seq_cst);
  TROUPE_CRASH_POINT("memory.head.cleared");
  for (auto seen = head->life_now(); seen.state() == life_state::free;)
    if (head->change(seen, life_state::taken, row))
      return true;
  return false;
}

bool is_open(std::uint32_t page) noexcept {
  return head_page::state_of(page_at(page).word.load(std::memory_order_acquire))
         == page_state::open;
}

} // namespace

object_head* take(picker& from, std::uint32_t row,
                  void (*note)(void* context, std::uint32_t index),
                  void* context) noexcept {
  const auto attempt = [&](std::uint32_t index) -> object_head* {
    note(context, index);
    TROUPE_CRASH_POINT("memory.head.noted");
    return take_head(index, row) ? memory().head_at(index) : nullptr;
  };
  while (!from.freed.empty()) {
    const auto index = from.freed.back();
    from.freed.pop_back();
    if (is_open(index / heads_in_page))
      if (auto* head = attempt(index))
        return head;
    looked_at(index, row);
  }
  const auto from_page = [&](std::uint32_t page) -> object_head* {
    for (;;) {
      const auto word = page_at(page).word.load(std::memory_order_acquire);
      if (head_page::state_of(word) != page_state::open
          || (word & all_free) == 0)
        return nullptr;
      const auto place
        = static_cast<std::uint32_t>(std::countr_zero(word & all_free));
      if (auto* head = attempt(page * heads_in_page + place)) {
        from.page = page;
        return head;
      }
    }
  };
  const auto look_through = [&](std::uint32_t most) -> object_head* {
    const auto high = pages_high();
    auto page = from.page;
    // Page 0 is none, so there is one less.
    for (std::uint32_t looks = 0; looks < std::min(most, high - 1); ++looks) {
      if (page == 0 || page >= high)
        page = 1;
      if (auto* head = from_page(page))
        return head;
      if (open(from, page, row))
        if (auto* head = from_page(page))
          return head;
      ++page;
    }
    return nullptr;
  };
  if (auto* head = look_through(pages_looked_at))
    return head;
  auto& high = memory().header().pages_high;
  for (auto page = high.load(); page < memory().header().pages;) {
    if (!high.compare_exchange_weak(page, page + 1))
      continue;
    if (open(from, page, row))
      if (auto* head = from_page(page))
        return head;
    page = high.load();
  }
  return look_through(pages_high());
}

void free(picker* from, object_head* head, std::uint32_t row) noexcept {
  const auto index = memory().index_of(head);
  head->flags.store(0, std::memory_order_relaxed);
  auto seen = head->life_now();
  // A head whose numbers are used up rests for ever.
  if (head->generation.load(std::memory_order_relaxed)
        >= head_page::last_generation
      || seen.count() >= head_page::last_count) {
    head->change(seen, life_state::none);
    return;
  }
  // Above every count of the second side, which begins with this one.
  const auto count = std::max(seen.count(), head->second_life_now().count());
  head->life.compare_exchange_strong(
    seen.bits, life_word::make(life_state::free, 0, count + 1).bits,
    std::memory_order_seq_cst);
  TROUPE_CRASH_POINT("memory.head.free");
  const auto page = index / heads_in_page;
  const auto bit = 1ULL << (index % heads_in_page);
  const auto before = page_at(page).word.fetch_or(bit,
                                                  std::memory_order_seq_cst);
  if (from != nullptr && from->freed.size() < most_freed
      && from->freed.capacity() > from->freed.size())
    from->freed.push_back(index);
  if (((before | bit) & all_free) != all_free)
    return;
  // The process keeps it, for its next objects. A fork server makes none.
  if (from != nullptr && row != memory().header().slots)
    list(*from, page, row);
  else
    close_if_empty(page, row);
}

void announce_free(object_head* head, std::uint32_t row) noexcept {
  const auto index = memory().index_of(head);
  const auto page = index / heads_in_page;
  if (head->life_now().state() != life_state::free)
    return;
  page_at(page).word.fetch_or(1ULL << (index % heads_in_page),
                              std::memory_order_seq_cst);
  close_if_empty(page, row);
}

bool is_in_use(std::uint32_t index) noexcept {
  const auto page = index / heads_in_page;
  if (page == 0 || page >= pages_high())
    return false;
  return !is_unused(page_at(page).word.load(std::memory_order_seq_cst));
}

void looked_at(std::uint32_t index, std::uint32_t row) noexcept {
  const auto page = index / heads_in_page;
  if (page == 0 || page >= pages_high())
    return;
  auto& word = page_at(page).word;
  auto seen = word.load(std::memory_order_seq_cst);
  // Whoever has a busy page looks at this before it is done.
  if (head_page::state_of(seen) == page_state::busy)
    seen = word.fetch_or(head_page::touched, std::memory_order_seq_cst);
  for (; is_unused(seen); seen = word.load(std::memory_order_seq_cst))
    if (make_busy(page, seen, row))
      return give_back(page, row);
}

void looked_at(std::uint32_t index) noexcept {
  const auto page = index / heads_in_page;
  if (page == 0 || page >= pages_high()
      || head_page::state_of(page_at(page).word.load(std::memory_order_seq_cst))
           == page_state::open)
    return;
  const std::scoped_lock guard{own_row_mutex()};
  looked_at(index, memory().self().index);
}

void settle(std::uint32_t row) noexcept {
  auto& own = memory().row(row);
  if (const auto page = own.busy_page.load(std::memory_order_acquire);
      page != 0 && page < pages_high()) {
    const auto seen = page_at(page).word.load(std::memory_order_seq_cst);
    if (head_page::state_of(seen) == page_state::busy
        && head_page::row_of(seen) == row)
      close_busy(page, row);
    else
      close_if_empty(page, row);
    own.busy_page.store(0, std::memory_order_release);
  }
  give_back_empty_pages(row);
}

void give_back_empty_pages(std::uint32_t row) noexcept {
  for (auto& each : memory().row(row).empty_pages)
    if (const auto page = each.load(); page != 0 && page < pages_high()) {
      close_if_empty(page, row);
      each.store(0);
    }
}

// seq_cst, as `object_head::holders`.
std::atomic<std::uint64_t>& more_holders(object_side side,
                                         std::uint32_t word) noexcept {
  auto& header = memory().header();
  const auto index = memory().index_of(side.head);
  const auto page = index / heads_in_page;
  auto* words = reinterpret_cast<std::atomic<std::uint64_t>*>(
    memory().at(header.more_holders + std::uint64_t{page} * header.more_bytes
                + (side.is_second ? header.more_first_bytes : 0)));
  const auto each = side.is_second ? header.more_second_words
                                   : header.more_words;
  return words[(index % heads_in_page) * each + word];
}

} // namespace troupe::memory::head_table
