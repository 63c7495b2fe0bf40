#include <iostream>

int main() {
  //[greet
  //<-
  const auto* name = "world";
  //->
  if (name != nullptr)
    std::cout << "hello " << name << '\n';
  //]
}
