// SPDX-License-Identifier: BSL-1.0
#include <troupe/os/module.hpp>

#include <troupe/base/hash.hpp>

#include <string_view>

#include <dlfcn.h>
#include <link.h>

namespace troupe::os {

code_location locate(const void* address) noexcept {
  Dl_info info{};
  link_map* module = nullptr;
  const auto here = reinterpret_cast<std::uint64_t>(address);
  if (::dladdr1(address, &info, reinterpret_cast<void**>(&module),
                RTLD_DL_LINKMAP)
        == 0
      || module == nullptr)
    return {0, here};
  // The program itself has no name there; a library is the same file in every
  // process, whatever directory each found it in.
  std::string_view name{module->l_name != nullptr ? module->l_name : ""};
  if (const auto slash = name.rfind('/'); slash != std::string_view::npos)
    name.remove_prefix(slash + 1);
  const auto hash = name.empty() ? 0 : hash_of(name);
  return {hash, here - static_cast<std::uint64_t>(module->l_addr)};
}

} // namespace troupe::os
