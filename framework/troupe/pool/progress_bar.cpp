// SPDX-License-Identifier: BSL-1.0
#include <troupe/pool/progress_bar.hpp>

#include <troupe/os/terminal.hpp>

#include <iostream>
#include <mutex>
#include <utility>

namespace troupe {

namespace {

constexpr std::size_t width = 40;
constexpr std::chrono::milliseconds redraw_after{100};

} // namespace

struct progress_bar::drawing {
  using clock = std::chrono::steady_clock;

  std::string title;
  bool shown = false;
  std::mutex mutex;
  clock::time_point drawn = clock::time_point::min();
  /// What was said last, and whether the line stands on the terminal unended.
  std::size_t done = 0;
  std::size_t total = 0;
  bool open = false;

  drawing() = default;
  drawing(const drawing&) = delete;
  drawing& operator=(const drawing&) = delete;

  /// Of tasks that were cancelled nobody says more: the line ends here.
  ~drawing() {
    if (open) {
      std::cerr << '\r' << progress_bar::line(title, done, total) << '\n';
      std::cerr.flush();
    }
  }
};

progress_bar::progress_bar(std::string title)
  : drawing_(std::make_shared<drawing>()) {
  drawing_->title = std::move(title);
  drawing_->shown = os::errors_go_to_terminal();
}

void progress_bar::operator()(std::size_t done, std::size_t total) const {
  auto& of = *drawing_;
  if (!of.shown)
    return;
  const std::scoped_lock guard{of.mutex};
  const auto now = drawing::clock::now();
  of.done = done;
  of.total = total;
  const bool first = of.drawn == drawing::clock::time_point::min();
  if (done < total && !first && now - of.drawn < redraw_after)
    return;
  of.drawn = now;
  std::cerr << '\r' << line(of.title, done, total);
  of.open = done < total;
  if (!of.open)
    std::cerr << '\n';
  std::cerr.flush();
}

std::string progress_bar::line(const std::string& title, std::size_t done,
                               std::size_t total) {
  const auto share
    = total == 0 ? 1.0 : static_cast<double>(done) / static_cast<double>(total);
  const auto filled = static_cast<std::size_t>(share * width);
  auto text = title.empty() ? std::string{} : title + ' ';
  text += '[' + std::string(filled, '#') + std::string(width - filled, ' ')
          + "] ";
  text += std::to_string(static_cast<int>(share * 100)) + "% ";
  return text + std::to_string(done) + '/' + std::to_string(total);
}

} // namespace troupe
