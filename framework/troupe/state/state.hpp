// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/base/error.hpp>
#include <troupe/base/stored.hpp>
#include <troupe/process/process.hpp>
#include <troupe/state/invoke.hpp>
#include <troupe/state/itself.hpp>
#include <troupe/state/proxy.hpp>
#include <troupe/state/table.hpp>

#include <concepts>
#include <cstdint>
#include <exception>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>

namespace troupe {

namespace held {

/// A proxy with the habits of its object: `held::list<T>` and the like.
template <class T>
concept proxy_type = requires { typename T::object_type; }
                     && std::derived_from<T, proxy<typename T::object_type>>;

/// What `make<T>` makes, and what it returns.
template <class T>
struct made {
  using object = T;
  using handle = proxy<T>;
};
template <proxy_type T>
struct made<T> {
  using object = typename T::object_type;
  using handle = T;
};

/// What a held `T` is initialised with as a copy: itself, or its one member.
template <class T>
struct content_of {
  using type = T;
};

/// Makes a `T` from these, in the state's process.
template <class T, class... Ps>
struct maker {
  using signature
    = calls::signature_of<proxy<T>, itself&, const call_context&, Ps...>;

  static proxy<T> call(itself&, const call_context& by, Ps... args) {
    return proxy<T>{by.objects.hold(
      std::make_unique<object_of<T>>(std::in_place, std::move(args)...))};
  }
};

/// A number as it was given; all else as it arrives.
template <class Arg>
using argument_of
  = std::conditional_t<std::is_arithmetic_v<std::remove_cvref_t<Arg>>, Arg,
                       stored<Arg>>;

/// Whether a `T` can be made from arguments of these types.
template <class T, class... Args>
inline constexpr bool makeable
  = std::is_constructible_v<T, stored<Args>...>
    || requires { T{std::declval<stored<Args>>()...}; };

/// Whether a container assigns to what it holds only where that is possible.
template <class T>
inline constexpr bool can_hold_elements = [] {
  if constexpr (requires { typename T::mapped_type; })
    return std::is_move_assignable_v<typename T::mapped_type>;
  else if constexpr (requires { typename T::value_type; })
    return std::is_move_assignable_v<typename T::value_type>;
  else
    return true;
}();

/// What has a `T` made from arguments of these types.
template <class T, class... Args>
struct making {
  using object = typename made<T>::object;
  using recipe = maker<object, stored<Args>...>;
  static constexpr bool sendable = (codec::sendable<stored<Args>> && ...);
  static constexpr bool holds = !proxy_type<T> || can_hold_elements<object>;
  static constexpr bool possible = [] {
    if constexpr (sendable && holds)
      return makeable<object, Args...>;
    else
      return false;
  }();

  /// Ends the compilation with one line if it is not possible.
  static void require() {
    if constexpr (!sendable)
      codec::require_sendable<std::tuple<stored<Args>...>>();
    else if constexpr (!holds)
      static_assert(holds, "troupe: a container that a state holds assigns to "
                           "its elements: they must not have constant members");
    else if constexpr (!possible)
      static_assert(possible, "troupe: the object cannot be constructed from "
                              "these arguments");
    else
      static_assert(
        codec::construction_does_not_narrow<object, argument_of<Args>...>,
        "troupe: an argument would narrow: its type has values that the "
        "constructor's parameter cannot hold; convert it where that is meant, "
        "with static_cast");
  }
};

/// A function that is run for itself, and not on an object.
template <class Callable>
struct freely {
  using signature = calls::with_first<itself&, typename Callable::signature>;

  template <class... Args>
  static decltype(auto) call(itself&, Args&&... args) {
    return Callable::call(std::forward<Args>(args)...);
  }
};

template <auto F>
using free_function = freely<calls::named<F>>;
template <calls::captureless_lambda F>
using free_lambda = freely<calls::lambda<F>>;

} // namespace held

/// A process that holds objects for others, which use them through proxies:
/// Python's `Manager`.
///
///     troupe::state state;
///     auto records = state.make<held::list<record>>();
///     auto savings = state.make<account>("Sam", 100);
///
/// A handle: copies of it, in whatever process, mean the same state. Its
/// process is started with the first one, and ends, destroying what it holds,
/// when the last handle and the last proxy in the run are gone, or with the
/// run. One that was moved from may be assigned to and destroyed; all else
/// throws `invalid_state`.
///
/// # Order
/// The calls of one thread are executed in their order, one at a time for all
/// clients together. A call that waits is put aside and holds up nobody. A
/// function that a state executes may call other states; where these would come
/// to wait for each other in a cycle, the call that closes it throws
/// `would_deadlock`.
///
/// # What a crash leaves
/// A client that is killed leaves the objects whole: a call that it had sent is
/// executed, or not, as a whole. What only it had a proxy of ends; locks that
/// it held there are freed. If the state's process is killed, its objects are
/// lost, and every call throws `peer_died` at once.
class state {
public:
  /// Starts the process. Throws what `troupe::start` throws, `limit_reached`,
  /// `process_died`.
  /// @blocks on the new process, some milliseconds
  explicit state(const std::string& name = "state");

