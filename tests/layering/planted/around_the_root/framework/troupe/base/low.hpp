#pragma once
#include "../os/high.hpp"
