// SPDX-License-Identifier: BSL-1.0
#include <framework/codec/samples.hpp>

#include <caf/binary_deserializer.hpp>
#include <caf/binary_serializer.hpp>
#include <caf/byte_buffer.hpp>
#include <caf/deep_to_string.hpp>

#include <doctest/doctest.h>

namespace {

/// CAF 0.18 wants an execution unit first, 1.x does not.
template <class Coder, class Bytes>
auto make(Bytes& bytes) {
  if constexpr (std::is_constructible_v<Coder, Bytes&>)
    return Coder{bytes};
  else
    return Coder{nullptr, bytes};
}

template <class T>
T through_caf(T value) {
  caf::byte_buffer bytes;
  auto sink = make<caf::binary_serializer>(bytes);
  REQUIRE(sink.apply(value));
  T copy;
  auto source = make<caf::binary_deserializer>(bytes);
  REQUIRE(source.apply(copy));
  return copy;
}

} // namespace

TEST_CASE("one inspect function serves CAF and Troupe") {
  const samples::account original{"me", 100, {{1, 2}, {3, 4}}};
  CHECK(through_caf(original) == original);
  const auto message = troupe::codec::encode(original);
  CHECK(troupe::codec::decode<samples::account>(message.body()) == original);
  CHECK(caf::deep_to_string(original).find("account") == 0);
}
