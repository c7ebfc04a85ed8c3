"""Each rule of the lint shown to fail where it should, and only there."""

import shutil
import tempfile
from pathlib import Path

import lint_rules as rules

LONG_FUNCTION = "int f(int a) {\n" + "  a += 1;\n" * 80 + "  return a;\n}\n"
SHORT_FUNCTIONS = "namespace n {\n" + "int f(int a) {\n  return a;\n}\n\n" * 30 + "}\n"
LONG_INITIALISER = "// A table.\nconst int table[] = {\n" + "    1,\n" * 90 + "};\n"
TRICKY = 'int f() { return g("}{"); } // {\nint h() {\n  return \'{\';\n}\n' + "\n" * 90

# (rule, file, text, number of findings)
CASES = (
    (rules.layering, "dataplane/net/a.cc", '#include "vrrp/b.h"\n', 1),
    (rules.layering, "dataplane/net/a.cc", '#include "dataplane/net/b.h"\n', 0),
    (rules.layering, "dataplane/lb/conn/a.cc", '#include "dataplane/neigh/b.h"\n', 0),
    (rules.layering, "dataplane/worker/a.cc", '#include "control/kernel/b.h"\n', 1),
    (rules.layering, "control/config/a.cc", '#include "control/kernel/b.h"\n', 1),
    (rules.layering, "control/a.cc", '#include "dataplane/worker/b.h"\n', 0),
    (rules.layering, "tests/unit/a.cc", '#include "control/b.h"\n', 0),
    (rules.purity, "vrrp/a.cc", "#include <unistd.h>\n", 1),
    (rules.purity, "vrrp/a.cc", "#include <vector>\n", 0),
    (rules.purity, "dataplane/lb/a.h", "#include <rte_mbuf.h>\n", 2),
    (rules.purity, "dataplane/worker/a.cc", "#include <rte_mbuf.h>\n", 0),
    (rules.purity, "control/main.cc", "#include <netlink/netlink.h>\n", 1),
    (rules.purity, "control/kernel/a.cc", "#include <netlink/netlink.h>\n", 0),
    (rules.file_length, "vrrp/a.cc", "//\n" * 401, 1),
    (rules.file_length, "vrrp/a.cc", "//\n" * 400, 0),
    (rules.function_length, "vrrp/a.cc", LONG_FUNCTION, 1),
    (rules.function_length, "vrrp/a.cc", SHORT_FUNCTIONS, 0),
    (rules.function_length, "vrrp/a.cc", LONG_INITIALISER, 0),
    (rules.function_length, "vrrp/a.cc", TRICKY, 0),
    (rules.function_length, "vrrp/a.cc", "struct S {\n" + "  void f() {}\n" * 80 + "};\n", 0),
    (rules.function_length, "tests/a.py", "def f():\n" + "    pass\n" * 80, 1),
    (rules.columns, "vrrp/a.cc", "//" + "x" * 99 + "\n", 1),
    (rules.columns, "vrrp/a.cc", "//" + "x" * 98 + "\n", 0),
    (rules.header_style, "vrrp/a.h", "#pragma once\n", 1),
    (rules.header_style, "vrrp/a.h", "// A.\nint f();\n", 1),
    (rules.header_style, "vrrp/a.h", "// A.\n#pragma once\nusing namespace std;\n", 1),
    (rules.header_style, "vrrp/a.h", "// A.\n#pragma once\nint f();\n", 0),
    (rules.headers_alone, "vrrp/a.h", "// A.\n#pragma once\nstd::string f();\n", 1),
    (rules.headers_alone, "vrrp/a.h", "#pragma once\n#include <string>\nstd::string f();\n", 0),
    (rules.formatting, "vrrp/a.cc", "int   f( ){return 1 ;}\n", 1),
    (rules.formatting, "vrrp/a.cc", "int f() {\n  return 1;\n}\n", 0),
)


def examine(rule, name, text, style):
    """How many findings the rule has about a tree of this one file; None if it cannot judge."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / name
        path.parent.mkdir(parents=True)
        path.write_text(text)
        shutil.copy(style, directory)
        try:
            found = rule(rules.Tree(directory, [name]))
            return len({(finding.line, finding.message) for finding in found})
        except rules.Skipped:
            return None


def failures(style):
    """Yields a line for each case in which a rule is wrong."""
    untested = {rule.__name__ for rule in rules.RULES}
    for rule, name, text, expected in CASES:
        found = examine(rule, name, text, style)
        if found is not None and found != expected:
            start = text[:40].replace("\n", "\\n")
            yield f"{rule.__name__}: {found} findings and not {expected} in {name}: {start}"
        if expected:
            untested.discard(rule.__name__)
    for name in sorted(untested):
        yield f"{name}: no case shows that it can fail"
