// SPDX-License-Identifier: BSL-1.0
#include "metrics_server.hpp"

#include "choice.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <fmt/format.h>

#include <charconv>
#include <chrono>
#include <cstdint>
#include <exception>
#include <iostream>
#include <string_view>
#include <system_error>

namespace troupe::command {

namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

/// Who takes longer to ask is not answered.
constexpr std::chrono::seconds exchange_limit{5};
constexpr std::size_t longest_line = 8192;

tcp::endpoint endpoint_of(const std::string& where) {
  const auto colon = where.rfind(':');
  const auto host = colon == std::string::npos ? std::string{"127.0.0.1"}
                                               : where.substr(0, colon);
  const auto number = std::string_view{where}.substr(
    colon == std::string::npos ? 0 : colon + 1);
  std::uint16_t port = 0;
  const auto [end, failed]
    = std::from_chars(number.data(), number.data() + number.size(), port);
  boost::system::error_code wrong;
  const auto address = asio::ip::make_address(
    host.size() > 2 && host.front() == '[' && host.back() == ']'
      ? host.substr(1, host.size() - 2)
      : host,
    wrong);
  if (failed != std::errc{} || end != number.data() + number.size() || wrong)
    throw refusal(fmt::format(
      "{} is no place to listen at: give PORT, or ADDRESS:PORT.", where));
  return {address, port};
}

std::string answer(std::string_view status, std::string_view type,
                   const std::string& body) {
  return fmt::format("HTTP/1.1 {}\r\nContent-Type: {}\r\n"
                     "Content-Length: {}\r\nConnection: close\r\n\r\n{}",
                     status, type, body.size(), body);
}

/// Reads the head of a request up to its empty line; its first line, or
/// nothing.
std::string first_line_of(std::istream& from) {
  std::string first;
  std::string line;
  for (int lines = 0; lines < 100; ++lines) {
    line.clear();
    char each = 0;
    while (from.get(each) && each != '\n' && line.size() < longest_line)
      line += each;
    if (!from || line.size() >= longest_line)
      return {};
    if (!line.empty() && line.back() == '\r')
      line.pop_back();
    if (lines == 0)
      first = line;
    if (line.empty())
      return first;
  }
  return {};
}

void answer_one(tcp::iostream& stream,
                const std::function<std::string()>& text) {
  stream.expires_after(exchange_limit);
  const auto request = first_line_of(stream);
  if (request.empty())
    return;
  if (!request.starts_with("GET "))
    stream << answer("405 Method Not Allowed", "text/plain", "GET only\n");
  else if (!request.starts_with("GET /metrics ")
           && !request.starts_with("GET /metrics?"))
    stream << answer("404 Not Found", "text/plain", "look at /metrics\n");
  else
    stream << answer("200 OK", "text/plain; version=0.0.4; charset=utf-8",
                     text());
  stream << std::flush;
}

} // namespace

void serve_metrics(const std::string& where,
                   const std::function<std::string()>& text) {
  asio::io_context context{1};
  const auto endpoint = endpoint_of(where);
  tcp::acceptor acceptor{context};
  boost::system::error_code failed;
  acceptor.open(endpoint.protocol(), failed);
  if (!failed)
    acceptor.set_option(tcp::acceptor::reuse_address{true}, failed);
  if (!failed)
    acceptor.bind(endpoint, failed);
  if (!failed)
    acceptor.listen(asio::socket_base::max_listen_connections, failed);
  if (failed)
    throw refusal(
      fmt::format("it cannot listen at {}: {}.", where, failed.message()));
  const auto at = acceptor.local_endpoint();
  std::cout << fmt::format("listening at http://{}{}{}:{}/metrics\n",
                           at.address().is_v6() ? "[" : "",
                           at.address().to_string(),
                           at.address().is_v6() ? "]" : "", at.port())
            << std::flush;
  for (;;) {
    tcp::iostream stream;
    acceptor.accept(stream.socket(), failed);
    if (failed)
      continue;
    try {
      answer_one(stream, text);
    } catch (const std::exception& failure) {
      std::cerr << "troupe: " << failure.what() << '\n';
    }
  }
}

} // namespace troupe::command
