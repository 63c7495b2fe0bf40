// SPDX-License-Identifier: BSL-1.0
#include <troupe/os/module.hpp>

#include <troupe/base/hash.hpp>
#include <troupe/os/program_build.hpp>

#include <algorithm>
#include <cstring>
#include <mutex>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include <elf.h>
#include <link.h>
#include <sys/auxv.h>

// Not dladdr: in a program that is linked statically it knows no module, also
// not the program (-static-pie), whose offsets then are addresses.

namespace troupe::os {

namespace {

constexpr unsigned build_bits = 48;
constexpr std::uint64_t build_mask = (std::uint64_t{1} << build_bits) - 1;

std::string_view file_name(const dl_phdr_info& module) noexcept {
  // What the kernel has executed has an empty name with most loaders, and its
  // own with others.
  if (module.dlpi_name == nullptr
      || reinterpret_cast<std::uintptr_t>(module.dlpi_phdr)
           == ::getauxval(AT_PHDR))
    return {};
  std::string_view name{module.dlpi_name};
  if (const auto slash = name.rfind('/'); slash != std::string_view::npos)
    name.remove_prefix(slash + 1);
  return name;
}

std::span<const ElfW(Phdr)> segments(const dl_phdr_info& module) noexcept {
  return {module.dlpi_phdr, module.dlpi_phnum};
}

/// The bytes of a segment in memory.
std::string_view bytes_of(const dl_phdr_info& module,
                          const ElfW(Phdr) & segment) noexcept {
  return {reinterpret_cast<const char*>(module.dlpi_addr + segment.p_vaddr),
          segment.p_memsz};
}

bool is_loaded(const dl_phdr_info& module, std::uintptr_t from,
               std::uint64_t size) noexcept {
  return std::ranges::any_of(segments(module), [&](const auto& each) {
    const auto start = module.dlpi_addr + each.p_vaddr;
    return each.p_type == PT_LOAD && from >= start && size <= each.p_memsz
           && from - start <= each.p_memsz - size;
  });
}

/// The build id in the notes of a segment; empty if there is none.
std::string_view build_id_in(std::string_view notes,
                             std::size_t alignment) noexcept {
  const auto padded = [alignment](std::size_t size) {
    return (size + alignment - 1) / alignment * alignment;
  };
  ElfW(Nhdr) note;
  while (notes.size() >= sizeof note) {
    std::memcpy(&note, notes.data(), sizeof note);
    notes.remove_prefix(sizeof note);
    if (notes.size() < note.n_namesz)
      break;
    const auto name = notes.substr(0, note.n_namesz);
    notes.remove_prefix(std::min(padded(note.n_namesz), notes.size()));
    if (notes.size() < note.n_descsz)
      break;
    if (note.n_type == NT_GNU_BUILD_ID
        && name == std::string_view{"GNU\0", sizeof "GNU"})
      return notes.substr(0, note.n_descsz);
    notes.remove_prefix(std::min(padded(note.n_descsz), notes.size()));
  }
  return {};
}

std::string_view build_id(const dl_phdr_info& module) noexcept {
  for (const auto& each : segments(module)) {
    const auto notes = bytes_of(module, each);
    if (each.p_type != PT_NOTE
        || !is_loaded(module, reinterpret_cast<std::uintptr_t>(notes.data()),
                      notes.size()))
      continue;
    if (const auto id = build_id_in(notes, each.p_align == 8 ? 8 : 4);
        !id.empty())
      return id;
  }
  return {};
}

/// A number for what nobody may write in a module's memory. AddressSanitizer
/// would complain of the gaps that it leaves between constants.
[[gnu::no_sanitize_address]] std::uint64_t
hash_contents(const dl_phdr_info& module) noexcept {
  std::uint64_t hash = hash_of({});
  for (const auto& each : segments(module)) {
    if (each.p_type != PT_LOAD || (each.p_flags & PF_W) != 0
        || (each.p_flags & PF_R) == 0)
      continue;
    auto bytes = bytes_of(module, each);
    // The file's header says where the tables are that a stripped copy has not.
    if (each.p_offset == 0 && bytes.size() >= sizeof(ElfW(Ehdr)))
      bytes.remove_prefix(sizeof(ElfW(Ehdr)));
    // By words: a library may have many megabytes.
    const auto mix = [&hash](std::uint64_t word) {
      hash = (hash ^ word) * 0x9E37'79B9'7F4A'7C15;
      hash ^= hash >> 32;
    };
    std::size_t at = 0;
    for (; at + sizeof(std::uint64_t) <= bytes.size();
         at += sizeof(std::uint64_t)) {
      std::uint64_t word = 0;
      __builtin_memcpy(&word, bytes.data() + at, sizeof word);
      mix(word);
    }
    for (const char* rest = bytes.data(); at < bytes.size(); ++at)
      mix(static_cast<unsigned char>(rest[at]));
    mix(bytes.size());
  }
  return hash;
}

/// The same, once for each module. Called with the loader's lock held.
std::uint64_t hash_contents_once(const dl_phdr_info& module) {
  struct known {
    const void* module;
    std::uint64_t hash;
  };
  static constinit std::mutex mutex;
  static auto& all = *new std::vector<known>;
  static unsigned long long removed = 0;
  const std::scoped_lock guard{mutex};
  // Another one may be loaded now where one was.
  if (std::exchange(removed, module.dlpi_subs) != module.dlpi_subs)
    all.clear();
  const auto found = std::ranges::find(all, module.dlpi_phdr, &known::module);
  if (found != all.end())
    return found->hash;
  all.push_back({module.dlpi_phdr, hash_contents(module)});
  return all.back().hash;
}

std::uint64_t name_bits(std::string_view name) noexcept {
  // 0 is the program.
  return name.empty() ? 0
                      : std::max(std::uint64_t{1}, hash_of(name) >> build_bits);
}

/// What stands for a module in a location.
std::uint64_t word_of(const dl_phdr_info& module) noexcept {
  const auto name = file_name(module);
  std::uint64_t build = 0;
  if (const auto id = build_id(module); !id.empty())
    build = hash_of(id);
  else if (!name.empty())
    build = hash_contents_once(module);
  // The program itself needs none: each process executes /proc/self/exe.
  return name_bits(name) << build_bits | (build & build_mask);
}

/// Calls `visit(module)` for each until it returns true.
template <class Visit>
void find_loaded(Visit visit) {
  ::dl_iterate_phdr(
    [](dl_phdr_info* module, std::size_t, void* given) {
      return (*static_cast<Visit*>(given))(*module) ? 1 : 0;
    },
    &visit);
}

/// The same for the one that holds `address`.
template <class Visit>
void find_module_at(const void* address, Visit visit) {
  const auto here = reinterpret_cast<std::uintptr_t>(address);
  find_loaded([&](const dl_phdr_info& module) {
    if (!is_loaded(module, here, 1))
      return false;
    visit(module);
    return true;
  });
}

} // namespace

code_location locate(const void* address) noexcept {
  code_location result{0, reinterpret_cast<std::uintptr_t>(address)};
  find_module_at(address, [&result](const dl_phdr_info& module) {
    result.offset -= module.dlpi_addr;
    result.module = word_of(module);
  });
  return result;
}

std::string library_of(const void* address) {
  std::string result;
  find_module_at(address, [&result](const dl_phdr_info& module) {
    result = file_name(module);
  });
  return result;
}

std::string build_of_program() {
  const auto hexadecimal = [](auto bytes) {
    constexpr std::string_view digits{"0123456789abcdef"};
    std::string text;
    for (const char each : bytes) {
      text += digits[static_cast<unsigned char>(each) >> 4U];
      text += digits[static_cast<unsigned char>(each) & 15U];
    }
    return text;
  };
  std::string result;
  find_loaded([&](const dl_phdr_info& module) {
    if (!file_name(module).empty())
      return false;
    if (const auto id = build_id(module); !id.empty()) {
      result = hexadecimal(id);
    } else {
      const auto hash = hash_contents_once(module);
      result = "contents-"
               + hexadecimal(std::string_view{
                 reinterpret_cast<const char*>(&hash), sizeof hash});
    }
    return true;
  });
  return result;
}

module_match find_module(const code_location& location) {
  module_match result;
  find_loaded([&](const dl_phdr_info& module) {
    const auto name = file_name(module);
    if (name_bits(name) != location.module >> build_bits)
      return false;
    const bool same = word_of(module) == location.module;
    // Two may have one name, or one hash; that of the same build counts.
    if (same || result.presence == module_presence::absent)
      result = {same ? module_presence::same_build
                     : module_presence::other_build,
                std::string{name}};
    return same;
  });
  return result;
}

} // namespace troupe::os
