#pragma once
#include <boost/interprocess/offset_ptr.hpp>
