"""The rules of scripts/lint. A rule is a generator of findings about a tree of source files."""

import ast
import functools
import hashlib
import json
import os
import re
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 70
MAX_COLUMNS = 100
CLANG_FORMAT_MAJOR = 14  # other versions lay the same style out differently

CPP = (".h", ".cc", ".c")

NOT_BUILT = "tests/bench"  # by default; scripts/bench does

# Folder -> the folders that it may include; its own is always allowed. The longest match counts.
EVERYTHING = object()
ARROWS = {
    "dataplane/net": (),
    "dataplane/neigh": ("dataplane/net",),
    "dataplane/lb": ("dataplane/net", "dataplane/neigh"),
    "dataplane/bfd": ("dataplane/net",),
    "dataplane/rcu": ("dataplane/net",),
    "dataplane/port": ("dataplane/net",),
    "dataplane/worker": (
        "dataplane/net",
        "dataplane/neigh",
        "dataplane/lb",
        "dataplane/bfd",
        "dataplane/rcu",
        "dataplane/port",
    ),
    "vrrp": ("dataplane/net",),
    "checks": ("dataplane/net",),
    "control/config": ("dataplane/net",),
    "control": EVERYTHING,
    "tests": EVERYTHING,
}

# Pure: no DPDK, no Asio, no system calls, no threads, no files.
PURE = ("dataplane/net", "dataplane/neigh", "dataplane/lb", "dataplane/bfd", "vrrp")
PURE += ("control/config",)
IMPURE_HEADER = re.compile(
    r"rte_|boost/(asio|beast|lockfree)|netlink/|bpf/|xdp/|openssl/|spdlog/|sys/|linux/|net/"
    r"|netinet/|(unistd|fcntl|time|poll|signal|sched|pthread)\.h$"
    r"|(ctime|chrono|thread|mutex|condition_variable|fstream|iostream|filesystem|random)$"
)

# A library that only some folders may see.
OWNED_HEADERS = {
    "rte_": ("dataplane/rcu", "dataplane/port", "dataplane/worker"),
    "bpf/": ("dataplane/port",),
    "netlink/": ("control/kernel",),
}

# What purity allows all the same, with the reason.
EXCEPTIONS = {
    ("dataplane/lb/lazy_array.cc", "sys/mman.h"): "the table's memory, once at start",
    ("vrrp/auth_header.cc", "openssl/crypto.h"): "a comparison in constant time",
    ("vrrp/auth_header.cc", "openssl/evp.h"): "HMAC is a function of its input",
    ("vrrp/auth_header.cc", "openssl/hmac.h"): "HMAC is a function of its input",
    ("vrrp/hmac_trailer.cc", "openssl/crypto.h"): "a comparison in constant time",
    ("vrrp/hmac_trailer.cc", "openssl/evp.h"): "HMAC is a function of its input",
    ("vrrp/hmac_trailer.cc", "openssl/hmac.h"): "HMAC is a function of its input",
}

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')


class Skipped(Exception):
    """The rule cannot be judged here; says why."""


@dataclass(frozen=True)
class Finding:
    path: str
    line: int
    message: str

    def __str__(self):
        return f"{self.path}:{self.line}: {self.message}"


class Tree:
    """Source files below a root: what git knows or would add."""

    def __init__(self, root, paths=None):
        self.root = Path(root)
        self.paths = sorted(paths if paths is not None else self._git_files())
        self._texts = {}

    def _git_files(self):
        words = ["git", "-C", str(self.root), "ls-files", "-co", "--exclude-standard"]
        done = subprocess.run(words, capture_output=True, text=True)
        if done.returncode == 0:
            names = done.stdout.splitlines()
        else:  # an unpacked archive: everything but hidden and build folders
            walked = (path.relative_to(self.root) for path in self.root.rglob("*"))
            names = [str(path) for path in walked if not re.match(r"\.|build", str(path))]
        return [name for name in names if (self.root / name).is_file()]

    def text(self, path):
        if path not in self._texts:
            self._texts[path] = (self.root / path).read_text(errors="replace")
        return self._texts[path]

    def lines(self, path):
        return self.text(path).splitlines()

    def cpp(self):
        return [path for path in self.paths if path.endswith(CPP)]

    def headers(self):
        return [path for path in self.paths if path.endswith(".h")]

    def code(self):
        """All that people read as code: C++, Python, shell, build files."""
        return [path for path in self.paths if path.endswith((*CPP, ".py", ".sh")) or
                path.startswith("scripts/") or path == ".ci/run" or path.endswith("meson.build")]

    def includes(self, path):
        """(line, is it a system header, name) of each #include."""
        for number, line in enumerate(self.lines(path), start=1):
            if found := INCLUDE.match(line):
                yield number, found.group(1) == "<", found.group(2)


