// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>

namespace troupe {

/// A line on standard error that shows how much of a `map` is done.
///
///     pool.on_progress(troupe::progress_bar{"drops"});
///
/// It draws at most ten times a second, ends its line when all is done or with
/// its last copy, and says nothing at all where standard error is no terminal.
/// Copies are the same bar; several threads may use it. It counts tasks that
/// have run: where the others were cancelled it stops short of the total.
class progress_bar {
public:
  explicit progress_bar(std::string title = {});

  /// Says that `done` of `total` tasks are done.
  void operator()(std::size_t done, std::size_t total) const;

  /// The line for that, without colours or control characters.
  [[nodiscard]] static std::string line(const std::string& title,
                                        std::size_t done, std::size_t total);

private:
  struct drawing;

  std::shared_ptr<drawing> drawing_;
};

} // namespace troupe
