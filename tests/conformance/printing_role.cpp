// SPDX-License-Identifier: BSL-1.0

// Programs that print by `caf::aout`, `printing_role NAME
// here|own_process|machine`, with the behaviour of CAF's own of that kind,
// written anew. The last leads, has a machine make the actors, and ends when
// that has left.

#include <troupe/machines/machines.hpp>
#include <troupe/process/program.hpp>
#include <troupe/runtime/actor_system.hpp>
#include <troupe/runtime/spawn.hpp>

#include <caf/all.hpp>

#include <chrono>
#include <cstdint>
#include <iostream>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

/// A class without access to its members but by functions.
class station {
public:
  station() = default;
  station(std::int32_t line, std::string name)
    : line_(line), name_(std::move(name)) {
  }

  [[nodiscard]] std::int32_t line() const noexcept {
    return line_;
  }
  void set_line(std::int32_t line) noexcept {
    line_ = line;
  }
  [[nodiscard]] const std::string& name() const noexcept {
    return name_;
  }
  void set_name(std::string name) {
    name_ = std::move(name);
  }

private:
  std::int32_t line_ = 0;
  std::string name_;
};

template <class Inspector>
bool inspect(Inspector& f, station& x) {
  const auto line = [&x] { return x.line(); };
  const auto set_line = [&x](std::int32_t to) {
    x.set_line(to);
    return true;
  };
  const auto name = [&x]() -> decltype(auto) { return x.name(); };
  const auto set_name = [&x](std::string to) {
    x.set_name(std::move(to));
    return true;
  };
  return f.object(x).fields(f.field("line", line, set_line),
                            f.field("name", name, set_name));
}

/// A class that shows its members to its own inspect.
class journey {
public:
  journey() = default;
  explicit journey(std::vector<station> stops) : stops_(std::move(stops)) {
  }

  template <class Inspector>
  friend bool inspect(Inspector& f, journey& x) {
    return f.object(x).fields(f.field("stops", x.stops_));
  }

private:
  std::vector<station> stops_;
};

} // namespace

CAF_BEGIN_TYPE_ID_BLOCK(printing, caf::first_custom_type_id)
  CAF_ADD_TYPE_ID(printing, (station))
  CAF_ADD_TYPE_ID(printing, (journey))
CAF_END_TYPE_ID_BLOCK(printing)

namespace {

constexpr std::int32_t many = 8;

/// Says something at once and something else later, and is done.
caf::behavior talker(caf::event_based_actor* self, std::int32_t number) {
  caf::aout(self) << "talker " << number << " begins" << std::endl;
  self->delayed_send(self, std::chrono::milliseconds{1 + number % 3}, number);
  return {[self](std::int32_t which) {
    caf::aout(self) << "talker " << which;
    caf::aout(self) << " is done" << std::endl;
    self->quit();
  }};
}

void blocking_talker(caf::blocking_actor* self, const std::string& text) {
  caf::aout(self) << "a blocking actor says " << text << std::endl;
}

/// Prints types of one's own; done when it has seen both.
caf::behavior traveller(caf::stateful_actor<std::int32_t>* self) {
  self->state = 0;
  const auto print = [self](const auto& what) {
    caf::aout(self) << caf::deep_to_string(what) << std::endl;
    if (++self->state == 2)
      self->quit();
  };
  return {
    [print](const station& x) { print(x); },
    [print](const journey& x) { print(x); },
  };
}

/// Makes actors where the program was told to.
struct at_home {
  template <auto F, class... Args>
  caf::actor spawn(Args&&... args) const {
    return troupe::spawn<F>(where, std::forward<Args>(args)...);
  }
  troupe::placement where;
};

void talk(const auto& where) {
  for (std::int32_t i = 0; i < many; ++i)
    static_cast<void>(where.template spawn<talker>(i));
  static_cast<void>(where.template spawn<blocking_talker>(std::string{"hi"}));
}

void travel(const auto& where) {
  const caf::actor who = where.template spawn<traveller>();
  caf::anon_send(who, station{7, "Zoo"});
  caf::anon_send(who, journey{{station{1, "Port"}, station{2, "Museum"}}});
}

/// Whether there is such a program.
bool run(std::string_view name, const auto& where) {
  if (name == "talk")
    talk(where);
  else if (name == "travel")
    travel(where);
  else
    return false;
  return true;
}

/// What they print is written when the machine has left.
bool run_on_machine(std::string_view name) {
  constexpr std::chrono::seconds patience{60};
  troupe::machines::events happenings;
  if (!run(name, troupe::machines::wait_for(1, patience).front()))
    return false;
  // A machine that leaves before it has said so fails what makes actors there.
  std::cout << "all are made" << std::endl;
  while (const auto what = happenings.next(patience))
    if (what->kind == troupe::machines::event::what::left)
      return true;
  return false;
}

} // namespace

int main(int argc, char** argv) {
  troupe::use_messages<caf::id_block::printing>();
  const troupe::program program{argc, argv};
  const auto words = program.arguments();
  const std::string_view name = words.empty() ? "" : words[0];
  const std::string_view where = words.size() > 1 ? words[1] : "";
  if (where == "machine")
    return run_on_machine(name) ? 0 : 99;
  if (!run(name, at_home{where == "here" ? troupe::placement::here
                                         : troupe::placement::own_process}))
    return 99;
  return troupe::await_actors_for(std::chrono::seconds{20}) ? 0 : 1;
}
