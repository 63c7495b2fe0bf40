// SPDX-License-Identifier: BSL-1.0
#include <troupe/network/admission.hpp>

#include <troupe/os/late_lines.hpp>

#include <algorithm>
#include <utility>

namespace troupe::network {

admission::admission(const limits& bounds, address at)
  : bounds_(bounds), at_(std::move(at)) {
}

std::unique_ptr<admission::entry>
admission::admit(const std::shared_ptr<admission>& of, std::string name,
                 std::function<void(loss)> end) {
  while (!of->strangers_.empty()
         && of->strangers_.size() >= of->bounds_.strangers) {
    of->end_oldest(
      {loss::cause::crowded_out, std::to_string(of->bounds_.strangers)
                                   + " others are about to show the key"});
  }
  auto made = std::make_unique<entry>(of, std::move(name));
  made->end_ = std::move(end);
  return made;
}

void admission::end_oldest(const loss& why) {
  // It is gone with its connection when this returns.
  const auto end = strangers_.front()->end_;
  end(why);
}

void admission::end_strangers() {
  while (!strangers_.empty())
    end_oldest({loss::cause::closed_here, "it was closed here"});
}

admission::entry::entry(std::shared_ptr<admission> of, std::string name)
  : of_(std::move(of)),
    name_(std::move(name)),
    place_(of_->strangers_.insert(of_->strangers_.end(), this)) {
  ++of_->strangers_count_;
}

admission::entry::~entry() {
  if (entered_) {
    --of_->clients_count_;
  } else {
    of_->strangers_.erase(place_);
    --of_->strangers_count_;
  }
}

bool admission::entry::enter() {
  if (of_->clients_count_ >= of_->bounds_.clients)
    return false;
  entered_ = true;
  of_->strangers_.erase(place_);
  --of_->strangers_count_;
  ++of_->clients_count_;
  return true;
}

void admission::entry::left(const loss& why) {
  using enum loss::cause;
  switch (why.why) {
    case full: return of_->tell("one that has the key", why.text);
    case malformed:
    case other_protocol:
      return of_->tell(name_, has_key_ ? why.text : "it did not show the key");
    default: break;
  }
  if (entered_)
    return;
  if (why.why == late && has_key_)
    return of_->tell(name_, "it has shown the key and said nothing");
  of_->tell(name_, why.why == late || why.why == crowded_out
                     ? why.text
                     : "it did not show the key");
}

void admission::tell(const std::string& who, const std::string& why) {
  if (closed_)
    return;
  const auto now = clock::now();
  const auto more = std::min<std::int64_t>((now - last_line_) / line_pause,
                                           line_burst);
  lines_ = std::min<std::uint32_t>(lines_ + static_cast<std::uint32_t>(more),
                                   line_burst);
  if (lines_ == 0) {
    ++left_out_;
    return;
  }
  --lines_;
  if (more > 0)
    last_line_ = now;
  os::write_line_later("troupe: " + to_string(at_) + " has turned away " + who
                       + ": " + why + '\n');
}

bool admission::tell_count() {
  if (left_out_ == 0 || closed_)
    return false;
  os::write_line_later("troupe: " + to_string(at_) + " has turned away "
                       + std::to_string(std::exchange(left_out_, 0))
                       + " more\n");
  return true;
}

} // namespace troupe::network
