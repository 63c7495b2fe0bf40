// SPDX-License-Identifier: BSL-1.0
void work() {
  TROUPE_CRASH_POINT("part.work.half_done");
}
