// SPDX-License-Identifier: BSL-1.0
#pragma once

// The one file that knows in what CAF 0.18.7 and CAF 1.x differ. Only
// CAF_MAJOR_VERSION is tested: 1.1.0 installs a CAF_VERSION that is wrong.

#include <caf/config.hpp>

#include <caf/actor_cast.hpp>
#include <caf/actor_proxy.hpp>
#include <caf/actor_registry.hpp>
#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/deserializer.hpp>
#include <caf/detail/message_data.hpp>
#include <caf/detail/meta_object.hpp>
#include <caf/detail/sync_request_bouncer.hpp>
#include <caf/detail/type_id_list_builder.hpp>
#include <caf/init_global_meta_objects.hpp>
#include <caf/logger.hpp>
#include <caf/mailbox_element.hpp>
#include <caf/make_actor.hpp>
#include <caf/proxy_registry.hpp>
#include <caf/resumable.hpp>
#include <caf/scheduled_actor.hpp>
#include <caf/serializer.hpp>
#include <caf/thread_hook.hpp>

#if CAF_MAJOR_VERSION >= 1
#  include <caf/actor_system_module.hpp>
#  include <caf/anon_mail.hpp>
#  include <caf/detail/actor_system_access.hpp>
#  include <caf/event_based_mail.hpp> // which CAF's broker uses unnamed
#  include <caf/scheduler.hpp>
#  include <caf/thread_owner.hpp>
#  include <caf/version.hpp>

#  include <string_view>
#else
#  include <caf/execution_unit.hpp>
#  include <caf/group.hpp>
#  include <caf/monitorable_actor.hpp>
#  include <caf/scheduler/abstract_coordinator.hpp>
#  include <caf/send.hpp>
#endif

#include <atomic>
#include <cstddef>
#include <functional>
#include <thread>
#include <typeindex>
#include <typeinfo>
#include <utility>
#include <variant>

#if CAF_MAJOR_VERSION < 1
namespace caf::net {

/// 0.18.7 names this class as a friend of `actor_system` and ships none: the
/// only legal way to say which node the system is.
class middleman {
public:
  static void set_node(actor_system& system, node_id node) {
    system.node_.swap(node);
  }
};

} // namespace caf::net
#endif

