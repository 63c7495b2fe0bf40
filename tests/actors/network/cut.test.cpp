// SPDX-License-Identifier: BSL-1.0
//
// Two network namespaces with a cable between them, which is cut. Needs root
// and `ip`; without them it says so and passes.

#include <doctest/doctest.h>
#include <support/launched.hpp>

#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <unistd.h>

using troupe::test::beside_this_program;
using troupe::test::launched;

namespace {

std::string find_ip() {
  for (const auto* path :
       {"/usr/sbin/ip", "/sbin/ip", "/usr/bin/ip", "/bin/ip"})
    if (std::filesystem::exists(path))
      return path;
  return {};
}

/// Two namespaces, "one" and "two", and the cable.
class two_machines {
public:
  two_machines()
    : ip_(find_ip()), name_("troupe-" + std::to_string(::getpid())) {
    if (ip_.empty() || ::geteuid() != 0)
      return;
    const auto one = name_ + "-1";
    const auto two = name_ + "-2";
    whole_ = run("netns add " + one) && run("netns add " + two)
             && run("-n " + one + " link add cable type veth peer name cable"
                    + " netns " + two)
             && plug(one, "10.77.0.1/30", "fd77::1/64")
             && plug(two, "10.77.0.2/30", "fd77::2/64");
  }
  two_machines(const two_machines&) = delete;
  two_machines& operator=(const two_machines&) = delete;

  ~two_machines() {
    // The cable goes with them.
    if (!ip_.empty() && ::geteuid() == 0)
      for (const auto* end : {"-1", "-2"})
        static_cast<void>(run("netns del " + name_ + end));
  }

  [[nodiscard]] bool exist() const {
    return whole_;
  }

  void cut() const {
    REQUIRE(run("-n " + name_ + "-2 link set cable down"));
  }

  [[nodiscard]] std::vector<std::string>
  on(int machine, const std::vector<std::string>& command) const {
    std::vector<std::string> all{ip_, "netns", "exec",
                                 name_ + "-" + std::to_string(machine),
                                 beside_this_program("remote_role")};
    all.insert(all.end(), command.begin(), command.end());
    return all;
  }

private:
  [[nodiscard]] bool run(const std::string& what) const {
    return std::system((ip_ + ' ' + what + " 2>/dev/null").c_str()) == 0;
  }

  [[nodiscard]] bool plug(const std::string& end, const std::string& four,
                          const std::string& six) const {
    return run("-n " + end + " addr add " + four + " dev cable")
           && run("-n " + end + " addr add " + six + " dev cable nodad")
           && run("-n " + end + " link set cable up")
           && run("-n " + end + " link set lo up");
  }

  std::string ip_;
  std::string name_;
  bool whole_ = false;
};

} // namespace

TEST_CASE("a cut cable fails the calls on their way, and frees what was held") {
  for (const auto* host : {"10.77.0.1", "fd77::1"}) {
    INFO(std::string{host});
    const two_machines machines;
    if (!machines.exist()) {
      std::puts("network namespaces need root and ip; skipped");
      return;
    }
    troupe::test::launch_options options;
    options.environment = {"TROUPE_TEST_KEY=a key for tests only",
                           "TROUPE_TEST_SILENCE=1000"};
    launched server{machines.on(1, {"serve", host}), options};
    REQUIRE(server.wait_for("state "));
    const auto& text = server.output();
    const auto at = text.find("at ") + 3;
    const auto where = text.substr(at, text.find('\n', at) - at);
    launched getter{machines.on(2, {"get", where}), options};
    REQUIRE(getter.wait_for("getting"));
    launched holder{machines.on(2, {"hold", where}), options};
    REQUIRE(holder.wait_for("holding"));
    launched next{machines.on(1, {"lock", where}), options};
    REQUIRE(next.wait_for("it is taken"));
    const auto before = std::chrono::steady_clock::now();
    machines.cut();
    CHECK(getter.wait() != 0);
    CHECK(getter.output().find("connection_lost") != std::string::npos);
    CHECK(next.wait() == 0);
    // 1.4 × 1 s, and what a busy machine takes besides.
    CHECK(std::chrono::steady_clock::now() - before
          < std::chrono::milliseconds{1'400 + 5'000});
  }
}
