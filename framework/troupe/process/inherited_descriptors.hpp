// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/memory/run_memory.hpp>
#include <troupe/os/descriptor.hpp>
#include <troupe/os/pipe.hpp>
#include <troupe/os/rights.hpp>

#include <string>
#include <vector>

namespace troupe::hosting {

/// What a process of the run has open besides the user's files.
///
/// All of them are closed when a user's program is executed; only the run's
/// own processes are started with them.
struct inherited_descriptors {
  /// The reading end of the life-line; the root has the writing end too.
  os::descriptor life_line;
  os::descriptor life_line_writer;
  /// The pipe of start requests: four bytes, the index of a slot. Every process
  /// may write; the root keeps the reading end open so that no request is lost
  /// with a fork server, and hosts have none.
  os::descriptor requests_reader;
  os::descriptor requests;
  /// What `requests` was opened on: a program may close all its descriptors,
  /// and open others of the same number.
  os::file_identity requests_identity;
  /// Of a fork server: the pipe on which it says once that it serves. Its root
  /// sees the end of that pipe when nobody is left who could.
  os::descriptor server_report;
  /// Of a fork server: which one it is, as in `run_header::serving`.
  std::uint32_t server_number = 0;
  /// What this process was allowed to do when it joined the run. Its children
  /// have the same, for the fork server has.
  os::rights rights;
  /// Signals that wait until this process can let them pass by, a set of
  /// `bit_of`: see `leave_signals_to_root`.
  std::uint32_t held_signals = 0;
  /// This image was executed for the run, and is not a fork of the server.
  bool freshly_executed = false;

  /// The calling process's; made by `program`.
  [[nodiscard]] static inherited_descriptors& current();
};

/// Which part a freshly executed image has to play.
enum class role { root, fork_server, host };

/// What the environment variable of a re-executed process says.
struct bootstrap {
  role part = role::root;
  memory::slot_id slot;
};

/// The variable's name.
extern const char* const bootstrap_variable;

/// Writes what a re-executed process must know to join the run. Of a fork
/// server `report` is the descriptor of `inherited_descriptors::server_report`
/// and `settings` the text of `os::settings`, which it takes before any static
/// object is made; `number` is its `server_number`, and of a host
/// `held_signals`.
[[nodiscard]] std::string
write_bootstrap(const bootstrap& text, int report = -1,
                std::uint32_t number = 0, const std::string& settings = {});

/// The number from which the mark is made that all bear who descend from a fork
/// server of this run: see `os::mark_lineage`.
[[nodiscard]] std::uint64_t lineage();

/// Descriptors that a re-executed process of `part` must inherit.
[[nodiscard]] std::vector<int> inherited(role part);

/// Joins the run that the variable names, and fills
/// `inherited_descriptors::current()`; `role::root` if there is none. The
/// variable is emptied before any static object is made, so that no program
/// which user code executes believes it, and what it names must belong to the
/// same user. Throws `malformed_bytes`.
[[nodiscard]] bootstrap answer_bootstrap();

} // namespace troupe::hosting