def inside(path, folder):
    return path.startswith(folder + "/")


def home(path):
    """The folder of ARROWS that a file belongs to, or None."""
    return max((folder for folder in ARROWS if inside(path, folder)), key=len, default=None)


def layering(tree):
    """#include arrows point one way (docs: the source tree)"""
    for path in tree.cpp():
        own = home(path)
        if own is None:
            continue
        for line, system, name in tree.includes(path):
            there = None if system else home(name)
            if there is None or there == own or ARROWS[own] is EVERYTHING:
                continue
            if there not in ARROWS[own]:
                yield Finding(path, line, f"{own} may not include {there} ({name})")


def purity(tree):
    """pure folders see no system, and a library only its owners"""
    for path in tree.cpp():
        if inside(path, "tests"):
            continue
        pure = any(inside(path, folder) for folder in PURE)
        for line, system, name in tree.includes(path):
            if system and pure and IMPURE_HEADER.match(name) and (path, name) not in EXCEPTIONS:
                yield Finding(path, line, f"pure code includes <{name}>")
            for prefix, owners in OWNED_HEADERS.items():
                if system and name.startswith(prefix):
                    if not any(inside(path, owner) for owner in owners):
                        yield Finding(path, line, f"<{name}> belongs to {', '.join(owners)}")


def file_length(tree):
    """files of at most 400 lines"""
    for path in tree.code():
        length = len(tree.lines(path))
        if length > MAX_FILE_LINES:
            yield Finding(path, length, f"{length} lines")


def columns(tree):
    """lines of at most 100 columns"""
    for path in tree.code():
        for number, line in enumerate(tree.lines(path), start=1):
            if len(line) > MAX_COLUMNS:
                yield Finding(path, number, f"{len(line)} columns")


def without_literals(text):
    """C++ with comments, strings and characters blanked, newlines kept."""
    pattern = re.compile(
        r'//[^\n]*|/\*.*?\*/|R"([^(\s]*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"'
        r"|(?<!\w)'(?:\\.|[^'\\\n])+'",
        re.DOTALL,
    )
    return pattern.sub(lambda found: re.sub(r"[^\n]", " ", found.group()), text)


NOT_A_FUNCTION = re.compile(r"\b(namespace|class|struct|union|enum|extern)\b[^()]*$")


def cpp_functions(text):
    """(first line, last line) of each outermost function body, from its signature on.

    A `{` opens a function if what stands before it since the last `;`, `{` or `}` has a parameter
    list and is no type or namespace; what is inside a function is not looked at any more.
    """
    text = re.sub(r"^[ \t]*#.*(?:\\\n.*)*", "", without_literals(text), flags=re.MULTILINE)
    stack, start, line, signature_line = [], 0, 1, None
    for position, character in enumerate(text):
        if signature_line is None and not character.isspace():
            signature_line = line
        if character == "\n":
            line += 1
        elif character == "{":
            head = text[start:position]
            function = "(" in head and not NOT_A_FUNCTION.search(head)
            function = function and not any(kind for kind, _ in stack)
            stack.append((function, signature_line))
        elif character == "}" and stack:
            function, first = stack.pop()
            if function:
                yield first, line
        if character in ";{}":
            start, signature_line = position + 1, None


def python_functions(text):
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node.lineno, node.end_lineno


def function_length(tree):
    """functions of at most 70 lines"""
    for path in tree.code():
        python = path.endswith(".py") or tree.text(path).startswith("#!/usr/bin/env python3")
        if not (python or path.endswith(CPP)):
            continue
        functions = python_functions if python else cpp_functions
        for first, last in functions(tree.text(path)):
            if last - first + 1 > MAX_FUNCTION_LINES:
                yield Finding(path, first, f"a function of {last - first + 1} lines")


def header_style(tree):
    """headers: a comment first, #pragma once, no `using namespace`"""
    for path in tree.headers():
        lines = tree.lines(path)
        if not lines or not lines[0].startswith(("//", "/*")):
            yield Finding(path, 1, "opens without a comment that says what it owns")
        if not any(line.startswith(("#pragma once", "#ifndef")) for line in lines):
            yield Finding(path, 1, "no #pragma once")
        for number, line in enumerate(lines, start=1):
            if re.match(r"\s*using\s+namespace\b", line):
                yield Finding(path, number, "using namespace")


