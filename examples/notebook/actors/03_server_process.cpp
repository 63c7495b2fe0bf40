// SPDX-License-Identifier: BSL-1.0
// Notebook, "Server process", in actors: one actor inserts a record, another
// prints all, by messages to the actor of the state that holds them.

#include <troupe/process/program.hpp>
#include <troupe/runtime/spawn.hpp>
#include <troupe/state/list.hpp>
#include <troupe/state/state_actor.hpp>

#include <caf/all.hpp>

#include <iostream>
#include <optional>
#include <string>
#include <vector>

namespace held = troupe::held;

/// A name and a score.
struct record {
  std::string name;
  int score;
};

using record_list = held::list<record>;

//[actors
// prints the records
void print_records(caf::event_based_actor* self,
                   const troupe::state_actor& server,
                   const record_list& records) {
  held::request(self, server, caf::infinite, held::call_to_copy(records))
    .then([](const std::vector<record>& all) {
      for (const record& each : all)
        std::cout << "Name: " << each.name << "\nScore: " << each.score << "\n"
                  << std::endl;
    });
}

// adds a new record to the records
void insert_record(caf::event_based_actor* self,
                   const troupe::state_actor& server, const record& new_record,
                   const record_list& records) {
  constexpr auto push_back = &held::list_functions<record>::push_back;
  held::request<push_back>(self, server, caf::infinite, records, new_record)
    .then([] { std::cout << "New record added!\n"
                         << std::endl; });
}
//]

int main(int argc, char** argv) {
  troupe::program program{argc, argv};
  caf::scoped_actor self{troupe::actor_system()};

  //[use
  // the server process, and its actor
  troupe::state state;
  const auto server = actor_of(state);

  // creating a list in server process memory
  const std::vector<record> first{{"Sam", 10}, {"Adam", 9}, {"Kevin", 9}};
  std::optional<record_list> records;
  held::request(self, server, caf::infinite,
                held::call_to_make<record_list>(first))
    .receive([&](const record_list& made) { records = made; },
             [](const caf::error& why) {
               std::cerr << to_string(why) << std::endl;
             });

  // new record to be inserted in records
  const record new_record{"Jeff", 8};

  // creating new processes: an actor in p1 inserts the new record
  const auto p1 = troupe::spawn<insert_record>(server, new_record, *records);
  self->wait_for(p1);

  // an actor in p2 prints the records
  const auto p2 = troupe::spawn<print_records>(server, *records);
  self->wait_for(p2);
  //]
}
