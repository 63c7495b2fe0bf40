// SPDX-License-Identifier: BSL-1.0
#include <troupe/os/rights.hpp>

#include <algorithm>

#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace troupe::os {

namespace {

std::array<std::uint32_t, 6> own_capabilities() noexcept {
  __user_cap_header_struct head{};
  head.version = _LINUX_CAPABILITY_VERSION_3;
  std::array<__user_cap_data_struct, 2> data{};
  if (::syscall(SYS_capget, &head, data.data()) != 0)
    return {};
  return {data[0].effective, data[1].effective,   data[0].permitted,
          data[1].permitted, data[0].inheritable, data[1].inheritable};
}

std::vector<std::uint32_t> own_groups() {
  std::array<gid_t, 64> few{};
  int count = ::getgroups(static_cast<int>(few.size()), few.data());
  std::vector<std::uint32_t> result(few.begin(),
                                    few.begin() + std::max(count, 0));
  if (count < 0) {
    result.resize(
      static_cast<std::size_t>(std::max(::getgroups(0, nullptr), 0)));
    count = ::getgroups(static_cast<int>(result.size()), result.data());
    result.resize(static_cast<std::size_t>(std::max(count, 0)));
  }
  std::sort(result.begin(), result.end());
  return result;
}

} // namespace

rights rights::of_this_thread() {
  rights result;
  ::getresuid(&result.user_[0], &result.user_[1], &result.user_[2]);
  ::getresgid(&result.group_[0], &result.group_[1], &result.group_[2]);
  result.groups_ = own_groups();
  result.capabilities_ = own_capabilities();
  struct stat root{};
  if (::stat("/", &root) == 0)
    result.root_ = {root.st_dev, root.st_ino};
  result.no_new_privileges_ = ::prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1;
  return result;
}

std::string rights::difference(const rights& other) const {
  if (user_ != other.user_)
    return "user " + std::to_string(other.user_[1]) + " (here "
           + std::to_string(user_[1]) + ")";
  if (group_ != other.group_)
    return "group " + std::to_string(other.group_[1]) + " (here "
           + std::to_string(group_[1]) + ")";
  if (groups_ != other.groups_)
    return "other supplementary groups";
  if (root_ != other.root_)
    return "another root directory";
  if (capabilities_ != other.capabilities_)
    return "other capabilities";
  if (no_new_privileges_ != other.no_new_privileges_)
    return "another setting of no_new_privs";
  return {};
}

} // namespace troupe::os
