#pragma once

#include <troupe/base/inside.hpp>
#include <troupe/base/nowhere.hpp>
#include <troupe/version.hpp>
