"""Real TCP through real balancers in the lab: client, node and server, each in a namespace.

keepline, haproxy and nftables take turns on the same node; each must answer before it is measured,
and what is reported are the medians of the rounds.
"""

import statistics
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lab"))

from balancers import BALANCERS  # noqa: E402
from child import BenchError  # noqa: E402
from lab import Lab, sweep  # noqa: E402
from network import Network  # noqa: E402

LOADS = (
    ("connections_per_second", "connections"),
    ("requests_per_second", "requests"),
    ("gbit_per_second", "gbit"),
)
CHANGE_S = 2  # stopping one balancer and waiting for the next


def length_s(rounds, seconds):
    return rounds * len(BALANCERS) * (CHANGE_S + len(LOADS) * seconds)


def one_turn(network, balancer, seconds, step):
    """{figure: value} of one balancer's turn."""
    turn, errors = {}, network.errors
    balancer.start(network.node)
    try:
        network.wait_answer()
        for key, load in LOADS:
            step(f"end to end: {balancer.name}, {load}", seconds + CHANGE_S / len(LOADS))
            turn[key] = getattr(network, load)(seconds)
        return {**turn, "errors": network.errors - errors}
    finally:
        balancer.stop()


def measure(rounds, seconds, step):
    """The rows of `end_to_end` in --json."""
    sweep()
    turns = {}
    with Lab() as lab:
        try:
            network = Network(lab)
            for _ in range(rounds):
                for balancer in (kind() for kind in BALANCERS):
                    turn = one_turn(network, balancer, seconds, step)
                    turns.setdefault(balancer.name, []).append(turn)
        except AssertionError as error:  # the lab's way to say that something did not happen
            said = "\n".join(f"--- {name}\n{log}" for name, log in lab.logs(8))
            raise BenchError(f"end to end: {error}\n{said}") from error
    return [
        {"balancer": name}
        | {key: statistics.median(turn[key] for turn in mine) for key, _ in LOADS}
        | {"errors": sum(turn["errors"] for turn in mine)}
        for name, mine in turns.items()
    ]
