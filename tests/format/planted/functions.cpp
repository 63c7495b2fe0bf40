// SPDX-License-Identifier: BSL-1.0
#include <string>
#include <vector>

#define PLANTED_LONG_MACRO(name)                                               \
  inline int name(int value) {                                                 \
    value += 1;                                                                \
    value += 2;                                                                \
    value += 3;                                                                \
    value += 4;                                                                \
    value += 5;                                                                \
    return value;                                                              \
  }

namespace planted {

namespace {

int just_short_enough(int value) {
  value += 1;
  value += 2;
  value += 3;
  value += 4;
  value += 5;
  return value;
}

int one_too_many(int value) {
  value += 1;
  value += 2;
  value += 3;
  value += 4;
  value += 5;
  value += 6;
  return value;
}

} // namespace

// Long: for a reason.
int says_why(int value) {
  value += 1;
  value += 2;
  value += 3;
  value += 4;
  value += 5;
  value += 6;
  return value;
}

template <class T>
T of_which_another_said(T first, T second, T third) {
  if (first < second) {
    first += second;
  }
  const auto add = [&] {
    first += third;
    first += second;
  };
  add();
  return first;
}

class a_long_class : public std::string, public std::vector<int> {
public:
  a_long_class() : std::string("text"), one_(1), two_{2}, three_(3), four_(4) {
    ++one_;
    ++two_;
    ++three_;
    ++four_;
    --one_;
    --two_;
    --three_;
  }

  struct inside {
    static int of_nested(int value) noexcept try {
      value += 1;
      value += 2;
      value += 3;
      value += 4;
      value += 5;
      return value;
    } catch (...) {
      return 0;
    }

    int number = 0;
  };

  [[nodiscard]] int short_member() const {
    return one_;
  }

private:
  int one_;
  int two_;
  int three_;
  int four_;
};

const auto a_long_lambda = [](int value) {
  value += 1;
  value += 2;
  value += 3;
  value += 4;
  value += 5;
  value += 6;
  return value;
};

const std::vector<int> table{
  1, //
  2, //
  3, //
  4, //
  5, //
  6, //
  7, //
  8, //
};

int with_a_text(int value) {
  const std::string text = R"(
int not_a_function() {
}
)";
  struct local {
    int member() {
      return 1;
    }
  };
  return value + static_cast<int>(text.size()) + local{}.member();
}

} // namespace planted
