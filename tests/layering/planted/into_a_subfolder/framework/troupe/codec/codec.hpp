#pragma once
#include <troupe/codec/standard/path.hpp>
