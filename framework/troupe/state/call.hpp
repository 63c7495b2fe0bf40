// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/base/deadline.hpp>
#include <troupe/base/error.hpp>
#include <troupe/codec/codec.hpp>
#include <troupe/state/caller.hpp>
#include <troupe/state/target.hpp>
#include <troupe/state/wire.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <optional>
#include <type_traits>

/// The bytes of calls and answers, the same in a run and over a network.
namespace troupe::held {

class operation;

/// The head of a request; the arguments follow, encoded one after the other.
struct call_head {
  /// For whoever carries the call.
  std::array<std::uint64_t, 2> route{};
  object_number object = the_state;
  /// Hash of the operation's name.
  std::uint64_t operation = 0;
  /// How long the call may wait there, in nanoseconds; negative: for ever.
  std::int64_t limit = -1;

  [[nodiscard]] static std::int64_t limit_of(deadline when) noexcept;
  [[nodiscard]] deadline when() const;
};

static_assert(codec::flat<call_head> && sizeof(call_head) == 40);

/// The operation of a message that is no call: a remote client gives an object
/// back. How often it was named follows.
inline constexpr std::uint64_t give_back_operation = 0x7472'6F75'7065'6762;

/// The same for a call that a remote client does not wait for any more; its
/// number follows, which its head has in the first place of `route`.
inline constexpr std::uint64_t withdraw_operation = 0x7472'6F75'7065'7764;

/// Bytes at the beginning of an answer for whoever carries it; they are not
/// shown to the reader of an answer.
inline constexpr std::size_t answer_room = 8;

/// The first byte of an answer behind that.
enum class answer_kind : std::uint8_t {
  /// The result follows, if the operation has one.
  value,
  /// A `calls::failure` follows.
  failure,
  /// The call has waited as long as it may.
  timed_out,
};

/// Begins an answer: the result is encoded next.
inline void begin_answer(codec::packet& answer,
                         answer_kind kind = answer_kind::value) {
  codec::encode_into(answer, std::uint64_t{0}, kind);
}

/// Makes `answer` say that the call ended with `failure`.
void encode_failure(codec::packet& answer, const std::exception_ptr& failure);

/// Throws the failure that `from` holds, of a call of `what`: the exception
/// type of its `errc` for one of Troupe's, otherwise a `remote_error`.
[[noreturn]] void throw_failure(codec::decoder& from, const caller& where,
                                const operation& what);

/// Reads an answer whose result is an `R`; `timed_out()` instead of a result
/// where the call had a limit.
template <class R>
class result_reader final : public answer_reader {
public:
  result_reader(caller& where, const operation& what) noexcept
    : where_(where), what_(what) {
  }

  void read(bytes_view answer,
            std::span<const memory::object_id> handles) override {
    codec::decoder from{answer, handles, "an answer", where_.coding()};
    switch (from.load<answer_kind>()) {
      case answer_kind::value:
        if constexpr (!std::is_void_v<R>)
          value_.emplace(from.template load<R>());
        from.finish();
        break;
      case answer_kind::timed_out: timed_out_ = true; break;
      default: throw_failure(from, where_, what_);
    }
  }

  [[nodiscard]] bool timed_out() const noexcept {
    return timed_out_;
  }

  [[nodiscard]] R take() {
    if constexpr (!std::is_void_v<R>)
      return std::move(*value_);
  }

private:
  struct nothing {};

  caller& where_;
  const operation& what_;
  std::optional<std::conditional_t<std::is_void_v<R>, nothing, R>> value_;
  bool timed_out_ = false;
};

} // namespace troupe::held
