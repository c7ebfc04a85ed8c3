// Helpers of the check specifications. PURE.
#include "checks/spec.h"

namespace keepline::checks {

std::string to_string(const Endpoint& endpoint) {
  return default_host(endpoint.address, endpoint.port);
}

std::uint32_t steps_of(const Target& target) {
  const auto* http = std::get_if<HttpTarget>(&target);
  return http == nullptr ? 1 : static_cast<std::uint32_t>(http->urls.size());
}

}  // namespace keepline::checks