def closure(tree, path, seen):
    """The file and every file of the tree that it includes."""
    if path in seen or not (tree.root / path).is_file():
        return seen
    seen.add(path)
    for _, system, name in tree.includes(path):
        if not system:
            closure(tree, name, seen)
    return seen


@functools.cache
def library_flags():
    words = []
    for package in ("libdpdk", "libbpf", "libnl-route-3.0", "spdlog"):
        done = subprocess.run(["pkg-config", "--cflags", package], capture_output=True, text=True)
        words += done.stdout.split()
    return [word for word in words if word != "-DSPDLOG_SHARED_LIB"]


def compile_flags(path):
    words = ["-std=c++20", "-Wall", "-Wextra", "-I."]
    if any(inside(path, folder) for folder in PURE):
        return words  # without any library's include path, as in the build
    return words + library_flags()


def opening(tree, path):
    """The file that the first line of code includes, or None."""
    for line in tree.lines(path):
        if line.strip() and not line.startswith(("//", "#pragma once")):
            found = INCLUDE.match(line)
            return found.group(2) if found and found.group(1) == '"' else None
    return None


def opened_by_sources(tree):
    """Headers that the build compiles with nothing before them: a source file opens with them."""
    headers, found = set(tree.headers()), set()
    for path in tree.cpp():
        if not path.endswith(".cc") or inside(path, NOT_BUILT):
            continue
        while (path := opening(tree, path)) in headers - found:
            found.add(path)
    return found


def headers_alone(tree):
    """each header compiles alone (those that no source file opens with are tried here)"""
    compiler = shutil.which("g++")
    if not compiler:
        raise Skipped("no g++")
    cache_file = tree.root / "build" / "lint-headers.json"
    try:
        known = set(json.loads(cache_file.read_text()))
    except (OSError, ValueError):
        known = set()
    version = subprocess.run([compiler, "--version"], capture_output=True, text=True).stdout

    def examine(path):
        flags = compile_flags(path)
        parts = [version, " ".join(flags), *map(tree.text, sorted(closure(tree, path, set())))]
        key = hashlib.sha256("\0".join(parts).encode()).hexdigest()
        if key in known:
            return key, None
        words = [compiler, "-fsyntax-only", *flags, "-x", "c++", "-include", path, "/dev/null"]
        done = subprocess.run(words, cwd=tree.root, capture_output=True, text=True)
        return (key, None) if done.returncode == 0 else (None, (path, done.stderr))

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        outcomes = list(pool.map(examine, sorted({*tree.headers()} - opened_by_sources(tree))))
    if cache_file.parent.is_dir():
        cache_file.write_text(json.dumps([key for key, _ in outcomes if key]))
    for _, failure in outcomes:
        if failure:
            path, said = failure
            found = re.search(r"^([^\s:]+):(\d+):\d+: (?:fatal )?error: (.*)$", said, re.MULTILINE)
            where = f"{found.group(1)}:{found.group(2)}: {found.group(3)}" if found else said[:200]
            yield Finding(path, 1, where)


def formatting(tree):
    """clang-format has nothing to change"""
    tool = shutil.which(f"clang-format-{CLANG_FORMAT_MAJOR}") or shutil.which("clang-format")
    if not tool:
        raise Skipped("no clang-format")
    version = subprocess.run([tool, "--version"], capture_output=True, text=True).stdout
    found = re.search(r"version (\d+)", version)
    if not found or int(found.group(1)) != CLANG_FORMAT_MAJOR:
        raise Skipped(f"clang-format is not version {CLANG_FORMAT_MAJOR}: {version.strip()}")
    files = tree.cpp()
    if not files:
        return
    words = [tool, "--dry-run", "--style=file", *files]
    done = subprocess.run(words, cwd=tree.root, capture_output=True, text=True)
    places = re.findall(r"^(\S+?):(\d+):\d+: (?:warning|error)", done.stderr, re.MULTILINE)
    for path in dict.fromkeys(path for path, _ in places):
        first = next(int(line) for where, line in places if where == path)
        yield Finding(path, first, "not formatted: run clang-format -i on it")


RULES = (
    layering,
    purity,
    file_length,
    function_length,
    columns,
    header_style,
    headers_alone,
    formatting,
)
