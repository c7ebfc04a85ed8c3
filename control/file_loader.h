// Configuration files from the disk.
#pragma once

#include "control/config/loader.h"

namespace keepline::control {

class FileLoader final : public config::Loader {
 public:
  tl::expected<std::string, std::string> read(const std::string& path) override;
  std::vector<std::string> glob(const std::string& pattern,
                                const std::string& relative_to) override;
};

}  // namespace keepline::control
