// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/call/arguments.hpp>
#include <troupe/call/require_callable.hpp>
#include <troupe/call/signature.hpp>
#include <troupe/codec/codec.hpp>
#include <troupe/codec/narrowing.hpp>
#include <troupe/os/module.hpp>

#include <atomic>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

namespace troupe::calls {

/// A function that a process can be started with: it takes its arguments out
/// of a message and gives its result as one.
///
/// One exists for each function that the program names in a `start`; it enters
/// itself into a list during static initialisation, so that every process with
/// the same image knows it, and nothing else can be called from outside.
class entry {
public:
  /// Takes the arguments and answers with the result, if it has one that can
  /// be sent.
  using invoker = std::optional<codec::packet> (*)(arguments given);

  explicit entry(invoker invoke) noexcept;
  entry(const entry&) = delete;
  entry& operator=(const entry&) = delete;

  /// Where the code is, in words that every process of the run understands.
  /// Looked up once in a process, and not again in one that is forked off it.
  [[nodiscard]] const os::code_location& location() const {
    return where().location;
  }

  /// The file name of the library that holds the code; empty for the program.
  [[nodiscard]] const std::string& library() const {
    return where().library;
  }

  /// Runs the function. Throws what it throws, and `malformed_bytes`.
  [[nodiscard]] std::optional<codec::packet> run(arguments given) const {
    return invoke_(std::move(given));
  }

  /// Returns the entry at `location`, nullptr if this image has none there.
  [[nodiscard]] static const entry* find(os::code_location location);

  /// The same. Throws `unknown_function`, which says what this process lacks:
  /// the library, by its name, or the build of it that `location` is of.
  /// `attempted` is for its text; `library` is the name of the library if the
  /// caller knows it.
  [[nodiscard]] static const entry& require(os::code_location location,
                                            std::string_view attempted,
                                            std::string_view library = {});

  /// Looks all locations up, so that hosts forked later need not.
  static void locate_all();

private:
  struct place {
    os::code_location location;
    std::string library;
  };

  [[nodiscard]] const place& where() const {
    // acquire: pairs with the release in locate.
    const auto* known = place_.load(std::memory_order_acquire);
    return known != nullptr ? *known : locate();
  }

  [[nodiscard]] const place& locate() const;

  invoker invoke_;
  entry* next_;
  /// Never freed: as the entry itself, it lasts as long as the process.
  mutable std::atomic<const place*> place_{nullptr};
};

/// Runs `Callable` on decoded arguments and encodes what it returns; a result
/// that cannot be sent is dropped, `start` does not ask for it.
template <class Callable>
std::optional<codec::packet> invoke(arguments given) {
  using callable = typename Callable::signature;
  auto values = given.take<typename callable::parameters>();
  const auto run = [&]() -> decltype(auto) {
    return std::apply(
      [](auto&&... args) -> decltype(auto) {
        return Callable::call(std::forward<decltype(args)>(args)...);
      },
      std::move(values));
  };
  using result = std::decay_t<typename callable::result>;
  if constexpr (std::is_void_v<result>) {
    run();
    return std::nullopt;
  } else if constexpr (codec::sendable<result>) {
    return codec::encode(run());
  } else {
    static_cast<void>(run());
    return std::nullopt;
  }
}

/// The entry of `Callable`; naming it anywhere in the program registers it.
template <class Callable>
inline entry entry_of{&invoke<Callable>};

/// Encodes arguments as the parameter types of `Callable`. Throws
/// `invalid_argument` for a literal that the parameter cannot hold.
template <class Callable, class... Args>
codec::packet encode_arguments(Args&&... args) {
  require_startable<Callable, Args&&...>();
  using parameters = typename Callable::signature::parameters;
  if constexpr (startable<Callable, Args&&...>)
    return [&]<std::size_t... I>(std::index_sequence<I...>) {
      return codec::encode_all(
        static_cast<const std::tuple_element_t<I, parameters>&>(
          codec::argument_as<std::tuple_element_t<I, parameters>>(
            std::forward<Args>(args)))...);
    }(std::index_sequence_for<Args...>{});
  else
    return {};
}

} // namespace troupe::calls
