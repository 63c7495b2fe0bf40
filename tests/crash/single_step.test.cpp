// SPDX-License-Identifier: BSL-1.0
#include <framework/memory/scratch_run.hpp>

#include <troupe/channel/items.hpp>
#include <troupe/channel/pipe_end.hpp>
#include <troupe/mailbox/message_queue.hpp>
#include <troupe/os/crash_point.hpp>
#include <troupe/sync/semaphore.hpp>
#include <troupe/transport/shares.hpp>

#include <support/living_bytes.hpp>
#include <support/sanitized.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <optional>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

/// Kills a process after each single instruction of an operation in turn.
///
/// The victim stops itself before and after the operation. Its parent, the root
/// of a scratch run, lets it go on for k instructions, kills it, confirms the
/// death as a fork server would, and looks at the mailbox; for every k there
/// is. What the kernel does within one system call counts as one instruction.
namespace {

using troupe::deadline;
using troupe::mailbox::message_queue;
using troupe::mailbox::message_queue_options;
using troupe::memory::object_kind;
using troupe::memory::reference;
using troupe::test::expect;

/// Steps in all that a case may take, so that slow builds end in time too: more
/// where the operation is longer.
constexpr std::size_t most_steps = 350'000;
constexpr std::size_t most_of_long = 900'000;
constexpr std::size_t most_of_memory = 100'000;

void put(message_queue& box, int number) {
  static_cast<void>(
    troupe::channel::put_item(box, number, deadline::never(), "put"));
}

void get(message_queue& box) {
  bool ended = false;
  static_cast<void>(
    troupe::channel::take_item<int>(box, deadline::never(), ended));
}

std::vector<int> drain(message_queue& box) {
  std::vector<int> result;
  bool ended = false;
  while (const auto each = troupe::channel::take_item<int>(box, deadline::now(),
                                                           ended))
    result.push_back(*each);
  return result;
}

constexpr std::array two{2, 3};

constexpr auto user_kind = object_kind::user;

/// Puts a message that carries the only handle of an object.
void put_handle(message_queue& box) {
  const auto object = reference::create(user_kind, 10);
  const std::array handles{object.id()};
  static_cast<void>(
    box.put({std::as_bytes(std::span{handles}), handles}, deadline::never()));
}

/// Takes a message, and holds the object whose handle it carries. Returns false
/// if it carries none.
bool take_handle(message_queue& box) {
  reference held;
  static_cast<void>(box.take(
    [&](const troupe::mailbox::message& shown) {
      if (!shown.handles.empty())
        held = reference::attach(shown.handles.front(), user_kind);
      return troupe::mailbox::visit_result::taken;
    },
    1, deadline::now()));
  return static_cast<bool>(held);
}

/// Lets a forked process do `work` for `steps` instructions and kills it.
/// Returns how many it did: fewer if the work was over before. -1 where
/// processes may not be traced.
template <class Work>
long run_for(std::size_t steps, Work work) {
  const auto pid = troupe::test::fork_into_slot(1, [&] {
    if (::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) != 0)
      ::_exit(42);
    work();
  });
  int status = 0;
  ::waitpid(pid, &status, 0);
  if (!WIFSTOPPED(status)) {
    troupe::memory::release_holdings(1);
    return WIFEXITED(status) && WEXITSTATUS(status) == 42 ? -1 : 0;
  }
  long done = 0;
  for (std::size_t step = 0; step < steps; ++step) {
    ::ptrace(PTRACE_SINGLESTEP, pid, nullptr, nullptr);
    ::waitpid(pid, &status, 0);
    if (!WIFSTOPPED(status) || WSTOPSIG(status) != SIGTRAP)
      break;
    ++done;
  }
  ::kill(pid, SIGKILL);
  ::ptrace(PTRACE_DETACH, pid, nullptr, SIGKILL);
  if (!WIFEXITED(status))
    ::waitpid(pid, &status, 0);
  troupe::memory::release_holdings(1);
  return done;
}

/// Calls `once` with ever more steps, until those are more than the whole work
/// has, and `then` after each. `once` returns what `run_for` does. About `most`
/// steps are done in all; says how many were left out.
template <class Once, class Then>
void kill_after_each(const char* name, std::size_t most, Once once, Then then) {
  const auto length = once(~std::size_t{0} >> 1);
  if (length < 0) {
    std::printf("%s: processes may not be traced here; skipped\n", name);
    return;
  }
  const auto total = static_cast<std::size_t>(length);
  const auto stride = std::max<std::size_t>(1, total * total / 2 / most);
  for (std::size_t steps = 0; steps <= total; steps += stride) {
    once(steps);
    then(steps);
  }
  std::printf("%s: %zu instructions, killed after every %zu\n", name, total,
              stride);
  std::fflush(stdout);
}

