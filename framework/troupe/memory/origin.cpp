// SPDX-License-Identifier: BSL-1.0
#include <troupe/memory/origin.hpp>

#include <troupe/base/hash.hpp>
#include <troupe/memory/reference.hpp>
#include <troupe/memory/run_memory.hpp>

#include <array>
#include <cstddef>
#include <exception>
#include <string>
#include <string_view>

namespace troupe::memory {

std::uint32_t number_of_text(std::string_view text) noexcept {
  // How far from its place a text may stand.
  constexpr std::uint32_t farthest = 64;
  auto& memory = run_memory::current();
  const auto hash = hash_of(text) | 1;
  for (std::uint32_t turn = 0; turn < farthest; ++turn) {
    const auto index = static_cast<std::uint32_t>((hash >> 1) + turn)
                       % origin::count;
    auto& entry = memory.origin_at(index);
    std::uint64_t seen = 0;
    if (entry.hash.load(std::memory_order_relaxed) != hash
        && !entry.hash.compare_exchange_strong(seen, hash,
                                               std::memory_order_relaxed)
        && seen != hash)
      continue;
    if (entry.text.is_empty())
      entry.text.set(text);
    return index + 1;
  }
  return 0;
}

namespace {

std::uint32_t number_of_place(const std::source_location& place) noexcept {
  struct known {
    const char* file = nullptr;
    std::uint32_t line = 0;
    std::uint32_t number = 0;
  };
  static thread_local constinit std::array<known, 32> cache{};
  auto& at = cache[(reinterpret_cast<std::uintptr_t>(place.file_name()) / 8
                    + place.line())
                   % cache.size()];
  if (at.file == place.file_name() && at.line == place.line())
    return at.number;
  try {
    std::string_view file{place.file_name()};
    if (const auto slash = file.rfind('/'); slash != file.npos)
      file.remove_prefix(slash + 1);
    std::string text{file};
    text += ':';
    text += std::to_string(place.line());
    at = {place.file_name(), place.line(), number_of_text(text)};
    return at.number;
  } catch (const std::exception&) {
    // No memory for the text: the object has no place.
    return 0;
  }
}

} // namespace

void note_origin(const reference& object,
                 const std::source_location& made_at) noexcept {
  object.set_origin(number_of_place(made_at));
}

void name_object(object_id object, std::string_view name) noexcept {
  constexpr std::size_t longest = 60;
  if (object == 0)
    return;
  auto& memory = run_memory::current();
  auto& number = memory.head_of(object)->origin;
  try {
    std::string text{name.substr(0, longest)};
    if (const auto before = number.load(std::memory_order_relaxed);
        before != 0 && before <= origin::count) {
      text += ' ';
      text += memory.origin_at(before - 1).text.get();
    }
    number.store(number_of_text(text), std::memory_order_relaxed);
  } catch (const std::exception&) {
    // No memory for the text: the object keeps what it has.
    return;
  }
}

} // namespace troupe::memory
