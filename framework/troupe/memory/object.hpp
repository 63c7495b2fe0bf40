// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>

namespace troupe::memory {

/// What an object of the run's memory is; a handle of one kind is refused where
/// another is expected.
enum class object_kind : std::uint32_t {
  none = 0,
  parcel,
  value,
  array,
  buffer,
  block,
  queue,
  segment,
  connection,
  ring,
  inbox,
  message,
  mutex,
  semaphore,
  condition,
  event,
  barrier,
  registry,
  state,
  ledger,
  share,
  share_table,
  // 22 is sync's line.
  pool = 23,
  /// Kinds for tests and for users of this layer start here.
  user = 1000,
};

/// "queue" for `object_kind::queue`; the number of one that has no name.
[[nodiscard]] std::string name_of(object_kind kind);

/// Names one object of the run, for ever: the number of its head below, and
/// above how often that head was used. 0 names none. Valid in every process of
/// the run; an object that has ended is named by no later one.
///
/// An object of two sides has two ids, one for each, which differ in the bit
/// `second_side`.
using object_id = std::uint64_t;

inline constexpr std::uint32_t second_side = 0x8000'0000;

/// The number of the head that `id` names.
[[nodiscard]] constexpr std::uint32_t head_number(object_id id) noexcept {
  return static_cast<std::uint32_t>(id) & ~second_side;
}

[[nodiscard]] constexpr bool is_second_side(object_id id) noexcept {
  return (id & second_side) != 0;
}

/// The id of the other side of an object of two sides.
[[nodiscard]] constexpr object_id other_side(object_id id) noexcept {
  return id ^ second_side;
}

/// The life of a head, which is used for one object after the other.
enum class life_state : std::uint8_t {
  /// Its page is not in use.
  none = 0,
  /// May be taken for a new object.
  free,
  /// Row `row` has taken it and makes an object, or gives up what was kept.
  taken,
  /// There is an object, and it can be attached.
  alive,
  /// Row `row` ends the object.
  dying,
  /// No object, but memory that the next one may use. See `warm_memory`.
  kept,
  /// Row `row` is about to give back the page of the head.
  shut,
  /// The first side has ended, of an object of which the second may not have.
  ended,
};

/// The word that decides everything about a head; changed by compare-exchange
/// only, and `count` grows with each change, so it never has one value twice.
///
///     0    state   3 bits
///     3    row     17 bits, of who takes, ends or shuts
///     20   count   44 bits
struct life_word {
  static constexpr unsigned row_shift = 3;
  static constexpr unsigned count_shift = 20;
  static constexpr std::uint64_t most_count = (1ULL << 44) - 1;

  std::uint64_t bits = 0;

  [[nodiscard]] static constexpr life_word
  make(life_state state, std::uint32_t row, std::uint64_t count) noexcept {
    return {static_cast<std::uint64_t>(state)
            | (std::uint64_t{row} << row_shift) | (count << count_shift)};
  }

  [[nodiscard]] constexpr life_state state() const noexcept {
    return static_cast<life_state>(bits & 7);
  }

  [[nodiscard]] constexpr std::uint32_t row() const noexcept {
    return static_cast<std::uint32_t>(bits >> row_shift) & 0x1'FFFF;
  }

  [[nodiscard]] constexpr std::uint64_t count() const noexcept {
    return bits >> count_shift;
  }

  /// The word after a change to `state`, made in the name of `row`.
  [[nodiscard]] constexpr life_word next(life_state state,
                                         std::uint32_t row = 0) const noexcept {
    return make(state, row, count() + 1);
  }

  [[nodiscard]] constexpr bool is(life_state state,
                                  std::uint32_t row) const noexcept {
    return this->state() == state && this->row() == row;
  }
};

/// How many shares keep an object alive beside its holders, and who was the
/// last to change that number in a way that a crash must not leave open.
///
///     0    count   27 bits
///     27   row     17 bits, of whose change it was, + 1; 0: none
///     44   number  20 bits, the lower ones of the change's number
///
/// A share that is the object's only one (a segment's, a message's) is counted
/// without a row, for it may be counted and ended twice; the row and the number
/// of before then stay. See `share_change`.
struct share_word {
  static constexpr unsigned row_shift = 27;
  static constexpr unsigned number_shift = 44;
  static constexpr std::uint64_t most = (1ULL << row_shift) - 1;

  std::uint64_t bits = 0;

  [[nodiscard]] static constexpr std::uint64_t
  tag(std::uint32_t row, std::uint64_t number) noexcept {
    return ((std::uint64_t{row} + 1) << row_shift) | (number << number_shift);
  }

