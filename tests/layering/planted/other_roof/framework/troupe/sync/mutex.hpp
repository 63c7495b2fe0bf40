#pragma once
#include <troupe/sync/mutex_actor.hpp>
