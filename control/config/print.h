// The configuration as text again: normalised, complete, and readable by load().
//
// PURE. Every value is written out, defaults and inherited ones too; load(print(c)) gives an equal
// configuration. Bound: linear in the configuration.
#pragma once

#include <string>

#include "control/config/model.h"

namespace keepline::config {

/// Passwords are written as they are only when asked for: the dump goes to logs.
enum class Secrets { kShow, kHide };

std::string print(const Config& config, Secrets secrets = Secrets::kShow);

}  // namespace keepline::config
