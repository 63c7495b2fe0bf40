// SPDX-License-Identifier: BSL-1.0
#include <troupe/state/operation.hpp>

#include <troupe/base/error.hpp>
#include <troupe/calls/readable_name.hpp>

#include <string>
#include <string_view>
#include <typeinfo>

namespace troupe::held {

namespace {

/// What the name of an `execution<T, Callable>` tells.
struct operation_parts {
  std::string object;
  std::string function;
  bool has_name = false;
};

operation_parts parts_of(const char* mangled) {
  auto text = calls::readable_name(mangled);
  // What the compiler adds to the names of functions that return strings.
  constexpr std::string_view tag = "[abi:cxx11]";
  for (auto at = text.find(tag); at != std::string::npos; at = text.find(tag))
    text.erase(at, tag.size());
  const auto take_off = [&text](std::string_view beginning) {
    const bool there = text.starts_with(beginning);
    if (there)
      text.erase(0, beginning.size());
    return there;
  };
  const auto drop_end = [&text] {
    if (text.ends_with('>'))
      text.pop_back();
    if (text.ends_with(' '))
      text.pop_back();
  };
  constexpr std::string_view named = ", troupe::calls::named<";
  static_cast<void>(take_off("troupe::held::execution<"));
  drop_end();
  operation_parts parts;
  const auto at = text.rfind(named);
  parts.has_name = at != std::string::npos;
  if (!parts.has_name) {
    parts.object = text.substr(0, text.find(", troupe::calls::lambda<"));
    return parts;
  }
  parts.object = text.substr(0, at);
  text.erase(0, at + named.size());
  drop_end();
  // "&account::deposit", "&(account::deposit(int))", "(free(int))"
  static_cast<void>(take_off("&"));
  if (take_off("(") && text.ends_with(')'))
    text.pop_back();
  static_cast<void>(take_off("&"));
  parts.function = text;
  return parts;
}

} // namespace

std::string operation::name() const {
  const auto parts = parts_of(mangled_name());
  return (parts.has_name ? parts.function : "a lambda") + " of a held "
         + parts.object;
}

std::string operation::advice() const {
  const auto parts = parts_of(mangled_name());
  if (!parts.has_name)
    return "a lambda is known in its own program only: give its work a "
           "function of the class, and offer that there";
  const auto function = parts.function.substr(0, parts.function.find('('));
  return "name it there too: troupe::state::offer<" + parts.object + ", &"
         + function + ">()";
}

const operation& operation::find(std::uint64_t id) {
  const auto found = entry::named(typeid(operation_code), id);
  if (found.several)
    throw unknown_function("call a function of a held object",
                           "the state's program has several of that name",
                           "move types of the same name out of unnamed "
                           "namespaces");
  if (found.only == nullptr)
    // Only the caller knows which: it names it, see throw_failure.
    throw unknown_function("call a function of a held object", not_named,
                           "name it there too, with state::offer");
  return static_cast<const operation&>(*found.only);
}

} // namespace troupe::held
