// SPDX-License-Identifier: BSL-1.0
#include <troupe/pool/job_condition.hpp>

#include <utility>

namespace troupe::pooling {

namespace {

class job_condition final : public wait_condition {
public:
  job_condition(std::shared_ptr<dispatcher> pool,
                std::shared_ptr<job> of) noexcept
    : pool_(std::move(pool)), of_(std::move(of)) {
  }

  [[nodiscard]] bool ready() override {
    try {
      return pool_->poll(*of_);
    } catch (const limit_reached&) {
      // No handle left for a large result: the use says so, see wait.
      return true;
    }
  }

  void watch() override {
    pool_->watch();
  }

  void unwatch() noexcept override {
    pool_->unwatch();
  }

  [[nodiscard]] deadline look_again() const override {
    return pool_->look_again();
  }

private:
  std::shared_ptr<dispatcher> pool_;
  std::shared_ptr<job> of_;
};

} // namespace

std::shared_ptr<wait_condition> when_done(std::shared_ptr<dispatcher> pool,
                                          std::shared_ptr<job> of) {
  return std::make_shared<job_condition>(std::move(pool), std::move(of));
}

} // namespace troupe::pooling
