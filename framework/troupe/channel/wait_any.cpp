// SPDX-License-Identifier: BSL-1.0
#include <troupe/channel/wait_any.hpp>

#include <troupe/base/error.hpp>
#include <troupe/channel/readiness.hpp>
#include <troupe/mailbox/spinner.hpp>
#include <troupe/os/pipe.hpp>

#include <algorithm>
#include <optional>
#include <string>

namespace troupe {

namespace {

constexpr std::size_t none = ~std::size_t{0};

/// Whether a source is ready, as far as can be said without a system call.
bool looks_ready(const wait_source& source) noexcept {
  if (const auto* box = source.box())
    return box->readable();
  return source.fd() < 0 && source.when().passed();
}

std::size_t first_ready(std::span<const wait_source> sources) noexcept {
  const auto found = std::find_if(sources.begin(), sources.end(), looks_ready);
  return found == sources.end()
           ? none
           : static_cast<std::size_t>(found - sources.begin());
}

class waiting {
public:
  explicit waiting(std::span<const wait_source> sources) : sources_(sources) {
    if (sources.empty())
      throw invalid_argument("wait for any of nothing",
                             "that would last for ever",
                             "give a deadline at least");
    for (const auto& each : sources) {
      limit_ = std::min(limit_, each.when());
      if (each.fd() >= 0)
        polled_.push_back({each.fd()});
    }
  }

  std::size_t wait() {
    if (polled_.empty()) {
      std::size_t found = none;
      const auto look = [&] {
        found = first_ready(sources_);
        return found != none;
      };
      return mailbox::spinner::of_this_thread().spin(look, limit_) ? found
                                                                   : sleep();
    }
    const auto found = poll(deadline::now());
    return found != none ? found : sleep();
  }

  /// Looks at everything, descriptors too.
  std::size_t poll(deadline limit) {
    if (!polled_.empty())
      static_cast<void>(os::wait_readable(polled_, limit));
    auto next = polled_.begin();
    for (std::size_t i = 0; i < sources_.size(); ++i) {
      if (sources_[i].fd() < 0) {
        if (looks_ready(sources_[i]))
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
  std::size_t sleep() {
    std::vector<channel::watch> watches;
    for (const auto& each : sources_)
      if (each.box() != nullptr)
        watches.emplace_back(*each.box());
    std::optional<channel::bell_event> bell;
    if (!polled_.empty() && !watches.empty()) {
      bell.emplace();
      polled_.push_back({bell->fd()});
    }
    auto& slot = memory::run_memory::current().own_slot();
    for (;;) {
      if (bell)
        bell->clear();
      const auto seen = slot.bell.load(std::memory_order_seq_cst);
      auto found = first_ready(sources_);
      if (found != none)
        // A descriptor may stand before it.
        return polled_.empty() ? found : poll(deadline::now());
      if (polled_.empty()) {
        static_cast<void>(memory::wait_for_ring(slot, seen, limit_));
      } else if (found = poll(limit_); found != none) {
        return found;
      }
    }
  }

  std::span<const wait_source> sources_;
  std::vector<os::watched> polled_;
  deadline limit_ = deadline::never();
};

} // namespace

std::size_t wait_any(std::span<const wait_source> sources) {
  return waiting{sources}.wait();
}

std::vector<std::size_t> all_ready(std::span<const wait_source> sources) {
  std::vector<std::size_t> result;
  for (std::size_t i = 0; i < sources.size(); ++i)
    if (waiting{sources.subspan(i, 1)}.poll(deadline::now()) != none)
      result.push_back(i);
  return result;
}

} // namespace troupe
