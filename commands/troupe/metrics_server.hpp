// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <functional>
#include <string>

namespace troupe::command {

/// Answers Prometheus: each GET of /metrics with what `text` returns, over
/// plain HTTP. `where` is a port of 127.0.0.1, or ADDRESS:PORT; port 0 is any
/// free one. Says on standard output where it listens. Ends by a signal only.
/// Throws `refusal` where it cannot listen there.
[[noreturn]] void serve_metrics(const std::string& where,
                                const std::function<std::string()>& text);

} // namespace troupe::command
