// SPDX-License-Identifier: BSL-1.0
#pragma once

// Where programs have always included it from.
#include <troupe/supervision/restart_report.hpp>
