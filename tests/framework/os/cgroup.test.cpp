// SPDX-License-Identifier: BSL-1.0
#include <troupe/os/cgroup.hpp>

#include <support/folder.hpp>

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

namespace {

/// A folder of files that stand for those of a machine.
class machine {
public:
  void file(const std::string& path, const std::string& text) const {
    const auto place = root_.path().string() + path;
    std::filesystem::create_directories(
      std::filesystem::path{place}.parent_path());
    std::ofstream{place} << text << '\n';
  }

  [[nodiscard]] troupe::os::cgroup_limits limits() const {
    return troupe::os::read_cgroup_limits(root_.path());
  }

private:
  troupe::test::folder root_;
};

const std::string unlimited = "9223372036854771712";

} // namespace

TEST_CASE("a machine without control groups has no limits") {
  const machine here;
  CHECK(here.limits().memory == 0);
  CHECK(here.limits().processors == 0);
}

TEST_CASE(
  "limits of version 1 are found, of the own group and of those above") {
  const machine here;
  here.file("/proc/self/cgroup", "5:cpu,cpuacct:/a/b\n4:memory:/a/b\n"
                                 "1:name=systemd:/x\n0::/");
  here.file("/proc/self/mountinfo",
            "30 25 0:26 / /sys/fs/cgroup/memory rw,nosuid shared:9 - cgroup "
            "cgroup rw,memory\n"
            "31 25 0:27 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup "
            "rw,cpu,cpuacct\n"
            "32 25 0:28 / /proc rw - proc proc rw");
  here.file("/sys/fs/cgroup/memory/memory.limit_in_bytes", unlimited);
  here.file("/sys/fs/cgroup/memory/a/memory.limit_in_bytes", "3000000");
  here.file("/sys/fs/cgroup/memory/a/b/memory.limit_in_bytes", "5000000");
  here.file("/sys/fs/cgroup/cpu,cpuacct/a/b/cpu.cfs_quota_us", "150000");
  here.file("/sys/fs/cgroup/cpu,cpuacct/a/b/cpu.cfs_period_us", "100000");
  here.file("/sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_quota_us", "-1");
  here.file("/sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_period_us", "100000");
  CHECK(here.limits().memory == 3'000'000);
  CHECK(here.limits().processors == doctest::Approx(1.5));
  here.file("/sys/fs/cgroup/memory/a/b/memory.limit_in_bytes", "1000000");
  CHECK(here.limits().memory == 1'000'000);
}

TEST_CASE(
  "limits of version 2 are found, of the own group and of those above") {
  const machine here;
  here.file("/proc/self/cgroup", "0::/user.slice/run");
  here.file("/proc/self/mountinfo",
            "30 25 0:26 / /sys/fs/cgroup rw shared:9 - cgroup2 cgroup2 rw");
  here.file("/sys/fs/cgroup/user.slice/run/memory.max", "max");
  here.file("/sys/fs/cgroup/user.slice/memory.max", "7000000");
  here.file("/sys/fs/cgroup/user.slice/run/cpu.max", "max 100000");
  here.file("/sys/fs/cgroup/user.slice/cpu.max", "50000 100000");
  CHECK(here.limits().memory == 7'000'000);
  CHECK(here.limits().processors == doctest::Approx(0.5));
}

TEST_CASE("both versions at once are both looked at") {
  const machine here;
  here.file("/proc/self/cgroup", "4:memory:/a\n0::/b");
  here.file("/proc/self/mountinfo",
            "30 25 0:26 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n"
            "31 25 0:27 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory");
  here.file("/sys/fs/cgroup/memory/a/memory.limit_in_bytes", "4000000");
  here.file("/sys/fs/cgroup/unified/b/cpu.max", "200000 100000");
  CHECK(here.limits().memory == 4'000'000);
  CHECK(here.limits().processors == doctest::Approx(2));
}

TEST_CASE("in a container the mount shows a part of the tree") {
  const machine here;
  // As Docker does without a namespace for control groups.
  here.file("/proc/self/cgroup", "4:memory:/docker/abc/deep\n0::/");
  here.file("/proc/self/mountinfo",
            "31 25 0:27 /docker/abc /sys/fs/cgroup/memory ro - cgroup cgroup "
            "rw,memory");
  here.file("/sys/fs/cgroup/memory/memory.limit_in_bytes", "6000000");
  CHECK(here.limits().memory == 6'000'000);
  here.file("/sys/fs/cgroup/memory/deep/memory.limit_in_bytes", "2000000");
  CHECK(here.limits().memory == 2'000'000);
}

TEST_CASE("a group that is not seen leaves the limits of what is seen") {
  const machine here;
  here.file("/proc/self/cgroup", "0::/../../other");
  here.file("/proc/self/mountinfo",
            "31 25 0:27 / /a\\040folder rw - cgroup2 cgroup2 rw");
  here.file("/a folder/memory.max", "8000000");
  CHECK(here.limits().memory == 8'000'000);
}

TEST_CASE("what makes no sense is no limit") {
  const machine here;
  here.file("/proc/self/cgroup", "nothing\n::\n0::/a");
  here.file("/proc/self/mountinfo",
            "1 2 3\n- - -\n31 25 0:27 / /cg rw - cgroup2 cgroup2 rw");
  here.file("/cg/a/memory.max", "much");
  here.file("/cg/a/cpu.max", "100000 0");
  CHECK(here.limits().memory == 0);
  CHECK(here.limits().processors == 0);
}
