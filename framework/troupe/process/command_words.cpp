// SPDX-License-Identifier: BSL-1.0
#include <troupe/process/command_words.hpp>

#include <troupe/os/child.hpp>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <string_view>
#include <system_error>

namespace troupe::hosting {

namespace {

std::string_view name_in(std::string_view variable) {
  return variable.substr(0, variable.find('='));
}

} // namespace

std::vector<std::string>
environment_of_command(const std::vector<std::string>& changes) {
  auto result = os::copy_environment();
  for (const auto& change : changes) {
    std::erase_if(result, [&](const std::string& each) {
      return name_in(each) == name_in(change);
    });
    if (change.find('=') != std::string::npos)
      result.push_back(change);
  }
  return result;
}

std::vector<std::string>
files_of_program(const std::string& name,
                 const std::vector<std::string>& environment) {
  if (name.find('/') != std::string::npos)
    return {name};
  std::string_view path{"/usr/local/bin:/usr/bin:/bin"};
  for (const auto& each : environment)
    if (name_in(each) == "PATH")
      path = std::string_view{each}.substr(sizeof "PATH");
  std::vector<std::string> result;
  for (;;) {
    const auto end = path.find(':');
    const auto directory = path.substr(0, end);
    // An empty one means where the command runs.
    result.push_back(std::string{directory.empty() ? "." : directory} + '/'
                     + name);
    if (end == std::string_view::npos)
      return result;
    path.remove_prefix(end + 1);
  }
}

std::string advice_for(const std::string& name, int os_error) {
  const bool is_path = name.find('/') != std::string::npos;
  std::error_code failure;
  switch (os_error) {
    case ENOENT:
      if (!is_path)
        return "no directory of PATH has it: install it, or name it by its "
               "path";
      if (std::filesystem::exists(name, failure))
        return "the file is there, and the interpreter that its first line "
               "names, or its loader, is not";
      return "name a program that exists; a relative path is looked for from "
             "command_options::directory";
    case EACCES:
      return "let it be a file that this user may execute (chmod +x)";
    case ENOEXEC:
      return "let a script begin with #! and its interpreter, or run "
             "{\"sh\", file}";
    case E2BIG: return "pass what is long as command_options::input";
    case ETXTBSY:
      return "close the file after it was written, before it is run";
    default: return {};
  }
}

} // namespace troupe::hosting
