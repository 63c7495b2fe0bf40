#pragma once
#include <troupe/base/low.hpp>
