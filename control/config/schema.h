// How a keyword table is written and run: one row a keyword, one table a block.
//
// PURE. The tables themselves are in schema_*.cc. A row says how many words the keyword takes,
// whether a block follows, what keepline does with it, and how it is read. Linear in statements
// times rows.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "control/config/args.h"
#include "control/config/draft.h"
#include "control/config/tree.h"

namespace keepline::config {

/// How widely a keyword is used: nearly everywhere, serious deployments, rarely, kernel only.
enum class Class : std::uint8_t { kA, kB, kC, kK };

enum class Status : std::uint8_t {
  kActive,      ///< Read and acted on.
  kNotActedOn,  ///< Read into the model; nothing acts on it yet: one warning.
  kNotBuilt,    ///< Known and skipped whole: one warning.
  kKernelOnly,  ///< Means nothing outside the kernel's own data path: one warning.
  kDeprecated,  ///< Honoured if it has a reader, with a warning.
};

/// How many words follow the keyword, and whether a block does.
struct Shape {
  static constexpr std::uint8_t kAny = 255;  ///< No upper limit: nothing is an extra word.
  std::uint8_t min_words = 0;
  std::uint8_t max_words = 0;
  bool has_block = false;
};

inline constexpr Shape kFlagShape{0, 1};  ///< `keyword [bool]`
inline constexpr Shape kBareShape{0, 0};
inline constexpr Shape kOneWord{1, 1};
inline constexpr Shape kCommandShape{1, Shape::kAny};
inline constexpr Shape kAnyWords{0, Shape::kAny};
inline constexpr Shape kBlockShape{0, 0, true};
inline constexpr Shape kNamedBlock{1, 1, true};

/// Target is the struct that a block is read into.
template <typename Target>
struct Row {
  const char* name = nullptr;
  Shape shape{};
  Class popularity = Class::kA;
  Status status = Status::kActive;
  void (*read)(Args&, Target&) = nullptr;  ///< Null: only the status is said.
  const char* synonym = nullptr;
  const char* note = nullptr;  ///< Said instead of the status' usual words.
};

/// What run_table needs of a row, whatever its target.
struct RowHead {
  const char* name;
  const char* synonym;
  Shape shape;
  Status status;
  const char* note;
  bool has_reader;
};

/// Finds the row for a keyword; -1 (and an error with "did you mean") when there is none.
int find_row(const Statement& statement, std::span<const RowHead> heads, std::string_view block,
             Diagnostics& diagnostics);
/// Arity, braces and status of a found row. False: the statement is not to be read.
bool check_row(const Statement& statement, const RowHead& head, Diagnostics& diagnostics);

/// Reads all statements of a block by its table. `block` names it in messages.
template <typename Target, std::size_t N>
void run_table(const Row<Target> (&rows)[N], std::string_view block,
               const std::vector<Statement>& statements, Target& target, Diagnostics& diagnostics) {
  std::vector<RowHead> heads;
  heads.reserve(N);
  for (const auto& row : rows) {
    heads.push_back({row.name, row.synonym, row.shape, row.status, row.note, row.read != nullptr});
  }
  for (const Statement& statement : statements) {
    const int index = find_row(statement, heads, block, diagnostics);
    if (index < 0 || !check_row(statement, heads[static_cast<std::size_t>(index)], diagnostics)) {
      continue;
    }
    Args args(statement, diagnostics);
    if (rows[index].read != nullptr) rows[index].read(args, target);
  }
}

/// The entry lines of a value block, one Args a line; warns of braces inside.
void for_each_entry(const Statement& block, Diagnostics& diagnostics,
                    const std::function<void(Args&)>& read);
/// All words of a plain word list.
std::vector<Word> words_of(const Statement& block);

// The tables, by area.
void read_root(const Statement& root, Draft& draft, Diagnostics& diagnostics);
void read_global_defs(Args& args, Config& config);
void read_dataplane(Args& args, DataplaneOptions& options);
void read_vrrp_instance(Args& args, Draft& draft);
void read_authentication(Args& args, InstanceDraft& draft);
void read_auth_hmac(Args& args, InstanceDraft& draft);
void read_sync_group(Args& args, Draft& draft);
void read_vrrp_script(Args& args, Draft& draft);
void read_link_delays(Args& args, Config& config);
void read_garp_group(Args& args, Config& config);
void read_track_file(Args& args, Draft& draft);
void read_track_process(Args& args, Draft& draft);
void read_bfd_instance(Args& args, Draft& draft);
void read_virtual_server(Args& args, Draft& draft);
void read_virtual_server_group(Args& args, Draft& draft);
void read_checker(Args& args, RealServer& server);
/// `virtual_ipaddress` and `virtual_ipaddress_excluded`.
void read_vips(Args& args, std::vector<VipAddress>& vips);
/// `track_interface`, `track_script` and the like.
void read_trackers(Args& args, std::vector<Tracker>& trackers);

}  // namespace keepline::config
