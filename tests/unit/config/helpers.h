// Shared by the configuration tests: load a text, find a diagnostic, a minimal instance.
#pragma once

#include <string>
#include <string_view>

#include "control/config/load.h"
#include "tests/unit/config/memory_loader.h"

namespace keepline::config {

inline LoadResult load_text(std::string text, const std::string& id = "node1") {
  MemoryLoader loader({{"/etc/k.conf", std::move(text)}});
  LoadOptions options;
  options.config_id = id;
  options.env = [](const std::string& name) -> std::optional<std::string> {
    if (name == "VIP") return "10.0.0.9";
    return std::nullopt;
  };
  return load("/etc/k.conf", loader, options);
}

inline const Diagnostic* find(const LoadResult& result, std::string_view part) {
  for (const Diagnostic& diagnostic : result.diagnostics.items()) {
    if (to_string(diagnostic).find(part) != std::string::npos) return &diagnostic;
  }
  return nullptr;
}

inline std::string all(const LoadResult& result) {
  std::string text;
  for (const Diagnostic& d : result.diagnostics.items()) text += to_string(d) + '\n';
  return text;
}

/// A clean instance with room for more statements.
inline std::string instance_text(const std::string& more = "", const std::string& name = "VI_1",
                                 const std::string& vips = "10.0.0.1") {
  return "vrrp_instance " + name + " {\n interface eth0\n virtual_router_id 51\n" +
         " virtual_ipaddress {\n" + vips + "\n }\n" + more + "\n}\n";
}

/// A clean virtual server with room for more statements, in it and in its real server.
inline std::string service_text(const std::string& more = "", const std::string& in_real = "",
                                const std::string& head = "10.0.0.1 80") {
  return "virtual_server " + head + " {\n lb_algo rr\n lb_kind NAT\n protocol TCP\n" + more +
         "\n real_server 10.0.1.1 8080 {\n" + in_real + "\n }\n}\n";
}

}  // namespace keepline::config
