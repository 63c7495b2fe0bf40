// SPDX-License-Identifier: BSL-1.0
#include <troupe/shared/block.hpp>

namespace troupe {

namespace {

namespace bip = boost::interprocess;

constexpr std::size_t smallest = 1024;

} // namespace

block::block(std::size_t size) {
  if (size < smallest)
    throw invalid_argument(
      "create a block of " + std::to_string(size) + " bytes",
      "its book-keeping alone needs about " + std::to_string(smallest));
  reference_ = memory::reference::create(memory::object_kind::block, size);
  segment_ = std::make_shared<segment>(bip::create_only, reference_.data(),
                                       size);
}

block block::load(codec::decoder& from) {
  auto reference = from.handle(memory::object_kind::block);
  if (!reference || reference.size() < smallest)
    from.refuse("a block", "the handle is empty, or of something smaller");
  auto opened
    = std::make_shared<segment>(bip::open_only, reference.data(),
                                static_cast<std::size_t>(reference.size()));
  return {std::move(reference), std::move(opened)};
}

void block::refuse_full(const std::string& name) const {
  throw limit_reached("make \"" + name + "\" in a block",
                      "of its " + std::to_string(size()) + " bytes "
                        + std::to_string(free_bytes()) + " are left, in pieces",
                      "make the block larger, it costs nothing until used");
}

} // namespace troupe
