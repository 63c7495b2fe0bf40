// SPDX-License-Identifier: BSL-1.0
#pragma once

namespace troupe {

/// The calling thread's own `T`, made when first asked for. nullptr once the
/// thread's objects are gone: exit handlers run after those of their thread.
template <class T>
[[nodiscard]] T* object_of_this_thread() noexcept {
  thread_local constinit bool gone = false;
  struct keeper {
    T object;

    keeper() noexcept = default;
    keeper(const keeper&) = delete;
    keeper& operator=(const keeper&) = delete;
    ~keeper() {
      gone = true;
    }
  };
  if (gone)
    return nullptr;
  thread_local keeper mine;
  return &mine.object;
}

} // namespace troupe
