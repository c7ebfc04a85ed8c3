// Puts a whole file in the place of another, safely in a folder that others can write to.
//
// Any thread; it blocks as long as the disk does.
#pragma once

#include <string>
#include <string_view>

namespace keepline::control::dump {

/// Writes aside (a new file of a name that nobody can guess, mode 0600) and renames, so that nobody
/// reads half a file, and a symbolic link or a file that somebody planted is replaced, never
/// followed or written to. Returns what went wrong; empty: nothing.
std::string replace_file(const std::string& path, std::string_view text);

}  // namespace keepline::control::dump
