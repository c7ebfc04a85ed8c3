// The words of the file for the model's enumerations, both ways, and numbers as the file has them.
//
// PURE. Bound: the tables are a dozen entries each.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "control/config/model.h"

namespace keepline::config {

std::optional<Scheduler> scheduler_from_name(std::string_view name);
std::string_view name_of(Scheduler scheduler);
std::optional<Method> method_from_name(std::string_view name);
std::string_view name_of(Method method);
/// "TUN type gue port 6080 csum".
std::string text_of(const Forwarding& forwarding);
std::optional<ClientAddress> client_address_from_name(std::string_view name);
std::string_view name_of(ClientAddress how);
std::optional<TunnelType> tunnel_type_from_name(std::string_view name);
std::optional<TunnelChecksum> tunnel_checksum_from_name(std::string_view name);
/// Case does not matter.
std::optional<net::Protocol> protocol_from_name(std::string_view name);
std::string_view name_of(net::Protocol protocol);
/// The block's keyword, as DNS_CHECK.
std::string_view name_of(OtherKind kind);
std::string_view name_of(HttpProtocol protocol);

/// Microseconds as decimal seconds, shortest form ("0.5", "3").
std::string seconds_text(std::uint64_t us);

}  // namespace keepline::config
