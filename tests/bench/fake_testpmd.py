"""Stands in for dpdk-testpmd: answers the commands of testpmd.py, 10 ns for each packet."""

import sys
import time

NS_PER_PACKET = 10


def main():
    packets, started = 0, None
    print("Number of available ports: 0, said before it was asked", flush=True)
    for line in sys.stdin:
        now = time.monotonic()
        running = int((now - started) * 1e9 / NS_PER_PACKET) if started else 0
        if line.startswith("show port summary"):
            print("Number of available ports: 1", flush=True)
        elif line.startswith("show port stats"):
            print(f"  RX-packets: 1\n  TX-packets: {packets + running}  TX-errors: 0", flush=True)
        elif line.startswith("start"):
            started = now
        elif line.startswith("stop"):
            packets, started = packets + running, None
            print("Done.", flush=True)


if __name__ == "__main__":
    main()
