#include <troupe/base/inside.hpp>
