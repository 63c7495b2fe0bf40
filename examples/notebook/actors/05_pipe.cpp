// SPDX-License-Identifier: BSL-1.0
// Notebook, "Pipes", in actors: one actor sends messages, the other prints
// them. The handle of an actor is the other end of a pipe to it.

#include <troupe/process/program.hpp>
#include <troupe/runtime/spawn.hpp>
#include <troupe/transport/standard_containers.hpp>

#include <caf/all.hpp>

#include <iostream>
#include <string>
#include <vector>

//[actors
/// Sends messages to the other actor.
caf::behavior sender(caf::event_based_actor* self, const caf::actor& end) {
  return {[=](const std::vector<std::string>& messages) {
    for (const auto& message : messages) {
      self->send(end, message);
      std::cout << "Sent the message: " + message + "\n" << std::flush;
    }
    self->quit();
  }};
}

/// Prints the messages received from the other actor.
caf::behavior receiver(caf::event_based_actor* self) {
  return {[self](const std::string& message) {
    if (message == "END")
      self->quit();
    else
      std::cout << "Received the message: " + message + "\n" << std::flush;
  }};
}
//]

int main(int argc, char** argv) {
  troupe::program program{argc, argv};
  caf::scoped_actor self{troupe::actor_system()};

  // messages to be sent
  const std::vector<std::string> messages{"hello", "hey", "hru?", "END"};

  //[use
  // two actors in two processes, which run at the same time
  const auto p2 = troupe::spawn<receiver>();
  const auto p1 = troupe::spawn<sender>(p2);
  self->send(p1, messages);

  // wait until they have ended
  self->wait_for(p1, p2);
  //]
}
