// SPDX-License-Identifier: BSL-1.0
#include <troupe/channel/wait_any.hpp>

#include <troupe/base/error.hpp>
#include <troupe/channel/readiness.hpp>
#include <troupe/mailbox/spinner.hpp>
#include <troupe/os/pipe.hpp>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

namespace troupe {

namespace {

constexpr std::size_t none = ~std::size_t{0};

/// Whether a source that is no descriptor is ready.
bool looks_ready(const wait_source& source) {
  if (const auto* box = source.box())
    return box->readable();
  if (const auto& runner = source.runner())
    return !runner->is_alive();
  if (auto* condition = source.condition())
    return condition->ready();
  return source.fd() < 0 && source.when().passed();
}

/// The same where the wait is to last no time.
bool is_ready_now(const wait_source& source) {
  auto* condition = source.condition();
  return condition != nullptr ? condition->ready_now() : looks_ready(source);
}

/// Whether the process's wake word tells that it may be ready.
bool may_be_notified(const wait_source& source) noexcept {
  return source.box() != nullptr || source.runner()
         || source.condition() != nullptr;
}

/// Has the process notified for a condition while it lives.
class watched_condition {
public:
  explicit watched_condition(wait_condition& of) : of_(&of) {
    of_->watch();
  }
  watched_condition(watched_condition&& other) noexcept
    : of_(std::exchange(other.of_, nullptr)) {
  }
  watched_condition(const watched_condition&) = delete;
  watched_condition& operator=(const watched_condition&) = delete;
  ~watched_condition() {
    if (of_ != nullptr)
      of_->unwatch();
  }

private:
  wait_condition* of_;
};

class waiting {
public:
  waiting(std::span<const wait_source> sources, deadline limit)
    : sources_(sources), limit_(limit) {
    for (const auto& each : sources) {
      limit_ = std::min(limit_, each.when());
      if (each.fd() >= 0)
        polled_.push_back({each.fd()});
      else if (each.condition() != nullptr)
        each.condition()->begin();
    }
  }

  /// The index of the first that is ready; `none`: the limit has passed.
  std::size_t wait() {
    if (limit_.passed())
      return look(deadline::now(), is_ready_now);
    if (polled_.empty()) {
      std::size_t found = none;
      const auto ready = [&] {
        found = first_ready();
        return found != none;
      };
      return mailbox::spinner::of_this_thread().spin(ready, limit_) ? found
                                                                    : sleep();
    }
    const auto found = look(deadline::now());
    return found != none ? found : sleep();
  }

  /// Looks at everything, descriptors too, and waits for these until `limit`.
  template <class Ready = bool (*)(const wait_source&)>
  std::size_t look(deadline limit, Ready ready = looks_ready) {
    if (!polled_.empty())
      static_cast<void>(os::wait_readable(polled_, limit));
    auto next = polled_.begin();
    for (std::size_t i = 0; i < sources_.size(); ++i) {
      if (sources_[i].fd() < 0) {
        if (ready(sources_[i]))
          return i;
        continue;
      }
      const auto& seen = *next++;
      if (!seen.open)
        throw invalid_argument("wait for descriptor " + std::to_string(seen.fd),
                               "it is not open",
                               "close it after the wait only");
      if (seen.ready)
        return i;
    }
    return none;
  }

private:
  [[nodiscard]] std::size_t first_ready() const {
    const auto found = std::find_if(sources_.begin(), sources_.end(),
                                    looks_ready);
    return found == sources_.end()
             ? none
             : static_cast<std::size_t>(found - sources_.begin());
  }

  [[nodiscard]] deadline next_look() const {
    auto result = limit_;
    for (const auto& each : sources_)
      if (each.condition() != nullptr)
        result = std::min(result, each.condition()->look_again());
    return result;
  }

  std::size_t sleep() {
    std::vector<channel::watch> watches;
    std::vector<watched_condition> conditions;
    for (const auto& each : sources_) {
      if (each.box() != nullptr)
        watches.emplace_back(*each.box());
      if (each.condition() != nullptr)
        conditions.emplace_back(*each.condition());
    }
    std::optional<channel::wake_event> wake_word;
    if (!polled_.empty()
        && std::any_of(sources_.begin(), sources_.end(), may_be_notified)) {
      wake_word.emplace();
      polled_.push_back({wake_word->fd()});
    }
    auto& memory = memory::run_memory::current();
    auto& slot = memory.own_slot();
    std::vector<const void*> places;
    bool open = !polled_.empty();
    for (const auto& each : sources_) {
      open = open || each.condition() != nullptr;
      if (each.box() != nullptr)
        places.push_back(each.box());
      if (each.runner())
        places.push_back(memory.find(each.runner()->id()));
    }
    memory::wait_note note{memory::wait_kind::any, places, open, limit_};
    for (;;) {
      if (wake_word)
        wake_word->clear();
      // seq_cst: notified later, it shows something else than it did before we
      // looked. Deaths count it up too.
      const auto seen = slot.wake_word.load(std::memory_order_seq_cst);
      auto found = first_ready();
      // A descriptor may stand before it. And another may have taken it since.
      if (found != none && !polled_.empty())
        found = look(deadline::now());
      if (found != none)
        return found;
      // It may be a source itself, which was not ready when we looked.
      if (limit_.passed())
        return polled_.empty() ? first_ready() : look(deadline::now());
      if (polled_.empty()) {
        note.sleeps(slot.wake_word, seen | 1);
        static_cast<void>(memory::wait_until_notified(slot, seen, next_look()));
        continue;
      }
      note.sleeps();
      found = look(next_look());
      if (found != none)
        return found;
    }
  }

  std::span<const wait_source> sources_;
  std::vector<os::watched> polled_;
  deadline limit_;
};

bool is_never(const wait_source& source) noexcept {
  return source.never();
}

} // namespace

std::optional<std::size_t>
channel::wait_first(std::span<const wait_source> sources, deadline limit) {
  if (std::all_of(sources.begin(), sources.end(), is_never))
    return std::nullopt;
  const auto found = waiting{sources, limit}.wait();
  return found == none ? std::nullopt : std::optional{found};
}

bool channel::wait_each(std::vector<wait_source> sources, deadline limit) {
  std::erase_if(sources, is_never);
  while (!sources.empty()) {
    const auto found = wait_first(sources, limit);
    if (!found)
      return false;
    sources.erase(sources.begin() + static_cast<std::ptrdiff_t>(*found));
  }
  return true;
}

std::size_t wait_any(std::span<const wait_source> sources) {
  if (sources.empty())
    throw invalid_argument("wait for any of nothing",
                           "that would last for ever",
                           "give a deadline at least");
  const auto found = channel::wait_first(sources, deadline::never());
  if (!found)
    throw invalid_state("wait for any of several results",
                        "each was taken already, or moved from",
                        "ask valid() first");
  return *found;
}

std::vector<std::size_t> all_ready(std::span<const wait_source> sources) {
  std::vector<std::size_t> result;
  for (std::size_t i = 0; i < sources.size(); ++i)
    if (!sources[i].never()
        && waiting{sources.subspan(i, 1), deadline::now()}.wait() != none)
      result.push_back(i);
  return result;
}

} // namespace troupe