  /// A state that is reached by `via`, and in this run kept by `cell`. For
  /// layers above.
  explicit state(std::shared_ptr<held::caller> via, memory::reference cell = {})
    : target_(std::make_shared<root_target>(std::move(via), std::move(cell))) {
  }

  /// The state whose function calls this. Throws `invalid_state` elsewhere.
  [[nodiscard]] static state here() {
    return state{held::table::here().inside()};
  }

  /// Makes a `T` there from these arguments, which travel as copies, and
  /// returns a proxy of it: for `held::list` and the like that itself, for any
  /// other class a `proxy<T>`. Throws what the constructor throws, as a call.
  /// @blocks on the state
  template <class T, class... Args>
  typename held::made<T>::handle make(Args&&... args) const {
    using handle = typename held::made<T>::handle;
    using content =
      typename held::content_of<typename held::made<T>::object>::type;
    using making = held::making<T, Args...>;
    making::require();
    if constexpr (!making::possible) {
      std::terminate();
    } else if constexpr (std::is_arithmetic_v<content> && sizeof...(Args) == 1
                         && (!std::is_same_v<std::remove_cvref_t<Args>, content>
                             && ...)) {
      return make<T>(codec::argument_as<content>(std::forward<Args>(args))...);
    } else {
      if constexpr (requires { handle::offer(); })
        handle::offer();
      return handle{held::invoke<held::itself, typename making::recipe>(
        *target(), stored<Args>(std::forward<Args>(args))...)};
    }
  }

  /// The same from a list in braces:
  /// `make<held::list<int>>({1, 2, 3})`.
  template <held::proxy_type T>
    requires codec::sendable<typename T::object_type>
  T make(std::initializer_list<typename T::value_type> initial) const {
    return make<T>(typename T::object_type(initial));
  }

  /// Runs `F(args...)` in the state's process and returns its result. There
  /// `state::here()` is this state.
  /// @blocks on the state
  template <auto F, class... Args>
  auto run(Args&&... args) const {
    return held::invoke<held::itself, held::free_function<F>>(
      *target(), std::forward<Args>(args)...);
  }

  /// The same with a lambda without captures.
  template <calls::captureless_lambda F, class... Args>
  auto run(F, Args&&... args) const {
    return held::invoke<held::itself, held::free_lambda<F>>(
      *target(), std::forward<Args>(args)...);
  }

  /// What cannot be run there, and a compile error that says why.
  template <calls::not_nameable F, class... Args>
  calls::refused run(F&&, Args&&...) const {
    calls::refuse<std::remove_cvref_t<F>>();
    return {};
  }

  /// Keeps an object of this state under a name, for whoever has a handle of
  /// the state; it lives at least as long as it is named.
  template <class T>
  void bind(const std::string& name, const proxy<T>& object) const {
    held::invoke<held::itself, calls::named<&held::itself::bind>>(
      *target(), name, held::untyped{object.target()});
  }

  /// Returns the object of that name. Throws `unknown_name` if there is none,
  /// `invalid_argument` if it is of another type.
  template <class T>
  [[nodiscard]] typename held::made<T>::handle
  find(const std::string& name) const {
    using object = typename held::made<T>::object;
    const auto found
      = held::invoke<held::itself, calls::named<&held::itself::find>>(
        *target(), name, held::type_hash<object>());
    return typename held::made<T>::handle{proxy<object>{found.object()}};
  }

  /// Takes a name away. Returns false if nothing had it.
  bool unbind(const std::string& name) const {
    return held::invoke<held::itself, calls::named<&held::itself::unbind>>(
      *target(), name);
  }

  /// How many objects it holds.
  [[nodiscard]] std::uint64_t size() const {
    return held::invoke<held::itself, calls::named<&held::itself::size>>(
      *target());
  }

  /// Names operations on a `T` that clients in other programs may call, in the
  /// program whose state holds it. What a program calls itself, it names so.
  template <class T, auto... F>
  static void offer() {
    static_cast<void>((0 + ... + held::operation_of<T, calls::named<F>>.id()));
  }

  /// The process that holds the objects. Throws `invalid_state` for a state of
  /// another program.
  [[nodiscard]] process_view process() const;

  /// Ends the process, whoever else has handles: what it held is lost. Does
  /// nothing if it is gone.
  /// @blocks on its end
  void end() const;

  /// How its objects are reached. For layers above.
  [[nodiscard]] const std::shared_ptr<held::caller>& via() const {
    return target()->via();
  }

  void save(codec::encoder& to) const;
  [[nodiscard]] static state load(codec::decoder& from);

  friend bool operator==(const state& a, const state& b) noexcept {
    return a.target_ && b.target_ && a.target_->via() == b.target_->via();
  }

private:
  class root_target final : public held::target {
  public:
    root_target(std::shared_ptr<held::caller> via, memory::reference cell)
      : target(held::the_state, std::move(via)), cell_(std::move(cell)) {
    }
    void save_as_handle(codec::encoder& to) const override;

  private:
    memory::reference cell_;
  };

  [[nodiscard]] const std::shared_ptr<root_target>& target() const {
    if (!target_)
      throw invalid_state("use a state", "it was moved from",
                          "copy a state that is needed afterwards");
    return target_;
  }

  std::shared_ptr<root_target> target_;
};

} // namespace troupe
