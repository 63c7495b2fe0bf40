// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/os/descriptor.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::machines {

/// Standard output and error of a machine's processes, as pipes that its root
/// reads; or, where output stays, nothing of the kind.
class output_pipes {
public:
  /// From now on what is written to descriptors 1 and 2 goes into pipes, if
  /// `taken`. What was printed before is written. Throws `os_failure`.
  explicit output_pipes(bool taken);

  /// Says a line on the standard error that there was before. Waits for nobody:
  /// a line for which there is no room is lost.
  void say(std::string_view line) const noexcept;

  /// Lines that have come.
  struct lines {
    std::uint8_t stream = 1;
    std::string text;
  };

  /// Takes what there is now, at most so many bytes of each stream. A line that
  /// is not whole waits for its rest, but none longer than `longest_line`.
  [[nodiscard]] std::vector<lines> take(std::size_t most);

  /// The same for lines that nobody ends any more.
  [[nodiscard]] std::vector<lines> take_rest();

  /// Descriptors that are readable when there is something.
  [[nodiscard]] std::vector<int> readable() const;

  /// Bytes of each stream that have been written so far.
  struct position {
    std::uint64_t output = 0;
    std::uint64_t error = 0;
  };
  [[nodiscard]] position written() const noexcept;

  /// Whether all up to there has been taken.
  [[nodiscard]] bool taken_up_to(const position& where) const noexcept;

private:
  static constexpr std::size_t longest_line = 64U << 10;

  struct stream {
    os::descriptor reader;
    std::string pending;
    std::uint64_t taken = 0;

    void take(std::uint8_t number, std::size_t most, std::vector<lines>& into);
    [[nodiscard]] std::uint64_t written() const noexcept;
  };

  os::descriptor before_;
  stream output_;
  stream error_;
};

} // namespace troupe::machines
