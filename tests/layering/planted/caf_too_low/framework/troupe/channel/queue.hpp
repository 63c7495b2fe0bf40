#pragma once
#include <caf/actor.hpp>
