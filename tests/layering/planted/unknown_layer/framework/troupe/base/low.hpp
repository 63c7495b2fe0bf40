#pragma once
#include <troupe/helpers/all.hpp>
