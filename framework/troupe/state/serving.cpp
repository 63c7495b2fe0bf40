// SPDX-License-Identifier: BSL-1.0
#include <troupe/state/serving.hpp>

#include <troupe/base/error.hpp>
#include <troupe/codec/codec.hpp>
#include <troupe/state/call.hpp>
#include <troupe/state/table.hpp>
#include <troupe/state/wire.hpp>

#include <algorithm>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>

namespace troupe::held {

namespace {

/// A client of another program: what it has been told of. Guarded by the
/// table's mutex.
class remote_client final : public wire {
public:
  explicit remote_client(table& of) noexcept : of_(of) {
  }
  remote_client(const remote_client&) = delete;
  remote_client& operator=(const remote_client&) = delete;

  ~remote_client() override {
    for (const auto& [number, times] : named_)
      of_.given_back(number, times);
  }

  void save(codec::encoder& to, const target& object) override {
    if (object.via() != of_.inside())
      throw invalid_argument("answer a client of another program",
                             "the result is a proxy of another state's object",
                             "return a copy of the object");
    to.save(object.number());
    of_.named(object.number(), 1);
    ++named_[object.number()];
  }

  [[nodiscard]] std::shared_ptr<target> load(codec::decoder& from) override {
    const auto number = from.load<object_number>();
    // Numbers can be guessed; what was never named is not there for it.
    if (!named_.contains(number))
      throw stale_handle("use held object " + std::to_string(number),
                         "this client was not told of it, or gave it back");
    return of_.target_of(number);
  }

  [[nodiscard]] bool knows(object_number number) const {
    return number == the_state || named_.contains(number);
  }

  void give_back(object_number number, std::uint64_t times) {
    const auto found = named_.find(number);
    if (found == named_.end())
      return;
    times = std::min(times, found->second);
    found->second -= times;
    if (found->second == 0)
      named_.erase(found);
    of_.given_back(number, times);
  }

private:
  table& of_;
  std::unordered_map<object_number, std::uint64_t> named_;
};

using clients = std::unordered_map<client_id, std::shared_ptr<remote_client>>;

clients& the_clients() {
  static auto& all = *new clients;
  return all;
}

class remote_route final : public answer_route {
public:
  remote_route(client_id id, std::shared_ptr<remote_client> client,
               reply_function reply)
    : id_(id), client_(std::move(client)), reply_(std::move(reply)) {
  }

  [[nodiscard]] client_id client() const noexcept override {
    return id_;
  }

  [[nodiscard]] std::uint64_t call() const noexcept override {
    return call_;
  }

  void is_call(std::uint64_t number) noexcept {
    call_ = number;
  }

  /// The connection has an entry for it until it is answered.
  void withdrawn() noexcept override {
    codec::packet answer;
    begin_answer(answer, answer_kind::timed_out);
    send(answer);
  }

  [[nodiscard]] wire* coding() noexcept override {
    return client_.get();
  }

  void send(codec::packet& answer) noexcept override {
    if (!answer.handles().empty())
      encode_failure(answer, std::make_exception_ptr(invalid_argument(
                               "answer a client of another program",
                               "the result holds a handle of something in the "
                               "state's run",
                               "return the value itself")));
    reply_(answer.body().subspan(answer_room));
  }

  [[nodiscard]] std::unique_ptr<answer_route> keep() const override {
    return std::make_unique<remote_route>(*this);
  }

private:
  client_id id_;
  std::uint64_t call_ = 0;
  std::shared_ptr<remote_client> client_;
  reply_function reply_;
};

} // namespace

void serve(std::uint64_t client, bytes_view request, reply_function reply) {
  auto& objects = table::here();
  const std::scoped_lock guard{objects.mutex()};
  const auto id = client | remote_bit;
  auto& known = the_clients()[id];
  if (!known)
    known = std::make_shared<remote_client>(objects);
  remote_route route{id, known, std::move(reply)};
  try {
    codec::decoder from{request, {}, "a call"};
    const auto head = from.load<call_head>();
    if (head.operation == give_back_operation)
      return known->give_back(head.object, from.load<std::uint64_t>());
    if (head.operation == withdraw_operation)
      return objects.withdraw(id, from.load<std::uint64_t>());
    route.is_call(head.route[0]);
    if (!known->knows(head.object))
      throw stale_handle("use held object " + std::to_string(head.object),
                         "this client was not told of it, or gave it back");
  } catch (const error&) {
    codec::packet answer;
    encode_failure(answer, std::current_exception());
    return route.send(answer);
  }
  objects.execute(request, {}, route);
}

void client_gone(std::uint64_t client) {
  auto& objects = table::here();
  const std::scoped_lock guard{objects.mutex()};
  const auto id = client | remote_bit;
  objects.client_gone(id);
  the_clients().erase(id);
}

} // namespace troupe::held