namespace troupe::transport::version {

#if CAF_MAJOR_VERSION >= 1

/// What runs a woken actor: second argument of `enqueue`, `resume`, `cleanup`.
using execution_context = caf::scheduler;
using system_module = caf::actor_system_module;
using module_id = system_module::id_t;
using byte = std::byte;
using text_view = std::string_view;
inline constexpr auto module_of_transport = system_module::network_manager;

/// What the `make` of a module is also called with.
struct no_backends {};

#else

using execution_context = caf::execution_unit;
using system_module = caf::actor_system::module;
using module_id = system_module::id_t;
using byte = caf::byte;
using text_view = caf::string_view;
inline constexpr auto module_of_transport = system_module::network_manager;
using no_backends = caf::detail::type_list<>;

#endif

/// Calls a function in each thread that the actor system starts, first.
class thread_start_hook : public caf::thread_hook {
public:
  explicit thread_start_hook(void (*started)()) : started_(started) {
  }
  void init(caf::actor_system&) final {
  }
#if CAF_MAJOR_VERSION >= 1
  void thread_started(caf::thread_owner) final {
    started_();
  }
#else
  void thread_started() final {
    started_();
  }
#endif
  void thread_terminates() final {
  }

private:
  void (*started_)();
};

/// An execution context of our own: `later` is called for every actor that an
/// actor wakes which runs in it.
class own_context : public execution_context {
public:
#if CAF_MAJOR_VERSION >= 1
  explicit own_context(caf::actor_system&) {
  }
  void schedule(caf::resumable* woken) final {
    later(woken);
  }
  void delay(caf::resumable* woken) final {
    later(woken);
  }
  void start() final {
  }
  void stop() final {
  }
#else
  explicit own_context(caf::actor_system& system)
    : caf::execution_unit(&system) {
  }
  void exec_later(caf::resumable* woken) final {
    later(woken);
  }
#endif
  virtual void later(caf::resumable* woken) = 0;
};

/// Makes proxies reachable while actor handles are read in this thread.
class proxy_scope {
public:
#if CAF_MAJOR_VERSION >= 1
  proxy_scope(execution_context&, caf::proxy_registry& proxies)
    : before_(caf::proxy_registry::current()) {
    caf::proxy_registry::current(&proxies);
  }
  ~proxy_scope() {
    caf::proxy_registry::current(before_);
  }
#else
  proxy_scope(execution_context& context, caf::proxy_registry& proxies)
    : context_(context), before_(context.proxy_registry_ptr()) {
    context.proxy_registry_ptr(&proxies);
  }
  ~proxy_scope() {
    context_.proxy_registry_ptr(before_);
  }
#endif
  proxy_scope(const proxy_scope&) = delete;
  proxy_scope& operator=(const proxy_scope&) = delete;

private:
#if CAF_MAJOR_VERSION < 1
  execution_context& context_;
#endif
  caf::proxy_registry* before_;
};

/// Base of a deserialiser: where it finds the actor system and the proxies.
/// Without a system it reads no actor handles.
class reader_base : public caf::deserializer {
public:
#if CAF_MAJOR_VERSION >= 1
  reader_base(caf::actor_system* system, execution_context*) {
    context_ = system;
  }
#else
  reader_base(caf::actor_system*, execution_context* context)
    : caf::deserializer(context) {
  }
#endif
};

/// Base of a serialiser; without a system it writes no actor handles.
class writer_base : public caf::serializer {
public:
  explicit writer_base(caf::actor_system* system) {
#if CAF_MAJOR_VERSION >= 1
    context_ = system;
#else
    if (system != nullptr)
      context_ = system->dummy_execution_unit();
#endif
  }
};

/// The base of a proxy, with the hooks that the versions disagree about.
class proxy_base : public caf::actor_proxy {
public:
  using caf::actor_proxy::actor_proxy;

  void kill_proxy(execution_context* context, caf::error reason) override {
    cleanup(std::move(reason), context);
  }

  /// An exit message leaves: the link that it came from is gone. Without this
  /// the death of the far end would send another one.
  void forget_link(const caf::actor_addr& peer) {
    unlink_from(peer);
  }

  const char* name() const override {
    return "troupe.proxy";
  }

  /// What waits for the actor's end. For a proxy that nobody else knows.
  [[nodiscard]] caf::attachable_ptr& attached() noexcept {
    return attachables_head_;
  }

#if CAF_MAJOR_VERSION >= 1
protected:
  /// Nobody here refers to the actor, which goes on.
  void on_unreachable() override {
  }

private:
  void force_close_mailbox() override {
  }
#endif
};

/// What a registry attaches to the actors in it, found on one of its own: CAF
/// has no other way to tell.
class registry_sample final : public proxy_base {
public:
  using proxy_base::proxy_base;

  bool enqueue(caf::mailbox_element_ptr, execution_context*) override {
    return false;
  }

  /// Takes off everything of that type from an actor.
  static caf::attachable_ptr take_off(caf::abstract_actor& from,
                                      std::type_index what) {
#if CAF_MAJOR_VERSION >= 1
    using base = caf::abstract_actor;
#else
    using base = caf::monitorable_actor;
#endif
    auto& head = static_cast<base&>(from)
                 .*(&registry_sample::attachables_head_);
    caf::attachable_ptr taken;
    from.exclusive_critical_section([&] {
      for (auto* at = &head; *at != nullptr;) {
        const auto& each = **at;
        if (std::type_index{typeid(each)} != what) {
          at = &(*at)->next;
          continue;
        }
        auto found = std::move(*at);
        *at = std::move(found->next);
        found->next = std::move(taken);
        taken = std::move(found);
      }
    });
    return taken;
  }

