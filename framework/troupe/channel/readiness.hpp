// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/base/deadline.hpp>
#include <troupe/mailbox/letter_box.hpp>
#include <troupe/memory/reference.hpp>
#include <troupe/os/descriptor.hpp>

#include <cstdint>

namespace troupe::channel {

/// Something in shared memory that rings the bells of the processes which watch
/// it. `slot` is the row of one of them.
class watched_object {
public:
  virtual void add_watcher(std::uint32_t slot) noexcept = 0;
  virtual void remove_watcher(std::uint32_t slot) noexcept = 0;

  /// The same for all handles of one object.
  [[nodiscard]] virtual const void* identity() const noexcept = 0;

protected:
  ~watched_object() = default;
};

/// Keeps the calling process among the watchers of an object: once, however
/// many of its threads and descriptors are interested.
///
/// # What a crash leaves
/// An entry that whoever confirms the death strikes out.
class watch {
public:
  explicit watch(mailbox::letter_box& box);

  /// `object` must outlive this.
  explicit watch(watched_object& object);

  watch(watch&& other) noexcept;
  watch(const watch&) = delete;
  watch& operator=(const watch&) = delete;
  ~watch();

private:
  void enter();
  [[nodiscard]] const void* identity() const noexcept;

  mailbox::letter_box* box_ = nullptr;
  watched_object* object_ = nullptr;
};

/// A descriptor that is readable while a mailbox is: for `poll`, `epoll` and
/// the event loops made of them.
///
/// The first one of a process starts a thread that listens to the process's
/// bell and sets the descriptors; so one that turns readable, or stops being
/// so, does it some microseconds late. Readable means: try.
class readiness {
public:
  /// `holder` keeps `box` alive. Throws `os_failure`.
  readiness(mailbox::letter_box& box, memory::reference holder);
  readiness(const readiness&) = delete;
  readiness& operator=(const readiness&) = delete;
  ~readiness();

  [[nodiscard]] int fd() const noexcept {
    return event_.get();
  }

private:
  friend class bell_listener;

  void update() noexcept;

  memory::reference holder_;
  mailbox::letter_box* box_;
  watch watch_;
  os::descriptor event_;
};

/// A descriptor that is readable when the process's bell was rung since the
/// last `clear`: for a wait for mailboxes and descriptors at once.
class bell_event {
public:
  /// Throws `os_failure`.
  bell_event();
  bell_event(const bell_event&) = delete;
  bell_event& operator=(const bell_event&) = delete;
  ~bell_event();

  [[nodiscard]] int fd() const noexcept {
    return event_.get();
  }

  void clear() noexcept;

private:
  friend class bell_listener;

  os::descriptor event_;
};

} // namespace troupe::channel
