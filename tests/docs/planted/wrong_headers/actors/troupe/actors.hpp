#pragma once

#include <troupe/core.hpp>