  [[nodiscard]] constexpr std::uint64_t count() const noexcept {
    return bits & most;
  }

  [[nodiscard]] constexpr std::uint64_t tag() const noexcept {
    return bits & ~most;
  }

  /// The row of the last change, or one that there is not.
  [[nodiscard]] constexpr std::uint32_t row() const noexcept {
    return (static_cast<std::uint32_t>(bits >> row_shift) & 0x1'FFFF) - 1;
  }
};

/// The head of an object in the run's memory. It is never anything else: where
/// a head has been, only heads will be, so whoever comes with a name of former
/// times finds a head, and sees that it is another object's.
///
///     0    life        see `life_word`
///     8    generation  how often this head was used; the upper half of the id
///     12   kind        0: the object is unfinished, or disposed of
///     16   size        bytes of payload
///     24   payload     where the payload stands in the run's memory
///     32   accounted   bytes that a ledger counts for it, 0 for none
///     40   granules    how many the payload has of its own; 0: it stands here
///     44   creator     row of the process that made it
///     48   flags
///     52   origin      where it was made, and its name
///     56   shares      see `share_word`
///     64   holders     one bit for each of the first 320 rows
///     104  second life       of the second side; `none` where there is none
///     112  second holders    one bit for each of the first 128 rows
///     128  payload of up to 128 bytes
///     248  second shares     behind the payload of an object of two sides
///     256
///
/// An object lives while a bit is set or a share is counted. Whoever takes
/// the last away ends it: the race of two, or with a late attach, is decided by
/// one compare-exchange on `life` (docs/design/memory.md argues it).
///
/// An object of two sides has holders, shares and a life for each. A side ends
/// by itself; the object ends with the later one.
struct object_head {
  static constexpr std::uint64_t size_inside = 128;
  static constexpr std::uint64_t size_of_two_sides = size_inside
                                                     - sizeof(std::uint64_t);
  static constexpr std::uint32_t rows_inside = 320;
  static constexpr std::uint32_t second_rows_inside = 128;

  /// A holder's bit may stand outside, in the page's own rows.
  static constexpr std::uint32_t has_more_holders = 1;
  /// The payload's memory is given back, but not yet its granules.
  static constexpr std::uint32_t is_punched = 2;
  /// The payload promises nothing about what is in it: see `contents`.
  static constexpr std::uint32_t is_unspecified = 4;
  /// Another object keeps this one alive: see `own`.
  static constexpr std::uint32_t is_owned = 8;
  /// The payload begins with a list of shares: see `share_list`.
  static constexpr std::uint32_t has_shares = 16;
  /// As `has_more_holders`, for the second side.
  static constexpr std::uint32_t has_more_second_holders = 32;

  // seq_cst: `life`, `shares`, `holders`, and of the second side `second_life`
  // and `second_holders`. Who takes the last bit or share away looks at the
  // others and at `life` after that; who attaches sets a bit and looks at
  // `life` after that: one of them sees the other.
  // `flags` too, where an object may be in use: `own` and `disown` pair with
  // `is_held`. Who has the life of the head reads and writes them relaxed.
  // relaxed: `generation`, `kind`, `size`, `payload`, `creator`. `describe`
  // writes them before the exchange of `life` to `alive`; who reads them has
  // found it so, or holds the object. `kind` goes back to 0 with release in
  // `end`, which reads it with acquire: who ends the object once more, after a
  // death, disposes of nothing.
  // `accounted`: release in `create_once`, behind the ledger's entry; acquire
  // in `give_up`. `granules`: release in `take_extent`, behind `payload`, so
  // that whoever confirms the death of its writer finds both; else as those
  // above.
  // `origin` is relaxed: a number of a text for display.
  std::atomic<std::uint64_t> life;
  std::atomic<std::uint32_t> generation;
  std::atomic<std::uint32_t> kind;
  std::atomic<std::uint64_t> size;
  std::atomic<std::uint64_t> payload;
  std::atomic<std::uint64_t> accounted;
  std::atomic<std::uint32_t> granules;
  std::atomic<std::uint32_t> creator;
  std::atomic<std::uint32_t> flags;
  /// Number of what says where it was made, 0 for none; see `origin`.
  std::atomic<std::uint32_t> origin;
  std::atomic<std::uint64_t> shares;
  std::array<std::atomic<std::uint64_t>, rows_inside / 64> holders;
  std::atomic<std::uint64_t> second_life;
  std::array<std::atomic<std::uint64_t>, second_rows_inside / 64>
    second_holders;
  std::array<std::byte, size_inside> inside;

  [[nodiscard]] life_word life_now() const noexcept {
    return {life.load(std::memory_order_seq_cst)};
  }

