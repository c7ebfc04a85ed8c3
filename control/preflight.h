// What the machine must allow before anything is touched.
#pragma once

#include <string>
#include <vector>

namespace keepline::control {

/// One line for each missing capability or kernel feature, with what to do; empty: all is there.
std::vector<std::string> missing_prerequisites();

}  // namespace keepline::control
