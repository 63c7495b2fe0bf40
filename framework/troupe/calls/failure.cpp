// SPDX-License-Identifier: BSL-1.0
#include <troupe/calls/failure.hpp>

#include <troupe/base/error.hpp>
#include <troupe/calls/readable_name.hpp>

#include <cxxabi.h>
#include <string_view>
#include <typeinfo>
#include <utility>

namespace troupe::calls {

namespace {

/// More of the text of an inner exception is not kept.
constexpr std::size_t longest_cause = 4096;

/// What `std::throw_with_nested` makes of a type, in libstdc++ and libc++.
constexpr std::string_view nesting[]
  = {"std::_Nested_exception<", "std::__1::__nested<", "std::__nested<"};

std::string without_nesting(std::string name) {
  for (const auto& each : nesting)
    if (name.starts_with(each) && name.ends_with('>')) {
      name.pop_back();
      name.erase(0, each.size());
      // "X<Y> >"
      if (name.ends_with(' '))
        name.pop_back();
      break;
    }
  return name;
}

std::string or_empty(const char* text) {
  return text != nullptr ? text : "";
}

/// What is inside of the exception that is being handled.
std::exception_ptr inner_of_current_exception() noexcept {
  try {
    throw;
  } catch (const error& failure) {
    // The text of a remote_error tells what is inside of it.
    if (failure.code() == errc::remote_exception)
      return nullptr;
    const auto* outer = dynamic_cast<const std::nested_exception*>(&failure);
    return outer != nullptr ? outer->nested_ptr() : nullptr;
  } catch (const std::nested_exception& outer) {
    return outer.nested_ptr();
  } catch (...) {
    return nullptr;
  }
}

std::string type_of_current_exception() {
  const std::type_info* type = abi::__cxa_current_exception_type();
  return type == nullptr ? "unknown"
                         : without_nesting(readable_name(type->name()));
}

std::string text_of_current_exception() {
  try {
    throw;
  } catch (const std::exception& failure) {
    return or_empty(failure.what());
  } catch (const std::string& text) {
    return text;
  } catch (const char* text) {
    return or_empty(text);
  } catch (int number) {
    return std::to_string(number);
  } catch (...) {
    return "not a std::exception";
  }
}

std::vector<exception_cause> causes_from(std::exception_ptr outer) {
  std::vector<exception_cause> result;
  while (outer) {
    if (result.size() == most_causes) {
      result.back().text += " (and more behind it)";
      break;
    }
    try {
      std::rethrow_exception(outer);
    } catch (...) {
      auto text = text_of_current_exception();
      text.resize(beginning_of(text, longest_cause).size());
      result.push_back({type_of_current_exception(), std::move(text)});
      outer = inner_of_current_exception();
    }
  }
  return result;
}

errc code_of_current_exception() noexcept {
  try {
    throw;
  } catch (const error& thrown) {
    return thrown.code();
  } catch (...) {
    return errc::remote_exception;
  }
}

} // namespace

failure failure::being_handled() {
  return {code_of_current_exception(), type_of_current_exception(),
          text_of_current_exception(),
          causes_from(inner_of_current_exception())};
}

failure failure::of(const std::exception_ptr& thrown) {
  try {
    std::rethrow_exception(thrown);
  } catch (...) {
    return being_handled();
  }
}

} // namespace troupe::calls
