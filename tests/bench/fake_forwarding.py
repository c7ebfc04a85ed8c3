"""Stands in for tests/bench/forwarding in the tests of the front end: plausible figures at once.

`--die WORD` ends it, `--fail WORD` makes it answer an error, when it is asked WORD.
"""

import argparse
import json
import sys

ANSWERS = {
    "prepare": lambda words: {
        "ready": {"bytes_per_connection": 80 + words["family"], "connections": words["flows"]}
    },
    "run": lambda words: {"ran": {"packets": 1000, "ns_per_packet": 40.0}},
    "setups": lambda words: {"setups": {"per_second": 2_000_000}},
    "cookies": lambda words: {"cookies": {"per_second": 9_000_000}},
    "lives": lambda words: {"lives": {"per_second": 500_000}},
    "publish": lambda words: {
        "publish": {"builder_us": 1500.0, "worker_us": 0.2, "ring_us": 800.0}
    },
}


def say(answer):
    print(json.dumps(answer), flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--die", default="")
    parser.add_argument("--fail", default="")
    arguments = parser.parse_args()
    print("EAL: something that is no JSON")
    say({"hello": {"cpu": "a fake", "tsc_mhz": 1000, "hugepages": False}})
    for line in sys.stdin:
        ((question, words),) = json.loads(line).items()
        if question == arguments.die:
            print("out of cheese", file=sys.stderr)
            return 3
        if question == arguments.fail:
            say({"error": "no memory for 10000000 connections"})
            continue
        say({"progress": 0.5})
        say(ANSWERS[question](words))
    return 0


if __name__ == "__main__":
    sys.exit(main())
