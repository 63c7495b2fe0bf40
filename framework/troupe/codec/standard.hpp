// SPDX-License-Identifier: BSL-1.0
#pragma once

// The types of the standard library that can be sent.

#include <troupe/codec/standard/adaptor.hpp>
#include <troupe/codec/standard/associative.hpp>
#include <troupe/codec/standard/bitset.hpp>
#include <troupe/codec/standard/calendar.hpp>
#include <troupe/codec/standard/choice.hpp>
#include <troupe/codec/standard/chrono.hpp>
#include <troupe/codec/standard/error_code.hpp>
#include <troupe/codec/standard/forward_list.hpp>
#include <troupe/codec/standard/path.hpp>
#include <troupe/codec/standard/product.hpp>
#include <troupe/codec/standard/sequence.hpp>
#include <troupe/codec/standard/valarray.hpp>