  [[nodiscard]] life_word second_life_now() const noexcept {
    return {second_life.load(std::memory_order_seq_cst)};
  }

  /// Whether there is a second side that has not ended.
  /// @pre the object lives, or the caller has its life
  [[nodiscard]] bool has_second_side() const noexcept {
    return second_life_now().state() != life_state::none;
  }

  [[nodiscard]] share_word shares_now() const noexcept {
    return {shares.load(std::memory_order_seq_cst)};
  }

  /// Changes `life` from `seen` to the next word in that state. On failure
  /// `seen` is what is there.
  bool change(life_word& seen, life_state state,
              std::uint32_t row = 0) noexcept {
    return life.compare_exchange_strong(seen.bits, seen.next(state, row).bits,
                                        std::memory_order_seq_cst);
  }
};

static_assert(sizeof(object_head) == 256);
static_assert(offsetof(object_head, inside) == 128);
static_assert(std::atomic<std::uint64_t>::is_always_lock_free);

/// What can be held: an object, or one of the two sides of one.
struct object_side {
  object_head* head;
  bool is_second = false;

  constexpr object_side(object_head* of, bool second = false) noexcept
    : head(of), is_second(second) {
  }

  [[nodiscard]] std::atomic<std::uint64_t>& life() const noexcept {
    return is_second ? head->second_life : head->life;
  }

  /// Of the second side it means nothing unless the object has two, and lives.
  [[nodiscard]] std::atomic<std::uint64_t>& shares() const noexcept {
    return is_second ? *reinterpret_cast<std::atomic<std::uint64_t>*>(
                         head->inside.data() + object_head::size_of_two_sides)
                     : head->shares;
  }

  [[nodiscard]] life_word life_now() const noexcept {
    return {life().load(std::memory_order_seq_cst)};
  }

  [[nodiscard]] share_word shares_now() const noexcept {
    return {shares().load(std::memory_order_seq_cst)};
  }

  /// As that of `object_head`.
  bool change(life_word& seen, life_state state,
              std::uint32_t row = 0) const noexcept {
    return life().compare_exchange_strong(seen.bits, seen.next(state, row).bits,
                                          std::memory_order_seq_cst);
  }

  /// Whether the side lives, and is that which `id` names.
  [[nodiscard]] bool is_living(object_id id) const noexcept {
    return life_now().state() == life_state::alive
           && head->generation.load(std::memory_order_relaxed) == id >> 32;
  }
};

/// Returns whether `side` is that of the living object `id`, and `kind` its
/// kind. May have changed when it returns, unless the caller keeps the object
/// alive.
[[nodiscard]] inline bool is_object(object_side side, object_id id,
                                    object_kind kind) noexcept {
  return side.is_living(id)
         && side.head->kind.load(std::memory_order_relaxed)
              == static_cast<std::uint32_t>(kind);
}

/// What a kind needs done beyond giving its memory back.
struct kind_operations {
  /// Called right before the memory is given back, when nobody can attach any
  /// more. Must not throw, and must accept a payload that its creator never
  /// finished (all zero). If the caller is killed inside it is called again, by
  /// whoever confirms that death: so give up one thing at a time, and clear its
  /// place first.
  void (*dispose)(std::byte* payload, std::uint64_t size) noexcept = nullptr;

  /// Called for each object, or each side, that a dead process held, before its
  /// bit is cleared, by whoever confirmed the death; perhaps twice. `slot` is
  /// the index of the dead process.
  void (*holder_died)(std::byte* payload, std::uint64_t size,
                      std::uint32_t slot) noexcept
    = nullptr;

  /// Called when the living process in `slot` gives its last handle up, before
  /// its bit is cleared: from then on nobody would notice its death here. Must
  /// not wait and must not create, attach or give up handles.
  void (*holder_left)(std::byte* payload, std::uint64_t size,
                      std::uint32_t slot) noexcept
    = nullptr;

  /// Of the payload: see `layout_of`. 0 for what nobody looks at from outside.
  std::uint32_t layout = 0;

  /// Called when the side that nobody holds any more has ended, of an object of
  /// two: before `dispose`, which comes after both, and as that perhaps again.
  void (*side_ended)(std::byte* payload, bool is_second) noexcept = nullptr;
};

/// Registers the operations of `kind`; to be called during static
/// initialisation, so that the fork server knows them too. Returns true.
bool register_kind(object_kind kind, kind_operations operations) noexcept;

/// Returns what `register_kind` was given for `kind`, or nothing to do.
[[nodiscard]] kind_operations operations_of(object_kind kind) noexcept;

} // namespace troupe::memory
