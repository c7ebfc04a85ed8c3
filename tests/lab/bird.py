"""BIRD as a BFD neighbour: only its `protocol bfd`, in a namespace, with files of its own."""

import re

from process import wait_for


class Bird:
    """`neighbours` are lines of `protocol bfd`, such as `neighbor 10.0.0.1 dev "eth0"`."""

    def __init__(self, host, *neighbours, interval_ms=50, multiplier=3):
        self.host = host
        base = host.lab.directory / f"bird-{host.name}"
        self.socket = base.with_suffix(".ctl")
        times = f"interval {interval_ms} ms; multiplier {multiplier};"
        lines = "\n  ".join(f"{line};" for line in neighbours)
        self.file = host.lab.file(
            f"{host.name}-bird.conf",
            f"""router id 10.0.0.99;
log stderr all;
protocol device {{ }}
protocol bfd {{
  interface "*" {{ {times} }};
  multihop {{ {times} }};
  {lines}
}}
""",
        )
        self.words = ["bird", "-f", "-c", self.file, "-s", self.socket]
        self.words += ["-P", base.with_suffix(".pid")]
        self.process = None

    def start(self):
        self.process = self.host.start(*self.words, name="bird")
        wait_for(lambda: self.sessions() is not None, what="BIRD answers")
        return self

    def kill(self):
        self.process.kill()

    def sessions(self):
        """State by neighbour; None: BIRD does not answer."""
        words = ("birdc", "-s", self.socket, "show", "bfd", "sessions")
        shown = self.host.run(*words, check=False)
        if shown.returncode != 0:
            return None
        rows = re.findall(r"^([0-9a-f.:]+)\s+\S+\s+(\w+)\s", shown.stdout, re.MULTILINE)
        return dict(rows)

    def is_up(self, neighbour):
        return (self.sessions() or {}).get(neighbour) == "Up"
