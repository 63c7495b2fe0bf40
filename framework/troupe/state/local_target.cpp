// SPDX-License-Identifier: BSL-1.0
#include <troupe/state/local_target.hpp>

#include <troupe/state/local_caller.hpp>
#include <troupe/state/object_ref.hpp>
#include <troupe/state/table.hpp>
#include <troupe/state/wire.hpp>

#include <utility>

namespace troupe::held {

namespace {

/// A target in a process that holds an object reference of the object.
class referenced_target final : public target {
public:
  referenced_target(memory::reference held, std::shared_ptr<caller> via)
    : target(as_object_ref(held)->number, std::move(via)),
      held_(std::move(held)) {
  }

  void save_as_handle(codec::encoder& to) const override {
    to.handle(held_);
  }

  [[nodiscard]] std::uint64_t type() const noexcept {
    return as_object_ref(held_)->type;
  }

private:
  memory::reference held_;
};

} // namespace

void save_target(codec::encoder& to, const target& object) {
  if (auto* coding = to.context_as<wire>())
    coding->save(to, object);
  else
    object.save_as_handle(to);
}

std::shared_ptr<target> load_target(codec::decoder& from) {
  auto* coding = from.context_as<wire>();
  return coding != nullptr ? coding->load(from) : load_handle(from);
}

std::shared_ptr<target> load_handle(codec::decoder& from) {
  auto held = from.handle(memory::object_kind::state);
  const auto* content = as_object_ref(held);
  if (content == nullptr)
    from.refuse("a proxy", "the handle is none of a held object's");
  if (auto* own = table::find();
      own != nullptr && own->home().id() == content->block)
    return own->target_of(content->number);
  auto via = local_caller::of(content->block);
  return std::make_shared<referenced_target>(std::move(held), std::move(via));
}

std::uint64_t known_type(const target& object) {
  if (const auto* held = dynamic_cast<const referenced_target*>(&object))
    return held->type();
  if (auto* own = table::find();
      own != nullptr && object.via() == own->inside())
    return own->type_of(object.number());
  return 0;
}

} // namespace troupe::held
