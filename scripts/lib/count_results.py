"""Counts test cases: prints "PASSED FAILED SKIPPED" for the JUnit files given."""

import sys
import xml.etree.ElementTree as ElementTree


def verdict(case):
    if case.find("failure") is not None or case.find("error") is not None:
        return "failed"
    if case.find("skipped") is not None or case.get("status") == "notrun":
        return "skipped"
    return "passed"


def count(paths):
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    for path in paths:
        for case in ElementTree.parse(path).iter("testcase"):
            counts[verdict(case)] += 1
    return counts


if __name__ == "__main__":
    print(*count(sys.argv[1:]).values())
