// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/transport/bundle.hpp>
#include <troupe/transport/caf_error.hpp>

#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

namespace troupe::transport {

/// A request that was sent, and is answered with a `Message` whose `result` is
/// a bundle: `then`, `await` and, for a blocking actor such as a
/// `caf::scoped_actor`, `receive` take what is to be done with the value in it,
/// an `R`. One that cannot be read is an error like others.
template <class R, class Message, class Handle>
class bundle_response {
public:
  explicit bundle_response(Handle handle) : handle_(std::move(handle)) {
  }

  template <class OnResult, class OnError>
  void then(OnResult on_result, OnError on_error) && {
    auto failed = std::make_shared<OnError>(std::move(on_error));
    std::move(handle_).then(reading(std::move(on_result), failed),
                            telling(failed));
  }

  /// An error ends the actor, as CAF has it.
  template <class OnResult>
  void then(OnResult on_result) && {
    std::move(handle_).then(
      [on_result = std::move(on_result)](const Message& from) mutable {
        if constexpr (std::is_void_v<R>)
          on_result();
        else
          on_result(from.result.template get<R>());
      });
  }

  template <class OnResult, class OnError>
  void await(OnResult on_result, OnError on_error) && {
    auto failed = std::make_shared<OnError>(std::move(on_error));
    std::move(handle_).await(reading(std::move(on_result), failed),
                             telling(failed));
  }

  /// @blocks until the answer is there, or the request's timeout has passed
  template <class OnResult, class OnError>
  void receive(OnResult on_result, OnError on_error) && {
    auto failed = std::make_shared<OnError>(std::move(on_error));
    std::move(handle_).receive(reading(std::move(on_result), failed),
                               telling(failed));
  }

private:
  template <class OnResult, class OnError>
  static auto
  reading(OnResult on_result, const std::shared_ptr<OnError>& failed) {
    return
      [on_result = std::move(on_result), failed](const Message& from) mutable {
        if constexpr (std::is_void_v<R>) {
          on_result();
        } else {
          std::optional<R> value;
          try {
            value.emplace(from.result.template get<R>());
          } catch (const error& failure) {
            return (*failed)(to_caf(failure));
          }
          on_result(std::move(*value));
        }
      };
  }

  template <class OnError>
  static auto telling(const std::shared_ptr<OnError>& failed) {
    return [failed](const caf::error& why) { (*failed)(why); };
  }

  Handle handle_;
};

} // namespace troupe::transport
