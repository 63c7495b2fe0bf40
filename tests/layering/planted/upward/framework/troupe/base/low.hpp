#pragma once

#include <troupe/os/high.hpp>
