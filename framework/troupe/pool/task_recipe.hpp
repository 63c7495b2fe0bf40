// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/calls/arguments.hpp>
#include <troupe/calls/entry.hpp>
#include <troupe/codec/codec.hpp>
#include <troupe/codec/type_name.hpp>
#include <troupe/pool/task_message.hpp>

#include <algorithm>
#include <cstring>
#include <exception>
#include <functional>
#include <memory>
#include <tuple>
#include <type_traits>
#include <typeinfo>
#include <utility>
#include <vector>

namespace troupe::pooling {

/// What the worker's loop gives to the tasks of a chunk.
class task_sink {
public:
  /// Task `index` begins.
  virtual void begin(std::uint32_t index) = 0;

  /// The exception that is being handled ended task `index`.
  virtual void fail(std::uint32_t index) = 0;

  /// Whether what is finished should be reported now, after task `index`.
  [[nodiscard]] virtual bool due(std::uint32_t index) = 0;

  /// Begins the report of the tasks up to and without `last`: head and
  /// failures. The values are to follow.
  [[nodiscard]] virtual codec::packet report(std::uint32_t last) = 0;

  virtual void send(codec::packet& report) = 0;

protected:
  ~task_sink() = default;
};

/// The tasks of a chunk with their arguments, decoded, in the worker.
class ready_chunk {
public:
  ready_chunk() = default;
  ready_chunk(const ready_chunk&) = delete;
  ready_chunk& operator=(const ready_chunk&) = delete;
  virtual ~ready_chunk() = default;
  virtual void run(std::uint32_t first, std::uint32_t last, task_sink& to) = 0;
};

/// A function as a pool's task: takes the arguments of a chunk out of a
/// message, a `std::uint32_t` count before them. Throws `malformed_bytes`, and
/// what a `load` throws.
using task_function
  = calls::entry_of_kind<std::unique_ptr<ready_chunk>(codec::decoder&)>;

/// The parameters of a function, as one value; alone if there is only one.
template <class Callable>
using parameters_of = typename Callable::signature::parameters;

template <class Callable>
using result_of = std::decay_t<typename Callable::signature::result>;

/// Whether the arguments of many tasks are one array of plain bytes.
template <class Tuple>
inline constexpr bool flat_alone = false;
template <class T>
inline constexpr bool flat_alone<std::tuple<T>>
  = codec::flat<T> && std::is_trivially_default_constructible_v<T>;

template <class Callable>
class typed_chunk final : public ready_chunk {
public:
  using arguments = parameters_of<Callable>;
  using result = result_of<Callable>;

  typed_chunk(codec::decoder& from, std::uint32_t tasks) {
    if constexpr (flat_alone<arguments>) {
      using alone = std::tuple_element_t<0, arguments>;
      if (tasks > from.left() / sizeof(alone))
        from.refuse("the arguments of a chunk", "there are too few");
      bytes_.resize(tasks);
      if (tasks != 0)
        std::memcpy(static_cast<void*>(bytes_.data()),
                    from.take(tasks * sizeof(alone), "arguments"),
                    tasks * sizeof(alone));
    } else {
      for (std::uint32_t i = 0; i < tasks; ++i)
        items_.push_back(from.load<arguments>());
    }
  }

  void run(std::uint32_t first, std::uint32_t last, task_sink& to) override {
    const auto size = flat_alone<arguments> ? bytes_.size() : items_.size();
    last = std::min(last, static_cast<std::uint32_t>(size));
    for (auto index = first; index < last; ++index) {
      to.begin(index);
      try {
        run_one(index);
      } catch (...) {
        to.fail(index);
      }
      if (index + 1 == last || to.due(index))
        flush(index + 1, to);
    }
  }

private:
  using flat_element = typename decltype([] {
    if constexpr (flat_alone<arguments>)
      return std::type_identity<std::tuple_element_t<0, arguments>>{};
    else
      return std::type_identity<char>{};
  }())::type;

  void run_one(std::uint32_t index) {
    if constexpr (flat_alone<arguments>) {
      // The result may refer to it, as that of `const T& f(const T&)` does.
      flat_element alone = bytes_[index];
      keep_result_of([&alone]() -> decltype(auto) {
        return Callable::call(std::move(alone));
      });
    } else {
      keep_result_of([this, index]() -> decltype(auto) {
        return calls::run<Callable>(std::move(items_[index]));
      });
    }
  }

  template <class Call>
  void keep_result_of(Call call) {
    if constexpr (std::is_void_v<result>)
      call();
    else
      values_.push_back(call());
  }

  void flush(std::uint32_t last, task_sink& to) {
    auto report = to.report(last);
    if constexpr (!std::is_void_v<result>) {
      codec::encoder into{report, codec::lends::yes};
      if constexpr (codec::flat<result> && !std::is_same_v<result, bool>) {
        into.write_part(values_.data(), values_.size() * sizeof(result));
      } else {
        for (const auto& each : values_)
          into.save<result>(each);
      }
    }
    to.send(report);
    values_.clear();
  }

  using stored = std::conditional_t<std::is_void_v<result>, char, result>;

  std::vector<flat_element> bytes_;
  std::vector<arguments> items_;
  std::vector<stored> values_;
};

template <class Callable>
std::unique_ptr<ready_chunk> decode_chunk(codec::decoder& from) {
  const auto tasks = from.load<std::uint32_t>();
  auto decoded = std::make_unique<typed_chunk<Callable>>(from, tasks);
  from.finish();
  return decoded;
}

/// The entry of `Callable` as a task; naming it anywhere in the program
/// registers it.
template <class Callable>
inline task_function task_entry{&decode_chunk<Callable>, nullptr,
                                codec::type_name<Callable>()};

/// What an initialiser returned; the worker keeps it.
struct worker_state_cell {
  std::shared_ptr<void> value;
  const std::type_info* type = nullptr;
};

/// Of the calling worker.
[[nodiscard]] worker_state_cell& state_of_this_worker() noexcept;

/// The call of an initialiser, its arguments decoded.
using ready_initializer = std::function<worker_state_cell()>;

using initializer_function
  = calls::entry_of_kind<ready_initializer(calls::arguments)>;

template <class Callable>
ready_initializer decode_initializer(calls::arguments given) {
  using signature = typename Callable::signature;
  return [values = std::make_shared<typename signature::parameters>(
            given.take<signature>())]() -> worker_state_cell {
    using state = result_of<Callable>;
    if constexpr (std::is_void_v<state>) {
      calls::run<Callable>(std::move(*values));
      return {};
    } else {
      return {std::make_shared<state>(calls::run<Callable>(std::move(*values))),
              &typeid(state)};
    }
  };
}

template <class Callable>
inline initializer_function initializer_entry{&decode_initializer<Callable>};

/// A finaliser has no arguments.
using finalizer_function = calls::entry_of_kind<void()>;

template <class Callable>
void finalize_worker() {
  Callable::call();
}

template <class Callable>
inline finalizer_function finalizer_entry{&finalize_worker<Callable>};

} // namespace troupe::pooling
