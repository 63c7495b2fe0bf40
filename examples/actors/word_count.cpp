// SPDX-License-Identifier: BSL-1.0
// Counts the words of all files in a folder: one reader asks for work to be
// done, several counters in processes of their own ask for more when they are
// ready. So a slow counter gets less, and nobody is flooded.

#include <troupe/process/program.hpp>
#include <troupe/runtime/spawn.hpp>
#include <troupe/transport/type_table.hpp>

#include <caf/all.hpp>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <map>
#include <string>
#include <vector>

using word_counts = std::map<std::string, std::uint64_t>;

CAF_BEGIN_TYPE_ID_BLOCK(word_count, caf::first_custom_type_id)
  CAF_ADD_TYPE_ID(word_count, (word_counts))
CAF_END_TYPE_ID_BLOCK(word_count)

word_counts count_words(const std::string& text) {
  word_counts counts;
  std::string word;
  for (const char c : text + ' ')
    if (std::isalpha(static_cast<unsigned char>(c)) != 0)
      word += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    else if (!word.empty())
      ++counts[std::exchange(word, {})];
  return counts;
}

/// Counts what it is given and asks for more.
caf::behavior counter(caf::event_based_actor* self, const caf::actor& reader) {
  self->send(reader, caf::get_atom_v, word_counts{},
             caf::actor_cast<caf::actor>(self));
  return {
    [=](caf::put_atom, const std::string& text) {
      self->send(reader, caf::get_atom_v, count_words(text),
                 caf::actor_cast<caf::actor>(self));
    },
    [=](caf::close_atom) { self->quit(); },
  };
}

int main(int argc, char** argv) {
  troupe::use_messages<caf::id_block::word_count>();
  troupe::program program{argc, argv};
  const auto folder = program.arguments().empty()
                        ? std::filesystem::current_path()
                        : std::filesystem::path{program.arguments()[0]};
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator{folder})
    if (entry.is_regular_file())
      files.push_back(entry.path());
  std::sort(files.begin(), files.end());

  caf::scoped_actor reader{troupe::actor_system()};
  constexpr std::size_t counters = 3;
  for (std::size_t i = 0; i < counters; ++i)
    static_cast<void>(
      troupe::spawn<counter>(caf::actor_cast<caf::actor>(reader)));
  word_counts total;
  std::size_t next = 0;
  for (std::size_t finished = 0; finished < counters;)
    reader->receive(
      [&](caf::get_atom, const word_counts& counts, const caf::actor& who) {
        for (const auto& [word, count] : counts)
          total[word] += count;
        if (next == files.size()) {
          reader->send(who, caf::close_atom_v);
          ++finished;
          return;
        }
        std::ifstream file{files[next++]};
        reader->send(who, caf::put_atom_v,
                     std::string{std::istreambuf_iterator<char>{file}, {}});
      });
  std::uint64_t words = 0;
  for (const auto& [word, count] : total)
    words += count;
  std::cout << files.size() << " files, " << words << " words, " << total.size()
            << " different ones; 'the' " << total["the"] << " times"
            << std::endl;
}
