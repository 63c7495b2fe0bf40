// SPDX-License-Identifier: BSL-1.0
// Notebook, "Server process", as two programs: this one inserts a record into
// those that the other holds, and prints all.

#include <troupe/network/connect.hpp>
#include <troupe/process/program.hpp>

#include "records.hpp"

#include <cstdlib>
#include <iostream>

namespace network = troupe::network;

// function to print the records
void print_records(const record_list& records) {
  for (const record& each : records)
    std::cout << "Name: " << each.name << "\nScore: " << each.score << "\n"
              << std::endl;
}

// function to add a new record to the records
void insert_record(const record& new_record, const record_list& records) {
  records.push_back(new_record);
  std::cout << "New record added!\n" << std::endl;
}

int main(int argc, char** argv) {
  troupe::program program{argc, argv};
  const char* key = std::getenv(key_variable);
  if (argc != 2 || key == nullptr) {
    std::cerr << "usage: " << key_variable << "=... 03_record_client ADDRESS\n";
    return 2;
  }

  const auto state = troupe::connect(network::address::parse(argv[1]),
                                     network::key{key});
  const auto records = state.find<record_list>("records");
  insert_record({"Jeff", 8}, records);
  print_records(records);
}
