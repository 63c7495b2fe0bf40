// SPDX-License-Identifier: BSL-1.0
// No program here: each test case forks the root of a run of its own.
#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>
