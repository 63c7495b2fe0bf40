// SPDX-License-Identifier: BSL-1.0
// Notebook, "Pipes": one process sends messages, the other prints them.

#include <troupe/channel/pipe.hpp>
#include <troupe/process/program.hpp>

#include <iostream>
#include <string>
#include <vector>

using connection = troupe::connection<std::string>;

//[functions
/// Sends messages to the other end of the pipe.
void sender(connection end, const std::vector<std::string>& messages) {
  for (const auto& message : messages) {
    end.send(message);
    std::cout << "Sent the message: " + message + "\n" << std::flush;
  }
  end.close();
}

/// Prints the messages received from the other end of the pipe.
void receiver(connection end) {
  for (;;) {
    const std::string message = end.receive();
    if (message == "END")
      break;
    std::cout << "Received the message: " + message + "\n" << std::flush;
  }
}
//]

int main(int argc, char** argv) {
  troupe::program program{argc, argv};

  // messages to be sent
  const std::vector<std::string> messages{"hello", "hey", "hru?", "END"};

  //[use
  // a pipe
  auto [parent_end, child_end] = troupe::pipe<std::string>();

  // two processes, which run at the same time
  troupe::process p1 = program.start<sender>(parent_end, messages);
  troupe::process p2 = program.start<receiver>(child_end);

  // wait until the processes are finished
  p1.join();
  p2.join();
  //]
}
