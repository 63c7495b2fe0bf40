// SPDX-License-Identifier: BSL-1.0
#include <troupe/network/address.hpp>

#include <troupe/base/error.hpp>

#include <charconv>
#include <utility>

namespace troupe::network {

address::address(std::uint16_t port) : address("127.0.0.1", port) {
}

address::address(std::string host, std::uint16_t port)
  : host_(std::move(host)), port_(port) {
  if (host_.empty() || host_.find('\0') != std::string::npos)
    throw invalid_argument("name an address", "the host is empty");
}

address address::parse(std::string_view text) {
  const auto refuse = [&](std::string_view reason) {
    return invalid_argument("read the address \"" + std::string{text} + '"',
                            reason, "write host:port, [::1]:port or port");
  };
  const auto colon = text.rfind(':');
  const auto digits = colon == std::string_view::npos ? text
                                                      : text.substr(colon + 1);
  std::uint16_t port = 0;
  const auto [end, failed]
    = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (failed != std::errc{} || end != digits.data() + digits.size())
    throw refuse("the port is no number below 65536");
  if (colon == std::string_view::npos)
    return address{port};
  auto host = text.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']'))
    host = host.substr(1, host.size() - 2);
  else if (host.find(':') != std::string_view::npos)
    throw refuse("a host with colons stands in brackets");
  if (host.empty())
    throw refuse("the host is missing");
  return address{std::string{host}, port};
}

std::string to_string(const address& where) {
  const auto port = ':' + std::to_string(where.port());
  return where.host().find(':') == std::string::npos
           ? where.host() + port
           : '[' + where.host() + ']' + port;
}

} // namespace troupe::network
