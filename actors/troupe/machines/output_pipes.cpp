// SPDX-License-Identifier: BSL-1.0
#include <troupe/machines/output_pipes.hpp>

#include <troupe/os/pipe.hpp>
#include <troupe/os/pipe_exchange.hpp>
#include <troupe/os/redirection.hpp>
#include <troupe/process/error_tail.hpp>

#include <algorithm>
#include <array>
#include <span>
#include <utility>

namespace troupe::machines {

output_pipes::output_pipes(bool taken) {
  before_ = os::duplicate_standard(2);
  if (!taken)
    return;
  hosting::flush_output();
  for (auto [number, into] : {std::pair{1, &output_}, std::pair{2, &error_}}) {
    auto [reader, writer] = os::make_pipe();
    os::let_not_wait(reader.get());
    into->reader = std::move(reader);
    os::put_at(number, writer);
  }
}

void output_pipes::say(std::string_view line) const noexcept {
  os::write_if_room(before_.get(), line);
}

std::vector<output_pipes::lines> output_pipes::take(std::size_t most) {
  std::vector<lines> made;
  output_.take(1, most, made);
  error_.take(2, most, made);
  return made;
}

std::vector<output_pipes::lines> output_pipes::take_rest() {
  std::vector<lines> made;
  if (!output_.pending.empty())
    made.push_back({1, std::exchange(output_.pending, {})});
  if (!error_.pending.empty())
    made.push_back({2, std::exchange(error_.pending, {})});
  return made;
}

std::vector<int> output_pipes::readable() const {
  std::vector<int> made;
  for (const auto* each : {&output_, &error_})
    if (each->reader)
      made.push_back(each->reader.get());
  return made;
}

output_pipes::position output_pipes::written() const noexcept {
  return {output_.written(), error_.written()};
}

bool output_pipes::taken_up_to(const position& where) const noexcept {
  return output_.taken >= where.output && error_.taken >= where.error;
}

void output_pipes::stream::take(std::uint8_t number, std::size_t most,
                                std::vector<lines>& into) {
  if (!reader)
    return;
  std::array<std::byte, 16U << 10> part{};
  std::size_t got = 0;
  while (got < most) {
    const auto size = os::read_some(
      reader.get(), std::span{part}.first(std::min(part.size(), most - got)));
    if (size == 0)
      break;
    got += size;
    pending.append(reinterpret_cast<const char*>(part.data()), size);
  }
  taken += got;
  auto whole = pending.rfind('\n') + 1;
  if (whole == 0 && pending.size() > longest_line)
    whole = pending.size();
  if (whole == 0)
    return;
  into.push_back({number, pending.substr(0, whole)});
  pending.erase(0, whole);
}

std::uint64_t output_pipes::stream::written() const noexcept {
  return taken + (reader ? os::bytes_waiting(reader.get()) : 0);
}

} // namespace troupe::machines
