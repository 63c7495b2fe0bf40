// SPDX-License-Identifier: BSL-1.0

// A service that begins as root: it drops its rights and becomes a daemon
// before it is a program.

#include <troupe/process/program.hpp>

#include <iostream>

#include <grp.h>
#include <unistd.h>

namespace {

int square(int number) {
  return number * number;
}

bool become_user(uid_t user, gid_t group) {
  return ::setgroups(0, nullptr) == 0 && ::setgid(group) == 0
         && ::setuid(user) == 0;
}

} // namespace

//[main
int main(int argc, char** argv) {
  // This part runs in the fork server too, which has no rights left to drop.
  if (::geteuid() == 0 && !become_user(65534, 65534))
    return 1;
  if (::daemon(1, 1) != 0)
    return 1;
  troupe::program program{argc, argv};
  // From here on the root is alone: the place for a pid file or a socket.
  std::cout << "49 computed as the same user: "
            << (troupe::async<square>(7).get() == 49
                && troupe::async([] { return ::geteuid(); }).get()
                     == ::geteuid())
            << std::endl;
}
//]
