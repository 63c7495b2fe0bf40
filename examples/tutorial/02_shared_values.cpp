// SPDX-License-Identifier: BSL-1.0
// Tutorial, page 2: shared values.

#include <troupe/process/program.hpp>
#include <troupe/shared/array.hpp>
#include <troupe/shared/containers.hpp>
#include <troupe/shared/value.hpp>

#include <iostream>
#include <string>

//[count
void count(troupe::value<long> counter, troupe::value<long> careless) {
  for (int i = 0; i < 1'000'000; ++i) {
    ++counter;               // one step: nothing is lost
    careless = careless + 1; // two steps: what others add between is lost
  }
}
//]

//[struct
struct point {
  double x, y;
};

void move_right(troupe::array<point> points) {
  for (point& each : points)
    each.x += 10;
}
//]

//[map
using scores = troupe::shared_map<troupe::shared_string, int>;

void add_score(troupe::block place, const std::string& name, int score) {
  auto& all = place.make<scores>("scores");
  all.emplace(troupe::shared_text(place, name), score);
}
//]

int main(int argc, char** argv) {
  troupe::program program{argc, argv};

  troupe::array<point> points{{1, 2}, {3, 4}};
  troupe::start<move_right>(points).join();
  std::cout << "the second point is at " << points[1].x << std::endl;

  //[race
  troupe::value<long> counter;
  troupe::value<long> careless;
  {
    troupe::process first = troupe::start<count>(counter, careless);
    troupe::process second = troupe::start<count>(counter, careless);
  } // the destructors join
  std::cout << "counted " << counter << ", carelessly " << careless
            << std::endl;
  //]

  //[block
  troupe::block place(1 << 20);
  troupe::start<add_score>(place, "Sam", 10).join();
  troupe::start<add_score>(place, "Jeff", 8).join();
  for (const auto& [name, score] : *place.find<scores>("scores"))
    std::cout << name.c_str() << ": " << score << std::endl;
  //]
}
