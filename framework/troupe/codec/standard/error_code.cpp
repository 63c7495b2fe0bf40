// SPDX-License-Identifier: BSL-1.0
#include <troupe/codec/standard/error_code.hpp>

#include <troupe/base/error.hpp>

#include <future>
#include <ios>
#include <string>

namespace troupe::codec {

namespace {

// Constant-initialised, so that entries of every translation unit find it.
constinit sendable_category* first = nullptr;

} // namespace

sendable_category::sendable_category(
  const std::error_category& category) noexcept
  : category_(&category), next_(first) {
  first = this;
}

const std::error_category*
sendable_category::find(std::string_view name) noexcept {
  for (const auto* each : {&std::generic_category(), &std::system_category(),
                           &std::iostream_category(), &std::future_category()})
    if (name == each->name())
      return each;
  const std::error_category* found = nullptr;
  for (const auto* each = first; each != nullptr; each = each->next_) {
    if (name != each->category_->name() || found == each->category_)
      continue;
    if (found != nullptr)
      return nullptr;
    found = each->category_;
  }
  return found;
}

void save_category(encoder& to, const std::error_category& category,
                   std::string_view type) {
  const std::string_view name{category.name()};
  if (sendable_category::find(name) != &category)
    throw invalid_argument(
      "encode " + std::string{type},
      "its category \"" + std::string{name}
        + "\" is not known in other processes, or shares its name",
      "define a troupe::codec::sendable_category for it at namespace scope");
  to.count(name.size());
  to.write(name.data(), name.size());
}

const std::error_category& load_category(decoder& from, std::string_view type) {
  const auto size = from.count(1, type);
  const auto* text = from.take(size, type);
  const std::string_view name{reinterpret_cast<const char*>(text), size};
  const auto* found = sendable_category::find(name);
  if (found == nullptr)
    from.refuse(type, "no category is called so");
  return *found;
}

} // namespace troupe::codec
