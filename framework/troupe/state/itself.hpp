// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/codec/decoder.hpp>
#include <troupe/codec/encoder.hpp>
#include <troupe/state/call_context.hpp>
#include <troupe/state/target.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>

namespace troupe::held {

/// A proxy whose type nobody has said yet.
class untyped {
public:
  explicit untyped(std::shared_ptr<target> object) noexcept
    : object_(std::move(object)) {
  }

  [[nodiscard]] const std::shared_ptr<target>& object() const noexcept {
    return object_;
  }

  void save(codec::encoder& to) const;
  [[nodiscard]] static untyped load(codec::decoder& from);

private:
  std::shared_ptr<target> object_;
};

/// The type of object number 0: the state itself. What can be asked of it is to
/// make objects, to run functions, and to keep objects under a name.
class itself {
public:
  /// Keeps the object alive until the name is taken away.
  void bind(const call_context& by, const std::string& name,
            const untyped& object);

  /// Returns the object of that name. Throws `unknown_name` if there is none,
  /// `invalid_argument` if it is not of the type with that hash.
  [[nodiscard]] const untyped& find(const call_context& by,
                                    const std::string& name,
                                    std::uint64_t type) const;

  bool unbind(const std::string& name);

  /// How many objects the state holds.
  [[nodiscard]] std::uint64_t size(const call_context& by) const;

private:
  std::unordered_map<std::string, untyped> names_;
};

} // namespace troupe::held
