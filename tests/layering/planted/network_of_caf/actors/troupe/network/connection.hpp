#pragma once
#include <caf/io/middleman.hpp>
