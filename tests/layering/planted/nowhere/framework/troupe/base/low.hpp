#pragma once
#include <troupe/base/lower.hpp>
