// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/base/error.hpp>
#include <troupe/calls/readable_name.hpp>
#include <troupe/state/state.hpp>

#include <any>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace troupe::held {

/// Fields of different types by their names: what a `held::fields` is a handle
/// of.
class field_table {
public:
  template <class T>
  void set(const std::string& name, T value) {
    all_.insert_or_assign(name, std::any{std::move(value)});
  }

  /// Throws `unknown_name`, `invalid_argument` (it is of another type).
  template <class T>
  [[nodiscard]] T get(const std::string& name) const {
    const auto& found = existing(name);
    if (const auto* value = std::any_cast<T>(&found))
      return *value;
    throw invalid_argument("read field \"" + name + "\" as "
                             + calls::readable_name(typeid(T).name()),
                           "it is a "
                             + calls::readable_name(found.type().name()));
  }

  [[nodiscard]] bool contains(const std::string& name) const {
    return all_.contains(name);
  }

  bool erase(const std::string& name) {
    return all_.erase(name) != 0;
  }

  [[nodiscard]] std::vector<std::string> names() const {
    std::vector<std::string> result;
    for (const auto& each : all_)
      result.push_back(each.first);
    return result;
  }

private:
  [[nodiscard]] const std::any& existing(const std::string& name) const {
    const auto found = all_.find(name);
    if (found == all_.end())
      throw unknown_name("read field \"" + name + "\"", "there is none");
    return found->second;
  }

  std::unordered_map<std::string, std::any> all_;
};

/// Named fields of different types that a state holds: Python's
/// `manager.Namespace()`.
///
///     auto shared = state.make<held::fields>();
///     shared.set("name", std::string{"Sam"});
///     shared.set("score", 10);
///     const auto score = shared.get<int>("score");
///
/// A field has the type that it was set with last; to read it as another is
/// `invalid_argument`, to read one that is not there `unknown_name`.
class fields : public proxy<field_table> {
public:
  explicit fields(proxy object) noexcept : proxy(std::move(object)) {
  }

  template <class T>
  void set(const std::string& name, const T& value) const {
    call<&field_table::set<T>>(name, value);
  }

  void set(const std::string& name, const char* text) const {
    set(name, std::string{text});
  }

  template <class T>
  [[nodiscard]] T get(const std::string& name) const {
    return call<&field_table::get<T>>(name);
  }

  [[nodiscard]] bool contains(const std::string& name) const {
    return call<&field_table::contains>(name);
  }

  bool erase(const std::string& name) const {
    return call<&field_table::erase>(name);
  }

  [[nodiscard]] std::vector<std::string> names() const {
    return call<&field_table::names>();
  }

  [[nodiscard]] static fields load(codec::decoder& from) {
    return fields{proxy::load(from)};
  }

  /// Names what does not depend on the fields' types, for clients in other
  /// programs; `offer_field<T>` names the rest.
  static void offer() {
    state::offer<field_table, &field_table::contains, &field_table::erase,
                 &field_table::names>();
    offer_field<int>();
    offer_field<double>();
    offer_field<bool>();
    offer_field<std::string>();
  }

  template <class T>
  static void offer_field() {
    state::offer<field_table, &field_table::set<T>, &field_table::get<T>>();
  }
};

} // namespace troupe::held
