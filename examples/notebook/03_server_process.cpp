// SPDX-License-Identifier: BSL-1.0
// Notebook, "Server process": one process inserts a record, another prints all.

#include <troupe/process/program.hpp>
#include <troupe/state/list.hpp>

#include <iostream>
#include <string>

namespace held = troupe::held;

/// A name and a score.
struct record {
  std::string name;
  int score;
};

using record_list = held::list<record>;

//[functions
// function to print the records
void print_records(record_list records) {
  for (const record& each : records)
    std::cout << "Name: " << each.name << "\nScore: " << each.score << "\n"
              << std::endl;
}

// function to add a new record to the records
void insert_record(record new_record, record_list records) {
  records.push_back(new_record);
  std::cout << "New record added!\n" << std::endl;
}
//]

int main(int argc, char** argv) {
  troupe::program program{argc, argv};

  //[use
  // the server process
  troupe::state state;

  // creating a list in server process memory
  auto records
    = state.make<record_list>({{"Sam", 10}, {"Adam", 9}, {"Kevin", 9}});
  // new record to be inserted in records
  const record new_record{"Jeff", 8};

  // creating new processes: running p1 to insert the new record
  auto p1 = troupe::start<insert_record>(new_record, records);
  p1.join();

  // running p2 to print the records
  auto p2 = troupe::start<print_records>(records);
  p2.join();
  //]
}