/// Does it for every number of steps, or every few where that were more than
/// `most` in all. `prepare` fills a new mailbox, `work` is
/// what the victim does with it, `check` looks at what is left.
template <class Prepare, class Work, class Check>
std::string at_every_instruction(const char* name,
                                 const message_queue_options& options,
                                 Prepare prepare, Work work, Check check,
                                 std::size_t most = most_steps) {
  return troupe::test::in_new_run({}, [&] {
    const auto once = [&](std::size_t steps) {
      const auto object = message_queue::create(options);
      auto& box = *object.as<message_queue>();
      prepare(box);
      const auto where = object.id();
      const auto done = run_for(steps, [&] {
        const auto own = reference::attach(where, object_kind::queue);
        ::raise(SIGSTOP);
        work(*own.as<message_queue>());
        ::raise(SIGSTOP);
      });
      const auto when = "after " + std::to_string(steps) + " instructions";
      if (done < 0)
        return done;
      if constexpr (std::is_invocable_v<Check, const reference&, std::string>)
        check(object, when);
      else
        check(box, when);
      return done;
    };
    {
      // Once here, so that the victim does not look up functions by name.
      const auto object = message_queue::create(options);
      prepare(*object.template as<message_queue>());
      work(*object.template as<message_queue>());
    }
    kill_after_each(name, most, once, [&](std::size_t steps) {
      expect(troupe::test::living_bytes() == 0,
             std::to_string(troupe::test::living_bytes())
               + " bytes are left, killed after " + std::to_string(steps)
               + " instructions");
    });
  });
}

std::string shown(const std::vector<int>& numbers) {
  std::string result;
  for (const int each : numbers)
    result += std::to_string(each) + " ";
  return result;
}

/// Expects one of two contents, and a mailbox that works on.
void expect_either(message_queue& box, const std::string& when,
                   std::vector<int> without, std::vector<int> with) {
  put(box, 100);
  const auto found = drain(box);
  without.push_back(100);
  with.push_back(100);
  expect(found == without || found == with, when + " it holds " + shown(found));
  for (int i = 0; i < 3; ++i) {
    put(box, i);
    expect(drain(box) == std::vector{i}, when + " it works no more");
  }
}

/// The same for what a process does with the run's memory alone: `work` is
/// given an object that the root holds. Whatever is killed when, nothing of the
/// victim is left, the root's object is as it was, and the next process in the
/// victim's place does the same.
template <class Prepare, class Work>
std::string
with_memory_at_every_instruction(const char* name, Prepare prepare, Work work) {
  return troupe::test::in_new_run({}, [&] {
    auto& memory = troupe::memory::run_memory::current();
    troupe::test::warm_up(1);
    const auto ours = reference::create(user_kind, 20'000);
    std::ranges::fill(ours.bytes(), std::byte{7});
    const auto reserved = memory.reserved_bytes();
    const auto bytes = troupe::test::bytes_of_objects();
    const auto once = [&](std::size_t steps) {
      const auto done = run_for(steps, [&] {
        prepare(ours.id());
        ::raise(SIGSTOP);
        work(ours.id());
        ::raise(SIGSTOP);
      });
      if (done < 0)
        return done;
      const auto when = " killed after " + std::to_string(steps)
                        + " instructions";
      expect(std::ranges::all_of(ours.bytes(),
                                 [](std::byte each) {
                                   return each == std::byte{7};
                                 }),
             "the root's object has changed," + when);
      expect(ours.shares() == 0, "shares of the root's object stay," + when);
      troupe::memory::warm_memory::give_back_own();
      expect(memory.reserved_bytes() == reserved,
             std::to_string(memory.reserved_bytes() - reserved)
               + " bytes are reserved," + when);
      expect(troupe::test::bytes_of_objects() == bytes,
             "pages are left," + when + troupe::test::pages_in_use());
      return done;
    };
    kill_after_each(name, most_of_memory, once, [&](std::size_t steps) {
      const auto next = troupe::test::fork_into_slot(1, [&] {
        prepare(ours.id());
        work(ours.id());
      });
      expect(troupe::test::confirm(next, 1) == 0,
             "the next process fails after " + std::to_string(steps));
    });
  });
}

} // namespace