  /// The type of what `system`'s registry attaches.
  static std::type_index type_in(caf::actor_system& system) {
    caf::actor_config config;
    const auto id = system.next_actor_id();
    const auto one = caf::make_actor<registry_sample, caf::strong_actor_ptr>(
      id, system.node(), &system, config);
    system.registry().put(id, one);
    system.registry().erase(id);
    const auto& attached
      = *static_cast<registry_sample*>(one->get())->attachables_head_;
    return typeid(attached);
  }
};

/// CAF's registry attaches something to an actor that is put in, and leaves it
/// there when the actor is taken out: once for each time. Takes that off; then
/// somebody else has to take the actor out at its end.
inline void forget_registry(caf::actor_system& system,
                            const caf::strong_actor_ptr& actor) {
  static const auto type = registry_sample::type_in(system);
  const auto ended = registry_sample::take_off(*actor->get(), type);
}

/// Ends a share in an actor as one of the things that a context runs.
class last_share final : public caf::resumable {
public:
  explicit last_share(caf::strong_actor_ptr of) : of_(std::move(of)) {
  }
  [[nodiscard]] subtype_t subtype() const noexcept override {
    return function_object;
  }
#if CAF_MAJOR_VERSION >= 1
  resume_result resume(caf::scheduler*, std::size_t) override {
    of_ = nullptr;
    return done;
  }
  void ref_resumable() const noexcept override {
    ++shares_;
  }
  void deref_resumable() const noexcept override {
    if (--shares_ == 0)
      delete this;
  }
#else
  resume_result resume(caf::execution_unit*, std::size_t) override {
    of_ = nullptr;
    return done;
  }
  void intrusive_ptr_add_ref_impl() override {
    ++shares_;
  }
  void intrusive_ptr_release_impl() override {
    if (--shares_ == 0)
      delete this;
  }
#endif

private:
  caf::strong_actor_ptr of_;
  // seq_cst, where acq_rel would do: who takes the last away finds what the
  // others have done.
  mutable std::atomic<int> shares_{1};
};

/// Our module in the actor system.
class module_base : public caf::actor_system::networking_module {
public:
  static void add_module_options(caf::actor_system_config&) {
  }
#if CAF_MAJOR_VERSION >= 1
  static void check_abi_compatibility(caf::version::abi_token) {
  }
#endif
  module_id id() const override {
    return module_of_transport;
  }
  void* subtype_ptr() override {
    return this;
  }
  void monitor(const caf::node_id&, const caf::actor_addr&) override {
  }
  void demonitor(const caf::node_id&, const caf::actor_addr&) override {
  }
};

/// Returns what is known about a message type, or nullptr.
[[nodiscard]] inline const caf::detail::meta_object*
meta_of(caf::type_id_t type) noexcept {
  const auto all = caf::detail::global_meta_objects();
  if (type >= all.size() || all[type].type_name.empty())
    return nullptr;
  return &all[type];
}

inline void set_node(caf::actor_system& system, caf::node_id node) {
#if CAF_MAJOR_VERSION >= 1
  caf::detail::actor_system_access{system}.node(std::move(node));
#else
  caf::net::middleman::set_node(system, std::move(node));
#endif
}

[[nodiscard]] inline const caf::hashed_node_id*
hashed(const caf::node_id& node) noexcept {
  if (!node)
    return nullptr;
#if CAF_MAJOR_VERSION >= 1
  return std::get_if<caf::hashed_node_id>(&node->content);
#else
  return caf::get_if<caf::hashed_node_id>(&node->content);
#endif
}

/// 0.18's streams have message ids of their own, and take what comes with one
/// for a part of a stream without a look: such ids do not cross processes.
[[nodiscard]] inline bool is_stream([[maybe_unused]] caf::message_id id) {
#if CAF_MAJOR_VERSION >= 1
  return false;
#else
  return id.is_stream_message();
#endif
}

/// 1.x has none of 0.18's groups.
constexpr bool is_group([[maybe_unused]] caf::type_id_t type) {
#if CAF_MAJOR_VERSION >= 1
  return false;
#else
  return type == caf::type_id_v<caf::group>;
#endif
}

/// The actors that a message shall visit; 1.x has none.
using stages = std::vector<caf::strong_actor_ptr>;

[[nodiscard]] inline const stages*
stages_of(const caf::mailbox_element& element) noexcept {
#if CAF_MAJOR_VERSION >= 1
  static_cast<void>(element);
  return nullptr;
#else
  return element.stages.empty() ? nullptr : &element.stages;
#endif
}

[[nodiscard]] inline caf::mailbox_element_ptr
make_element(caf::strong_actor_ptr sender, caf::message_id id, stages visit,
             caf::message content) {
#if CAF_MAJOR_VERSION >= 1
  static_cast<void>(visit);
  return caf::make_mailbox_element(std::move(sender), id, std::move(content));
#else
  return caf::make_mailbox_element(std::move(sender), id, std::move(visit),
                                   std::move(content));
#endif
}

template <class F>
[[nodiscard]] std::thread
launch_thread(caf::actor_system& system, const char* name, F body) {
#if CAF_MAJOR_VERSION >= 1
  return system.launch_thread(name, caf::thread_owner::system, std::move(body));
#else
  return system.launch_thread(name, std::move(body));
#endif
}

/// Hands a woken actor to CAF's own threads.
inline void schedule(caf::actor_system& system, caf::resumable* woken) {
#if CAF_MAJOR_VERSION >= 1
  system.scheduler().schedule(woken);
#else
  system.scheduler().enqueue(woken);
#endif
}

/// Asks `to` for an answer; the result is CAF's handle of the response.
template <class Self, class Handle, class... Ts>
[[nodiscard]] auto request_within(Self& self, caf::timespan limit,
                                  const Handle& to, Ts&&... what) {
#if CAF_MAJOR_VERSION >= 1
  return self->mail(std::forward<Ts>(what)...).request(to, limit);
#else
  return self->request(to, limit, std::forward<Ts>(what)...);
#endif
}

template <class Self, class Handle, class... Ts>
[[nodiscard]] auto request(Self& self, const Handle& to, Ts&&... what) {
  return request_within(self, caf::infinite, to, std::forward<Ts>(what)...);
}

/// The actor that writes what actors print by `caf::aout`.
[[nodiscard]] inline caf::actor printer_of(caf::actor_system& system) {
#if CAF_MAJOR_VERSION >= 1
  return caf::actor_cast<caf::actor>(system.legacy_printer_actor());
#else
  return system.scheduler().printer();
#endif
}

/// The state of a stateful actor.
template <class Self>
[[nodiscard]] auto& state_of(Self* self) {
#if CAF_MAJOR_VERSION >= 1
  return self->state();
#else
  return self->state;
#endif
}

/// Sends from nobody.
template <class Handle, class... Ts>
void send_anonymously(const Handle& to, Ts&&... what) {
#if CAF_MAJOR_VERSION >= 1
  caf::anon_mail(std::forward<Ts>(what)...).send(to);
#else
  caf::anon_send(to, std::forward<Ts>(what)...);
#endif
}

/// Has `ended(who, why)` called in `self` when `whom` has ended. An actor gives
/// the same function for all whom it watches.
template <class Self, class F>
void watch(Self* self, const caf::actor& whom, F ended) {
#if CAF_MAJOR_VERSION >= 1
  self->monitor(whom, [ended = std::move(ended), who = whom.address()](
                        const caf::error& why) { ended(who, why); });
#else
  self->set_down_handler([ended = std::move(ended)](const caf::down_msg& down) {
    ended(down.source, down.reason);
  });
  self->monitor(whom);
#endif
}

/// The actor links, and not the proxy: then no lock is held where CAF tells the
/// proxy that the actor has ended.
inline void link(const caf::strong_actor_ptr& local,
                 caf::abstract_actor& proxy) {
#if CAF_MAJOR_VERSION >= 1
  local->get()->link_to(caf::strong_actor_ptr{proxy.ctrl()});
#else
  static_cast<caf::monitorable_actor*>(local->get())->add_link(&proxy);
#endif
}

inline void unlink(const caf::strong_actor_ptr& local,
                   caf::abstract_actor& proxy) {
#if CAF_MAJOR_VERSION >= 1
  local->get()->unlink_from(caf::strong_actor_ptr{proxy.ctrl()});
#else
  static_cast<caf::monitorable_actor*>(local->get())->remove_link(&proxy);
#endif
}

} // namespace troupe::transport::version
