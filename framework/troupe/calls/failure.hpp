// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/base/errc.hpp>
#include <troupe/calls/exception_cause.hpp>

#include <exception>
#include <string>
#include <vector>

namespace troupe::calls {

/// What is told of the exception that ended a call elsewhere. It is a value
/// that can be sent: that is how a failure travels, whoever was called.
struct failure {
  /// Of an exception of Troupe's its code; of all others `remote_exception`.
  errc code = errc::remote_exception;
  /// The type of the exception as C++ spells it; empty where nobody told.
  std::string type = {};
  /// Its `what()`, or itself if it was a string or a number.
  std::string text = {};
  /// The exceptions inside of it, from the outer to the inner.
  std::vector<exception_cause> causes = {};

  /// Returns what is to be told of the exception that is being handled. Does
  /// not throw because of what that is.
  [[nodiscard]] static failure being_handled();

  /// The same of another exception. `thrown` is not null.
  [[nodiscard]] static failure of(const std::exception_ptr& thrown);

  /// "TEXT, caused by TYPE: TEXT"
  [[nodiscard]] std::string full_text() const {
    return text + text_of(causes);
  }

  /// "TYPE: TEXT, caused by TYPE: TEXT"; without a text the type alone.
  [[nodiscard]] std::string description() const {
    return text_of(type, text) + text_of(causes);
  }
};

} // namespace troupe::calls