TEST_CASE(
  "killed after any instruction of making and dropping a small object") {
  if (troupe::test::sanitized)
    return;
  const auto work = [](auto) {
    static_cast<void>(reference::create(user_kind, 10));
  };
  CHECK(with_memory_at_every_instruction("small object", work, work) == "");
}

TEST_CASE("killed after any instruction of making an object and keeping its "
          "memory") {
  if (troupe::test::sanitized)
    return;
  CHECK(with_memory_at_every_instruction(
          "object with granules",
          [](auto) { static_cast<void>(reference::create(user_kind, 10)); },
          [](auto) { static_cast<void>(reference::create(user_kind, 20'000)); })
        == "");
}

TEST_CASE("killed after any instruction of using kept memory and giving it "
          "back") {
  if (troupe::test::sanitized)
    return;
  CHECK(with_memory_at_every_instruction(
          "kept memory",
          [](auto) { static_cast<void>(reference::create(user_kind, 9000)); },
          [](auto) {
            static_cast<void>(reference::create(user_kind, 9000));
            troupe::memory::warm_memory::give_back_own();
          })
        == "");
}

TEST_CASE("killed after any instruction of attaching and dropping") {
  if (troupe::test::sanitized)
    return;
  const auto work = [](auto ours) {
    static_cast<void>(reference::attach(ours, user_kind));
  };
  CHECK(with_memory_at_every_instruction("attach", work, work) == "");
}

TEST_CASE("killed after any instruction of making and dropping a pipe") {
  if (troupe::test::sanitized)
    return;
  const auto work = [](auto) {
    static_cast<void>(troupe::channel::pipe_end::make(1, true));
  };
  CHECK(with_memory_at_every_instruction("pipe", work, work) == "");
}

namespace {

/// The victim uses for the first time the first end of a pipe, or the second,
/// both of which the root holds. Then both do what they should.
std::string with_pipe_at_every_instruction(const char* name, bool is_first) {
  return troupe::test::in_new_run({}, [&] {
    using troupe::channel::pipe_end;
    auto& memory = troupe::memory::run_memory::current();
    troupe::test::warm_up(1);
    const auto reserved = memory.reserved_bytes();
    const auto expect_passage = [](const pipe_end& from, const pipe_end& to,
                                   const std::string& when) {
      const std::array sent{std::byte{5}};
      from.send_bytes(sent);
      expect(to.receive_bytes(1) == troupe::bytes{std::byte{5}},
             "something else arrives," + when);
    };
    const auto once = [&](std::size_t steps) {
      auto [first, second] = pipe_end::make(1, true);
      auto& theirs = is_first ? first : second;
      auto& ours = is_first ? second : first;
      troupe::codec::packet message;
      troupe::codec::encoder to{message};
      theirs.save(to);
      const auto done = run_for(steps, [&] {
        troupe::codec::decoder from{message.body(), message.handles(),
                                    "a pipe"};
        const auto end = pipe_end::load(from, 1, "a pipe");
        // So that there is memory for the mailbox: how that is taken is seen
        // above.
        static_cast<void>(pipe_end::make(1, true).first.out());
        ::raise(SIGSTOP);
        static_cast<void>(end.out());
        ::raise(SIGSTOP);
      });
      if (done < 0)
        return done;
      const auto when = " killed after " + std::to_string(steps)
                        + " instructions";
      expect_passage(ours, theirs, when);
      expect_passage(theirs, ours, when);
      message.release_handles();
      theirs.close();
      expect(ours.in().readable(), "the end has not come," + when);
      ours.close();
      troupe::memory::warm_memory::give_back_own();
      expect(memory.reserved_bytes() == reserved,
             std::to_string(memory.reserved_bytes() - reserved)
               + " bytes are reserved," + when);
      return done;
    };
    kill_after_each(name, most_of_memory, once, [](std::size_t) {});
  });
}

} // namespace

TEST_CASE("killed after any instruction of the first use of a pipe") {
  if (troupe::test::sanitized)
    return;
  CHECK(with_pipe_at_every_instruction("first end of a pipe", true) == "");
  CHECK(with_pipe_at_every_instruction("second end of a pipe", false) == "");
}

namespace {

/// The victim takes a unit of a semaphore, gives it back and takes it again,
/// where `others` rows have one each.
std::string with_units_at_every_instruction(const char* name, int others) {
  return troupe::test::in_new_run({}, [&] {
    constexpr int all = 9;
    auto& memory = troupe::memory::run_memory::current();
    troupe::test::warm_up(1);
    const auto reserved = memory.reserved_bytes();
    const auto once = [&](std::size_t steps) {
      const auto when = " killed after " + std::to_string(steps)
                        + " instructions";
      std::optional<troupe::semaphore> units{all};
      for (int other = 0; other < others; ++other)
        expect(units->units().try_take(10U + static_cast<unsigned>(other)),
               "no unit," + when);
      troupe::codec::packet message;
      troupe::codec::encoder to{message};
      units->save(to);
      const auto done = run_for(steps, [&] {
        troupe::codec::decoder from{message.body(), message.handles(),
                                    "a semaphore"};
        const auto theirs = troupe::semaphore::load(from);
        // So that there is memory for the wait queue: how that is taken is seen
        // above.
        static_cast<void>(reference::create(user_kind, 9000));
        ::raise(SIGSTOP);
        theirs.acquire();
        theirs.release();
        theirs.acquire();
        ::raise(SIGSTOP);
      });
      if (done < 0)
        return done;
      const int free = all - others;
      expect(units->value() == free, "units are lost or made," + when);
      // By row, for the thread here must not become an owner that forks
      // inherit.
      for (int unit = 0; unit < free; ++unit)
        expect(units->units().try_take(0), "no unit," + when);
      expect(!units->units().try_take(0), "a unit too many," + when);
      message.release_handles();
      units.reset();
      troupe::memory::warm_memory::give_back_own();
      expect(memory.reserved_bytes() == reserved,
             std::to_string(memory.reserved_bytes() - reserved)
               + " bytes are reserved," + when);
      return done;
    };
    kill_after_each(name, most_of_memory, once, [](std::size_t) {});
  });
}

} // namespace

TEST_CASE("killed after any instruction of taking and giving a unit of a "
          "semaphore") {
  if (troupe::test::sanitized)
    return;
  CHECK(with_units_at_every_instruction("unit noted inside", 0) == "");
  CHECK(with_units_at_every_instruction("unit noted outside", 5) == "");
}

TEST_CASE("killed after any instruction of making and dropping a share of an "
          "actor") {
  if (troupe::test::sanitized)
    return;
  const auto problem = troupe::test::in_new_run({}, [] {
    auto& memory = troupe::memory::run_memory::current();
    troupe::test::warm_up(1);
    // As a program does.
    memory.own_slot().generation.store(memory.self().generation);
    memory.own_slot().state.store(
      static_cast<std::uint32_t>(troupe::memory::slot_state::running));
    troupe::transport::shares own;
    const troupe::transport::actor_name actor{memory.self(), 7};
    const auto work = [&] {
      expect(static_cast<bool>(troupe::transport::shares::make(actor)),
             "there is no share");
    };
    work();
    static_cast<void>(own.take_ended());
    const auto reserved = memory.reserved_bytes();
    const auto once = [&](std::size_t steps) {
      const auto done = run_for(steps, [&] {
        work();
        ::raise(SIGSTOP);
        work();
        ::raise(SIGSTOP);
      });
      if (done < 0)
        return done;
      const auto when = ", killed after " + std::to_string(steps)
                        + " instructions";
      // The first share, of which each step is done, has ended at least.
      expect(own.some_ended(), "nothing is told" + when);
      const auto ended = own.take_ended();
      expect(!ended.empty() && ended.size() <= 2
               && std::ranges::count(ended, actor.actor)
                    == static_cast<std::ptrdiff_t>(ended.size()),
             std::to_string(ended.size()) + " shares have ended" + when);
      expect(!own.any_of(actor.actor) && !own.any_of(0),
             "a share lives" + when);
      troupe::memory::warm_memory::give_back_own();
      expect(memory.reserved_bytes() == reserved, "memory is left" + when);
      return done;
    };
    kill_after_each("share", most_of_memory, once, [](std::size_t) {});
  });
  CHECK(problem == "");
}

TEST_CASE("killed after any instruction of opening and closing a page of "
          "heads") {
  if (troupe::test::sanitized)
    return;
  std::vector<reference> held;
  CHECK(with_memory_at_every_instruction(
          "page of heads",
          [&held](auto) {
            held.clear();
            held.reserve(64);
            // All heads of the page at hand are taken.
            for (int count = 0; count < 16; ++count)
              held.push_back(reference::create(user_kind, 10));
          },
          [&held](auto) {
            held.push_back(reference::create(user_kind, 10));
            held.push_back(reference::create(user_kind, 10));
            held.resize(16);
            troupe::memory::warm_memory::give_back_own();
          })
        == "");
}

TEST_CASE("killed after any instruction of counting a share and ending it") {
  if (troupe::test::sanitized)
    return;
  const auto work = [](auto ours) {
    const auto held = reference::attach(ours, user_kind);
    const std::array ids{ours};
    static_cast<void>(reference::create_with_shares(user_kind, 10, ids));
  };
  CHECK(with_memory_at_every_instruction("share", work, work) == "");
}

TEST_CASE(
  "killed all along the life of a mailbox with a message that carries a "
  "handle") {
  if (troupe::test::sanitized)
    return;
  const auto work = [](auto ours) {
    const auto held = reference::attach(ours, user_kind);
    const std::array ids{ours};
    const auto object = message_queue::create({});
    for (int count = 0; count < 2; ++count)
      static_cast<void>(object.template as<message_queue>()->put(
        {std::as_bytes(std::span{ids}), ids}, deadline::never()));
    static_cast<void>(take_handle(*object.template as<message_queue>()));
  };
  CHECK(with_memory_at_every_instruction("life of a mailbox", work, work)
        == "");
}

TEST_CASE("killed after any instruction of a put of a handle") {
  if (troupe::test::sanitized)
    return;
  CHECK(at_every_instruction(
          "put of a handle", {},
          [](message_queue& box) {
            put_handle(box);
            put(box, 1);
          },
          put_handle,
          [](message_queue& box, const std::string& when) {
            const auto messages = box.size();
            expect(messages == 2 || messages == 3, when + " messages are gone");
            expect(take_handle(box), when + " the first handle is gone");
            get(box);
            expect(take_handle(box) == (messages == 3),
                   when + " the second handle");
            put_handle(box);
            expect(take_handle(box), when + " it works no more");
          },
          most_of_long)
        == "");
}

TEST_CASE("killed after any instruction of the get of a handle") {
  if (troupe::test::sanitized)
    return;
  CHECK(at_every_instruction(
          "get of a handle", {},
          [](message_queue& box) {
            put_handle(box);
            put_handle(box);
          },
          [](message_queue& box) { static_cast<void>(take_handle(box)); },
          [](message_queue& box, const std::string& when) {
            for (auto messages = box.size(); messages > 0; --messages)
              expect(take_handle(box), when + " a handle is gone");
            put_handle(box);
            expect(take_handle(box), when + " it works no more");
          },
          most_of_long)
        == "");
}

TEST_CASE("killed after any instruction of put") {
  if (troupe::test::sanitized)
    return;
  CHECK(at_every_instruction(
          "put", {.ledger = true},
          [](message_queue& box) {
            put(box, 1);
            put(box, 2);
          },
          [](message_queue& box) { put(box, 3); },
          [](message_queue& box, const std::string& when) {
            expect_either(box, when, {1, 2}, {1, 2, 3});
          })
        == "");
}

TEST_CASE("killed all along the first put, which makes a segment") {
  if (troupe::test::sanitized)
    return;
  CHECK(at_every_instruction(
          "first put", {.ledger = true}, [](message_queue&) {},
          [](message_queue& box) { put(box, 3); },
          [](message_queue& box, const std::string& when) {
            expect_either(box, when, {}, {3});
          })
        == "");
}

TEST_CASE("killed after any instruction of a put of two") {
  if (troupe::test::sanitized)
    return;
  CHECK(at_every_instruction(
          "put of two", {.ledger = true},
          [](message_queue& box) { put(box, 1); },
          [](message_queue& box) {
            static_cast<void>(troupe::channel::put_items<int>(
              box, two.begin(), two.end(), deadline::never(), "put"));
          },
          [](message_queue& box, const std::string& when) {
            expect_either(box, when, {1}, {1, 2, 3});
          },
          most_of_long)
        == "");
}

TEST_CASE("killed after any instruction of the first get") {
  if (troupe::test::sanitized)
    return;
  CHECK(at_every_instruction(
          "first get", {.messages = 8, .ledger = true},
          [](message_queue& box) {
            put(box, 1);
            put(box, 2);
            put(box, 3);
          },
          get,
          [](message_queue& box, const std::string& when) {
            expect_either(box, when, {1, 2, 3}, {2, 3});
          })
        == "");
}

TEST_CASE("killed after any instruction of get") {
  if (troupe::test::sanitized)
    return;
  CHECK(at_every_instruction(
          "get", {.messages = 8, .ledger = true},
          [](message_queue& box) {
            put(box, 0);
            get(box);
            put(box, 1);
            put(box, 2);
          },
          get,
          [](message_queue& box, const std::string& when) {
            expect_either(box, when, {1, 2}, {2});
          })
        == "");
}

TEST_CASE("killed after any instruction of get in a dead reader's place: the "
          "tasks of both are accounted for") {
  if (troupe::test::sanitized)
    return;
  CHECK(at_every_instruction(
          "get in another's place", {.ledger = true},
          [](message_queue& box) {
            for (int i = 1; i <= 3; ++i)
              put(box, i);
            // The one before it in slot 1, which leaves a task unfinished.
            const auto before = troupe::test::fork_into_slot(1, [&] {
              troupe::memory::run_memory::current().become({1, 7});
              get(box);
            });
            troupe::test::confirm(before, 1);
          },
          get,
          [](const reference& object, const std::string& when) {
            auto& box = *object.as<message_queue>();
            const auto taken = 3 - box.size();
            std::uint64_t lost = 0;
            static_cast<void>(box.wait_finished(object, deadline::now(), lost));
            expect(lost == taken, when + " " + std::to_string(taken)
                                    + " are taken, but lost are "
                                    + std::to_string(lost));
            expect_either(box, when, {2, 3}, {3});
          })
        == "");
}

TEST_CASE("killed after any instruction of the get that leaves a segment") {
  if (troupe::test::sanitized)
    return;
  CHECK(at_every_instruction(
          "get across segments", {},
          [](message_queue& box) {
            // Fills the first segment, and begins the second.
            const std::vector<std::byte> large(30'000);
            for (int i = 0; i < 2; ++i)
              static_cast<void>(box.put({large}, deadline::never()));
            const std::vector<std::byte> more(10'000);
            static_cast<void>(box.put({more}, deadline::never()));
            put(box, 2);
            for (int i = 0; i < 2; ++i)
              static_cast<void>(box.take(
                [](const troupe::mailbox::message&) {
                  return troupe::mailbox::visit_result::taken;
                },
                1, deadline::now()));
          },
          [](message_queue& box) {
            static_cast<void>(box.take(
              [](const troupe::mailbox::message&) {
                return troupe::mailbox::visit_result::taken;
              },
              1, deadline::never()));
          },
          [](message_queue& box, const std::string& when) {
            if (box.size() == 2)
              static_cast<void>(box.take(
                [](const troupe::mailbox::message& shown) {
                  expect(shown.body.size() == 10'000, "another message");
                  return troupe::mailbox::visit_result::taken;
                },
                1, deadline::now()));
            expect_either(box, when, {2}, {2});
          })
        == "");
}

TEST_CASE(
  "a reader killed while it makes room in the ledger for its slot leaves "
  "nothing, and the next takes") {
  for (const std::string point : {"mailbox.ledger.noted", "mailbox.ledger.sent",
                                  "mailbox.ledger.linked"}) {
    CAPTURE(point);
    CHECK(troupe::test::in_new_run(
            {},
            [&] {
              {
                const auto object = message_queue::create({.ledger = true});
                auto& box = *object.as<message_queue>();
                put(box, 1);
                put(box, 2);
                // Slots behind those whose entries stand in the mailbox.
                const auto reader = [&](std::uint32_t slot, bool killed) {
                  const auto pid = troupe::test::fork_into_slot(slot, [&] {
                    const auto own = reference::attach(object.id(),
                                                       object_kind::queue);
                    if (killed)
                      troupe::os::arm_crash_point(point);
                    get(box);
                    static_cast<void>(box.finish());
                  });
                  return troupe::test::confirm(pid, slot);
                };
                expect(reader(70, true) == SIGKILL, "it was not killed");
                expect(reader(71, false) == 0, "the next reader fails");
                expect(box.unfinished() == 1, "its task is not finished");
                expect(drain(box) == std::vector{2}, "the items");
              }
              expect(troupe::test::living_bytes() == 0,
                     std::to_string(troupe::test::living_bytes())
                       + " bytes are left");
            })
          == "");
  }
}

TEST_CASE("killed after any instruction of close") {
  if (troupe::test::sanitized)
    return;
  CHECK(at_every_instruction(
          "close", {}, [](message_queue& box) { put(box, 1); },
          [](message_queue& box) { box.close(); },
          [](message_queue& box, const std::string& when) {
            expect(drain(box) == std::vector{1}, when + " an item is gone");
            box.close();
            bool ended = false;
            static_cast<void>(
              troupe::channel::take_item<int>(box, deadline::never(), ended));
            expect(ended, when + " it does not end");
          })
        == "");
}
