// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/transport/caf_version.hpp>
#include <troupe/transport/image.hpp>

#include <caf/is_error_code_enum.hpp>
#include <caf/type_id.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace troupe::transport {

/// What the calling process knows of message types beyond CAF's own table.
///
/// Filled before the first actor system is made, read-only from then on. Two
/// processes that talk compare fingerprints once; where those differ, a message
/// with a type that differs is an error of whoever sends it.
class type_table {
public:
  /// What a message type is like.
  struct entry {
    /// Its values may travel as the bytes they are made of.
    bool image = false;
    /// It is the category of some `caf::error`.
    bool error_code = false;
    /// How many bytes a value has; 0 for an empty type.
    std::uint32_t size = 0;
  };

  [[nodiscard]] static type_table& current();

  /// Enters the types of `Block` here and, unless they are there, in CAF's
  /// table. Throws `invalid_state` once there is an actor system.
  template <class Block>
  void add_block() {
    require_open();
    if (version::meta_of(Block::begin) == nullptr)
      caf::init_global_meta_objects<Block>();
    [&]<caf::type_id_t... Ids>(std::integer_sequence<caf::type_id_t, Ids...>) {
      (note<caf::type_by_id_t<Ids + Block::begin>>(Ids + Block::begin), ...);
    }(std::make_integer_sequence<caf::type_id_t, Block::end - Block::begin>{});
  }

  /// Enters CAF's and Troupe's own types. Called before every actor system.
  void add_own();

  /// No types from now on; computes names and fingerprint.
  void close();

  [[nodiscard]] entry at(caf::type_id_t type) const noexcept {
    return type < entries_.size() ? entries_[type] : entry{};
  }

  /// One line per type: id, name, size in a message, whether an image.
  [[nodiscard]] const std::string& names() const noexcept {
    return names_;
  }

  [[nodiscard]] std::uint64_t fingerprint() const noexcept {
    return fingerprint_;
  }

  /// Returns the ids of which `theirs`, the `names()` of another process, says
  /// something else than this process, sorted.
  [[nodiscard]] std::vector<caf::type_id_t>
  differences(std::string_view theirs) const;

private:
  void require_open() const;
  void enter(caf::type_id_t type, entry what);

  template <class T>
  void note(caf::type_id_t type) {
    enter(type, {is_image<T>(), caf::is_error_code_enum_v<T>,
                 std::is_empty_v<T> ? 0U : std::uint32_t{sizeof(T)}});
  }

  std::vector<entry> entries_;
  std::string names_;
  std::uint64_t fingerprint_ = 0;
  bool own_ = false;
  bool closed_ = false;
};

/// Returns the name of a message type for error texts.
[[nodiscard]] std::string name_of(caf::type_id_t type);

} // namespace troupe::transport

namespace troupe {

/// Makes the message types of CAF type-id blocks known, where every process of
/// the program does it: before `troupe::program`.
///
///     int main(int argc, char** argv) {
///       troupe::use_messages<caf::id_block::my_project>();
///       troupe::program program{argc, argv};
///
/// Instead of `caf::init_global_meta_objects`, which serves as well, but does
/// not know which types may be copied byte by byte. May be called again.
/// Throws `invalid_state` once the process has an actor system.
template <class... Blocks>
void use_messages() {
  transport::type_table::current().add_own();
  (transport::type_table::current().add_block<Blocks>(), ...);
}

} // namespace troupe
