// SPDX-License-Identifier: BSL-1.0
// `troupe metrics`: what Prometheus makes of it, and over HTTP.
#include "stage.hpp"

#include <doctest/doctest.h>
#include <support/folder.hpp>
#include <support/launched.hpp>

#include <array>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

using troupe::test::launched;
using troupe::test::stage;

namespace {

/// Asks a server of 127.0.0.1 as Prometheus does; all that it answers.
std::string fetch(std::uint16_t port, const std::string& request) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  REQUIRE(fd >= 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  REQUIRE(
    ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address)
    == 0);
  REQUIRE(::send(fd, request.data(), request.size(), MSG_NOSIGNAL)
          == static_cast<ssize_t>(request.size()));
  std::string result;
  std::array<char, 4096> part{};
  for (ssize_t size = 0; (size = ::read(fd, part.data(), part.size())) > 0;)
    result.append(part.data(), static_cast<std::size_t>(size));
  ::close(fd);
  return result;
}

std::uint16_t port_of(launched& server) {
  REQUIRE(server.wait_for("/metrics\n"));
  const auto& text = server.output();
  return static_cast<std::uint16_t>(
    std::atoi(text.c_str() + text.rfind(':') + 1));
}

} // namespace

TEST_CASE("metrics are answered over HTTP, on this machine alone") {
  const stage scene{{TROUPE_WORK_ROLE, "pool_at_work"}, "works"};
  launched server{
    {TROUPE_COMMAND, "metrics", "--listen", "0", "--run", scene.pid()}};
  const auto port = port_of(server);
  CHECK(server.output().starts_with("listening at http://127.0.0.1:"));
  const auto answer = fetch(port,
                            "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n");
  CHECK(answer.starts_with("HTTP/1.1 200 OK\r\n"));
  for (const auto* part :
       {"\r\nContent-Type: text/plain; version=0.0.4",
        "troupe_processes{run=\"", "troupe_pool_tasks_submitted_total{run=\"",
        "origin=\"bakery\"} 9\n", "troupe_worker_busy_seconds_total{run=\""}) {
    CAPTURE(part);
    CHECK(answer.find(part) != answer.npos);
  }
  CHECK(fetch(port, "GET / HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 404 "));
  CHECK(
    fetch(port, "POST /metrics HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 405 "));
  // Nonsense is answered with nothing, and does no harm.
  CHECK(fetch(port, std::string(20'000, 'x') + "\n").empty());
  CHECK(
    fetch(port, "GET /metrics HTTP/1.0\r\n\r\n").starts_with("HTTP/1.1 200 "));
  server.signal(SIGTERM);
  CHECK(WIFSIGNALED(server.wait()));
}

TEST_CASE("while there is no run, the server says nothing of any") {
  launched server{{TROUPE_COMMAND, "metrics", "--listen", "127.0.0.1:0",
                   "--run", "999999999"}};
  const auto answer = fetch(port_of(server), "GET /metrics HTTP/1.1\r\n\r\n");
  CHECK(answer.starts_with("HTTP/1.1 200 OK\r\n"));
  CHECK(answer.find("# TYPE troupe_processes gauge\n") != answer.npos);
  CHECK(answer.find("run=") == answer.npos);
}

TEST_CASE("where the server cannot listen is told") {
  for (const auto* where :
       {"nowhere", "127.0.0.1:99999", "::", "1.2.3.4:5:6"}) {
    const auto refused = troupe::test::ask({"metrics", "--listen", where});
    CAPTURE(where);
    CHECK(refused.code == 1);
    CHECK(refused.has({"troupe: ", "listen at"}));
  }
}

#if defined(TROUPE_PROMTOOL)
TEST_CASE("Prometheus finds nothing wrong with the metrics") {
  const stage scene{{TROUPE_WORK_ROLE, "pool_at_work"}, "works"};
  const auto metrics = scene.ask_until({"metrics"}, {"troupe_worker_tasks"});
  const troupe::test::folder folder;
  const auto path = folder.file("metrics", metrics.text);
  launched check{{"/bin/sh", "-c", TROUPE_PROMTOOL " check metrics < " + path}};
  CHECK(check.wait() == 0);
  CHECK(check.output() == "");
}
#else
TEST_CASE("Prometheus finds nothing wrong with the metrics" * doctest::skip()) {
  MESSAGE("promtool is not installed here: Debian's package prometheus");
}
#endif
