// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "suite.hpp"

#include <caf/all.hpp>
#ifdef TROUPE_BENCH_MIDDLEMAN
#  include <caf/io/all.hpp>
#endif

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <future>
#include <memory>
#include <string>
#include <thread>

/// Actors that throw balls at each other, wherever they are, and CAF's
/// middleman as one of the ways between them.

struct block64 {
  std::uint64_t a, b, c, d, e, f, g, h;
};

template <class Inspector>
bool inspect(Inspector& f, block64& x) {
  return f.object(x).fields(f.field("a", x.a), f.field("b", x.b),
                            f.field("c", x.c), f.field("d", x.d),
                            f.field("e", x.e), f.field("f", x.f),
                            f.field("g", x.g), f.field("h", x.h));
}

CAF_BEGIN_TYPE_ID_BLOCK(bench, caf::first_custom_type_id)
  CAF_ADD_TYPE_ID(bench, (block64))
  CAF_ADD_ATOM(bench, ball_atom)
  CAF_ADD_ATOM(bench, go_atom)
  CAF_ADD_ATOM(bench, load_atom)
  CAF_ADD_ATOM(bench, credit_atom)
CAF_END_TYPE_ID_BLOCK(bench)

namespace bench {

/// Answers a ball with the ball; counts loads and gives credit for them.
inline caf::behavior wall(caf::event_based_actor* self) {
  auto received = std::make_shared<std::uint64_t>(0);
  auto batch = std::make_shared<std::uint64_t>(1);
  const auto load = [self, received, batch] {
    if (++*received % *batch == 0)
      self->send(caf::actor_cast<caf::actor>(self->current_sender()),
                 credit_atom_v, *batch);
  };
  return {
    [](ball_atom, std::int32_t x) { return caf::make_message(ball_atom_v, x); },
    [](ball_atom, const block64& x) {
      return caf::make_message(ball_atom_v, x);
    },
    [](ball_atom, std::string& x) {
      return caf::make_message(ball_atom_v, std::move(x));
    },
    [batch](credit_atom, std::uint64_t each) { *batch = each; },
    [load](load_atom, std::int32_t) { load(); },
    [load](load_atom, const block64&) { load(); },
    [load](load_atom, const std::string&) { load(); },
  };
}

/// Plays `rounds` balls against a wall, `warm` of them unmeasured.
template <class T>
double round_trip_us(caf::actor_system& system, const caf::actor& partner,
                     const T& payload, std::uint64_t rounds) {
  std::promise<double> done;
  const auto warm = rounds / 5 + 1;
  auto player
    = system.spawn([&](caf::event_based_actor* self) -> caf::behavior {
        auto count = std::make_shared<std::uint64_t>(0);
        auto start = std::make_shared<clock_type::time_point>();
        return {
          [=](go_atom) { self->send(partner, ball_atom_v, payload); },
          [=, &done](ball_atom, T& x) {
            if (++*count == warm)
              *start = clock_type::now();
            if (*count == warm + rounds) {
              done.set_value(seconds_since(*start) / static_cast<double>(rounds)
                             * 1e6);
              self->quit();
              return;
            }
            self->send(partner, ball_atom_v, std::move(x));
          },
        };
      });
  // Through the partner, so that the player runs where answers arrive.
  caf::anon_send(player, go_atom_v);
  return done.get_future().get();
}

/// Sends `count` loads with a window of credit; returns messages per second.
template <class T>
double one_way(caf::actor_system& system, const caf::actor& partner,
               const T& payload, std::uint64_t count, std::uint64_t each) {
  std::promise<double> done;
  auto source = system.spawn(
    [&](caf::event_based_actor* self) -> caf::behavior {
      auto left = std::make_shared<std::uint64_t>(count);
      auto open = std::make_shared<std::uint64_t>(0);
      auto start = std::make_shared<clock_type::time_point>(clock_type::now());
      const auto push = [=](std::uint64_t credit) {
        for (; credit > 0 && *left > 0; --credit, --*left, ++*open)
          self->send(partner, load_atom_v, payload);
      };
      return {
        [=](go_atom) {
          *start = clock_type::now();
          self->send(partner, credit_atom_v, each);
          push(each * 4);
        },
        [=, &done](credit_atom, std::uint64_t credit) {
          *open -= credit;
          push(credit);
          if (*left == 0 && *open == 0) {
            done.set_value(static_cast<double>(count) / seconds_since(*start));
            self->quit();
          }
        },
      };
    });
  caf::anon_send(source, go_atom_v);
  return done.get_future().get();
}

inline void tune(caf::actor_system_config& config) {
  config.set("caf.scheduler.max-threads", 1);
  config.set("caf.work-stealing.aggressive-poll-attempts", 1);
  config.set("caf.work-stealing.moderate-poll-attempts", 0);
}

#ifdef TROUPE_BENCH_MIDDLEMAN

struct middleman_config : caf::actor_system_config {
  explicit middleman_config(bool tuned) {
    load<caf::io::middleman>();
    if (tuned) {
      tune(*this);
      set("caf.middleman.workers", 0);
    }
  }
};

/// The far side of the middleman: a process with a system of its own. The port
/// goes through a pipe; every connection gets a new wall.
inline void serve_middleman(bool tuned, int port) {
  middleman_config config{tuned};
  caf::actor_system system{config};
  for (int each = port; each < port + 32; ++each) {
    auto partner = system.spawn(wall);
    if (!system.middleman().publish(partner, static_cast<std::uint16_t>(each),
                                    "127.0.0.1", true))
      std::fprintf(stderr, "cannot publish at port %d\n", each);
  }
  std::this_thread::sleep_for(std::chrono::minutes{10});
}

/// The actor that the far side has published there.
inline caf::actor find_middleman(caf::actor_system& system, int port) {
  for (int attempt = 0; attempt < 500; ++attempt) {
    if (auto found = system.middleman().remote_actor(
          "127.0.0.1", static_cast<std::uint16_t>(port)))
      return *found;
    std::this_thread::sleep_for(std::chrono::milliseconds{10});
  }
  std::fprintf(stderr, "no middleman at port %d\n", port);
  std::exit(1);
}

#endif

} // namespace bench
