// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <troupe/base/deadline.hpp>
#include <troupe/mailbox/message_queue.hpp>
#include <troupe/memory/reference.hpp>
#include <troupe/os/descriptor.hpp>

#include <cstdint>

namespace troupe::channel {

/// Something in shared memory that notifies processes which watch
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
  explicit watch(mailbox::message_queue& box);

  /// `object` must outlive this.
  explicit watch(watched_object& object);

  watch(watch&& other) noexcept;
  watch(const watch&) = delete;
  watch& operator=(const watch&) = delete;
  ~watch();

private:
  void enter();
  [[nodiscard]] const void* identity() const noexcept;

  mailbox::message_queue* box_ = nullptr;
  watched_object* object_ = nullptr;
};

/// A descriptor that is readable while a mailbox is: for `poll`, `epoll` and
/// the event loops made of them.
///
/// The first one of a process starts a thread that listens to the process's
/// wake word and sets the descriptors; so one that turns readable, or stops
/// being so, does it some microseconds late. Readable means: try.
class readiness {
public:
  /// `holder` keeps `box` alive. Throws `os_failure`.
  readiness(mailbox::message_queue& box, memory::reference holder);
  readiness(const readiness&) = delete;
  readiness& operator=(const readiness&) = delete;
  ~readiness();

  [[nodiscard]] int fd() const noexcept {
    return event_.get();
  }

private:
  friend class wake_listener;

  void update() noexcept;

  memory::reference holder_;
  mailbox::message_queue* box_;
  watch watch_;
  os::descriptor event_;
};

/// A descriptor that is readable when the process was notified since the
/// last `clear`: for a wait for mailboxes and descriptors at once.
class wake_event {
public:
  /// Throws `os_failure`.
  wake_event();
  wake_event(const wake_event&) = delete;
  wake_event& operator=(const wake_event&) = delete;
  ~wake_event();

  [[nodiscard]] int fd() const noexcept {
    return event_.get();
  }

  void clear() noexcept;

private:
  friend class wake_listener;

  os::descriptor event_;
};

} // namespace troupe::channel
