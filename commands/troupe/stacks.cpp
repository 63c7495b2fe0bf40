// SPDX-License-Identifier: BSL-1.0
#include "stacks.hpp"

#include "table.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <cxxabi.h>
#include <map>
#include <memory>
#include <string>

#include <elfutils/libdwfl.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

namespace troupe::command {

namespace {

using inspection::process_record;
using inspection::snapshot;

std::string demangled(const char* name) {
  int status = 0;
  const std::unique_ptr<char, void (*)(void*)> text{
    abi::__cxa_demangle(name, nullptr, nullptr, &status), std::free};
  return status == 0 && text ? text.get() : name;
}

struct frames {
  Dwfl* from;
  std::vector<std::string> lines;
};

int add_frame(Dwfl_Frame* frame, void* context) {
  auto& to = *static_cast<frames*>(context);
  Dwarf_Addr address = 0;
  bool is_activation = false;
  if (!dwfl_frame_pc(frame, &address, &is_activation))
    return DWARF_CB_ABORT;
  const auto looked_up = address - (is_activation ? 0 : 1);
  std::string line = "?";
  if (auto* module = dwfl_addrmodule(to.from, looked_up)) {
    if (const char* name = dwfl_module_addrname(module, looked_up))
      line = demangled(name);
    if (auto* source = dwfl_module_getsrc(module, looked_up)) {
      int number = 0;
      if (const char* file = dwfl_lineinfo(source, nullptr, &number, nullptr,
                                           nullptr, nullptr)) {
        const char* slash = std::strrchr(file, '/');
        line += fmt::format("  {}:{}", slash != nullptr ? slash + 1 : file,
                            number);
      }
    }
  }
  to.lines.push_back(line);
  constexpr std::size_t most_frames = 100;
  return to.lines.size() < most_frames ? DWARF_CB_OK : DWARF_CB_ABORT;
}

struct thread_visit {
  Dwfl* from;
  std::map<std::vector<std::string>, std::vector<std::string>>* into;
  const process_record* of;
};

int add_thread(Dwfl_Thread* thread, void* context) {
  const auto& visit = *static_cast<thread_visit*>(context);
  frames stack{visit.from, {}};
  static_cast<void>(dwfl_thread_getframes(thread, add_frame, &stack));
  if (stack.lines.empty())
    stack.lines.emplace_back("(nothing can be read)");
  const auto id = dwfl_thread_tid(thread);
  (*visit.into)[stack.lines].push_back(
    id == visit.of->pid
      ? visit.of->description()
      : fmt::format("thread {} of {}", id, visit.of->description()));
  return DWARF_CB_OK;
}

/// Holds the threads of a process while it lives. Seized, not attached: should
/// this program be killed, the kernel lets them go on.
class held_process {
public:
  explicit held_process(const process_record& of) {
    for (const auto& thread : of.threads) {
      if (::ptrace(PTRACE_SEIZE, thread.id, nullptr, nullptr) != 0) {
        if (errno != ESRCH && why_.empty())
          why_ = std::strerror(errno);
        continue;
      }
      held_.push_back(thread.id);
      if (::ptrace(PTRACE_INTERRUPT, thread.id, nullptr, nullptr) == 0)
        static_cast<void>(::waitpid(thread.id, nullptr, __WALL));
    }
  }
  held_process(const held_process&) = delete;
  held_process& operator=(const held_process&) = delete;
  ~held_process() {
    for (const auto each : held_)
      ::ptrace(PTRACE_DETACH, each, nullptr, nullptr);
  }

  [[nodiscard]] const std::string& why_not() const noexcept {
    return why_;
  }

private:
  std::vector<std::int32_t> held_;
  std::string why_;
};

/// Why there is no stack; empty if there is.
std::string read_stacks(
  const process_record& of,
  std::map<std::vector<std::string>, std::vector<std::string>>& into) {
  static char* no_debug_files = nullptr;
  static const Dwfl_Callbacks callbacks{dwfl_linux_proc_find_elf,
                                        dwfl_standard_find_debuginfo, nullptr,
                                        &no_debug_files};
  const std::unique_ptr<Dwfl, void (*)(Dwfl*)> session{dwfl_begin(&callbacks),
                                                       dwfl_end};
  if (!session)
    return dwfl_errmsg(-1);
  if (const int failure = dwfl_linux_proc_report(session.get(), of.pid);
      failure != 0)
    return failure > 0 ? std::strerror(failure) : dwfl_errmsg(-1);
  dwfl_report_end(session.get(), nullptr, nullptr);
  const held_process held{of};
  if (!held.why_not().empty())
    return held.why_not()
           + "; to stop a process for a moment takes the right of a debugger: "
             "in "
             "a container --cap-add=SYS_PTRACE, elsewhere "
             "/proc/sys/kernel/yama/ptrace_scope, or root";
  if (const int failure = dwfl_linux_proc_attach(session.get(), of.pid, true);
      failure != 0)
    return failure > 0 ? std::strerror(failure) : dwfl_errmsg(-1);
  thread_visit visit{session.get(), &into, &of};
  if (dwfl_getthreads(session.get(), add_thread, &visit) != 0) {
    const char* text = dwfl_errmsg(-1);
    return text != nullptr ? text : "its threads cannot be read";
  }
  return {};
}

} // namespace

view stacks_view(const snapshot&,
                 const std::vector<const process_record*>& processes) {
  std::map<std::vector<std::string>, std::vector<std::string>> stacks;
  view result;
  json refused = json::array();
  for (const auto* each : processes) {
    if (each->pid <= 0 || !each->fact)
      continue;
    if (const auto why = read_stacks(*each, stacks); !why.empty()) {
      result.text += fmt::format("{}: {}\n", printable(each->description()),
                                 why);
      refused.push_back({{"pid", each->pid}, {"why", why}});
    }
  }
  json list = json::array();
  for (const auto& [lines, threads] : stacks) {
    std::string names;
    for (const auto& each : threads)
      names += (names.empty() ? "" : ", ") + each;
    result.text += printable(names) + ":\n";
    for (std::size_t i = 0; i < lines.size(); ++i)
      result.text += fmt::format("  #{:<2} {}\n", i, lines[i]);
    list.push_back({{"threads", threads}, {"frames", lines}});
  }
  result.data = {{"stacks", list}, {"refused", refused}};
  return result;
}

} // namespace troupe::command
