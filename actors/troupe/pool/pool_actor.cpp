// SPDX-License-Identifier: BSL-1.0
#include <troupe/pool/pool_actor.hpp>

#include <troupe/calls/failure.hpp>
#include <troupe/runtime/actor_system.hpp>
#include <troupe/runtime/service_actor.hpp>
#include <troupe/transport/caf_error.hpp>
#include <troupe/transport/caf_version.hpp>

#include <caf/actor_cast.hpp>
#include <caf/send.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <caf/typed_response_promise.hpp>

#include <exception>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <utility>

namespace troupe {

namespace {

using pooling::answer;
using pooling::dispatcher;
using pooling::task;

/// One task whose result stays encoded.
class encoded_job final : public pooling::job {
public:
  void accept(std::size_t& next, std::size_t last,
              const std::map<std::size_t, std::exception_ptr>& failed,
              codec::decoder& from) override {
    if (failed.empty()) {
      const auto size = from.left();
      const bytes_view bytes{from.take(size, "a result"), size};
      result_ = bundle{bytes, from.handles_left()};
    }
    next = last;
  }

  [[nodiscard]] bundle take() {
    return std::move(result_);
  }

private:
  bundle result_;
};

caf::error error_from(const std::exception_ptr& why) {
  const auto failed = calls::failure::of(why);
  return transport::make_error(failed.code, failed.full_text());
}

using pool_service = runtime::service<pool_actor::pointer>;

/// The tasks that are not yet answered; used by the actor alone.
class desk {
public:
  explicit desk(const std::shared_ptr<dispatcher>& pool)
    : pool_(pool), size_(pool->size()) {
  }

  [[nodiscard]] std::uint32_t size() const noexcept {
    return size_;
  }

  caf::result<answer> run(pool_service self, const task& what) {
    const auto pool = pool_.lock();
    if (!pool)
      return transport::make_error(errc::closed, "the pool is gone");
    const pooling::task_function* function = nullptr;
    try {
      function = &pooling::task_function::at({what.module, what.offset},
                                             "run a task of a pool");
    } catch (const error& failure) {
      return transport::to_caf(failure);
    }
    codec::packet message;
    dispatcher::begin_message(message, 1);
    const auto arguments = what.arguments.bytes();
    codec::encoder{message}.write(arguments.data(), arguments.size());
    message.carry(what.arguments.objects());
    auto made = std::make_shared<encoded_job>();
    const auto number = ++last_;
    // Not the actor itself: a callback that is never called would keep it.
    made->on_done.emplace_back(
      [to = caf::actor_cast<caf::actor_addr>(self), number] {
        if (auto actor = caf::actor_cast<pool_actor>(to))
          transport::version::send_anonymously(actor, task_done_atom_v, number);
      });
    try {
      pool->submit(made, *function, std::move(message), 1);
      pool->complete(made);
      pool->keep_a_leader();
    } catch (const error& failure) {
      return transport::to_caf(failure);
    }
    auto promise = self->make_response_promise<answer>();
    open_.emplace(number, waiting{std::move(made), promise});
    return promise;
  }

  void finish(std::uint64_t number) {
    auto node = open_.extract(number);
    if (node.empty())
      return;
    auto& [of, promise] = node.mapped();
    // Anybody may send the number; the pool's own message comes when it is
    // true.
    if (const auto pool = pool_.lock()) {
      const std::unique_lock guard{pool->mutex()};
      if (!of->is_done()) {
        open_.insert(std::move(node));
        return;
      }
    }
    if (const auto failure = of->first_failure())
      promise.deliver(error_from(failure));
    else
      promise.deliver(answer{of->take()});
  }

private:
  struct waiting {
    std::shared_ptr<encoded_job> of;
    caf::typed_response_promise<answer> promise;
  };

  /// Weak: the pool's end ends the actor, and not the other way round.
  std::weak_ptr<dispatcher> pool_;
  std::uint32_t size_;
  std::uint64_t last_ = 0;
  std::unordered_map<std::uint64_t, waiting> open_;
};

pool_actor::behavior_type serve_tasks(pool_service self,
                                      const std::shared_ptr<desk>& tasks) {
  return {
    [self, tasks](const task& what) { return tasks->run(self, what); },
    [tasks](size_atom) -> caf::result<std::uint32_t> { return tasks->size(); },
    [tasks](task_done_atom, std::uint64_t number) -> caf::result<void> {
      tasks->finish(number);
      return caf::unit;
    },
  };
}

/// The actors of this process's pools.
class actors {
public:
  [[nodiscard]] pool_actor find_or_make(const std::shared_ptr<dispatcher>& of) {
    std::unique_lock guard{mutex_};
    if (const auto found = all_.find(of.get()); found != all_.end())
      return found->second;
    auto made = actor_system().spawn(serve_tasks, std::make_shared<desk>(of));
    of->at_end([this, key = of.get(), made] {
      forget(key, made->id());
      runtime::let_end(made->id());
      caf::anon_send_exit(made, caf::exit_reason::user_shutdown);
    });
    all_.emplace(of.get(), made);
    guard.unlock();
    // However it ends, the next to ask makes another one.
    made->attach_functor(
      [this, key = of.get(), id = made->id()] { forget(key, id); });
    return made;
  }

private:
  void forget(const dispatcher* key, caf::actor_id which) {
    const std::scoped_lock guard{mutex_};
    const auto found = all_.find(key);
    if (found != all_.end() && found->second->id() == which)
      all_.erase(found);
  }

  std::mutex mutex_;
  std::unordered_map<const dispatcher*, pool_actor> all_;
};

actors& all_actors() {
  // Pools may end after static objects.
  static auto& only = *new actors;
  return only;
}

} // namespace

pool_actor actor_of(const pool& of) {
  return all_actors().find_or_make(of.core());
}

} // namespace troupe
