// The words of `keepline bench-failover`.
//
// The CLI's only thread.
#pragma once

namespace CLI {
class App;
}

namespace keepline::cli {

/// Adds the command. It does its work while the words are parsed and then ends the program: 0 =
/// reported (whatever was lost), 1 = could not begin, 2 = wrong usage, both with a message; the
/// daemon is not asked.
void add_bench_failover(CLI::App& app);

}  // namespace keepline::cli
