// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/os/module.hpp>

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>
#include <typeinfo>
#include <utility>
#include <vector>

namespace troupe::calls {

/// A function that this program names for calls from elsewhere. It enters
/// itself into the registry during static initialisation, so that every process
/// with the same image knows it, and nothing else can be called from outside.
///
/// There are two keys. The *place* is where the code is: the same in all
/// processes of a run, whose images are the same, and no text. The *name*, in
/// the language's binary interface, tells types and overloads apart, and is the
/// same in every program that names the function, whichever compiler made it.
/// What only processes of the run call has no name, and is found by its place;
/// what has a name is found by that.
///
/// Each is of a kind, which is the type of its code: what is looked for as one
/// kind is never found as another.
class entry {
public:
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

  /// The name, as the compiler has it; nullptr for one that has none.
  [[nodiscard]] const char* mangled_name() const noexcept {
    return name_;
  }

  /// What people call it, as the program writes it; empty if it is not known.
  [[nodiscard]] std::string shown_name() const;

  /// The hash of the name, which is what travels; 0 for one that has none.
  [[nodiscard]] std::uint64_t id() const noexcept {
    return id_;
  }

  /// A library that has some.
  struct library_build {
    std::string name;
    /// As in `os::code_location`: it is of this name and build.
    std::uint64_t module = 0;

    friend bool operator==(const library_build&, const library_build&)
      = default;
  };

  /// Returns the libraries that the calling process has loaded and that have
  /// entered something, by name. The program itself is none.
  [[nodiscard]] static std::vector<library_build> libraries();

  /// Looks up all places by which something is found, so that hosts forked
  /// later need not.
  static void locate_all();

protected:
  using any_code = void (*)();

  /// `shown` is the name of the function's type, as `codec::type_name` writes
  /// it.
  entry(const std::type_info& kind, any_code code, const char* name = nullptr,
        std::string_view shown = {}) noexcept;
  ~entry() = default;

  /// Returns the one at `location`. Throws `unknown_function`, which says what
  /// this process lacks: the library, by its name, or the build of it that
  /// `location` is of. `attempted` is for its text; `library` is the name of
  /// the library if the caller knows it.
  [[nodiscard]] static const entry&
  at(const std::type_info& kind, os::code_location location,
     std::string_view attempted, std::string_view library);

  /// What there is of a name.
  struct found_by_name {
    /// nullptr if there is none, or several.
    const entry* only = nullptr;
    bool several = false;
  };

  /// Looks for that name. May not be called before `main`.
  [[nodiscard]] static found_by_name named(const std::type_info& kind,
                                           std::uint64_t id);

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

  const std::type_info* kind_;
  any_code code_;
  const char* name_;
  std::string_view shown_;
  std::uint64_t id_;
  entry* next_ = nullptr;
  /// Never freed: as the entry itself, it lasts as long as the process.
  // Set once with acq_rel in `locate`; acquire in `where`.
  mutable std::atomic<const place*> place_{nullptr};
};

/// An entry whose code is a `Code`, a type of functions. A layer that has
/// functions called elsewhere has such a type, and a template of code that
/// takes the arguments of a function, runs it and brings its result back.
template <class Code>
class entry_of_kind : public entry {
public:
  explicit entry_of_kind(Code* code, const char* name = nullptr,
                         std::string_view shown = {}) noexcept
    : entry(typeid(Code), reinterpret_cast<any_code>(code), name, shown),
      code_(code) {
  }

  /// Runs the code.
  template <class... Args>
  decltype(auto) operator()(Args&&... args) const {
    return code_(std::forward<Args>(args)...);
  }

  /// Returns the one at `location`. Throws `unknown_function`: see above.
  [[nodiscard]] static const entry_of_kind& at(os::code_location location,
                                               std::string_view attempted,
                                               std::string_view library = {}) {
    return static_cast<const entry_of_kind&>(
      entry::at(typeid(Code), location, attempted, library));
  }

private:
  Code* code_;
};

} // namespace troupe::calls
