"""Holds one thread of a process still, as a wedged lcore would be: `freeze_thread.py TID`.

By ptrace, so that nothing need be built into the daemon for it. Until SIGTERM, or until this ends:
then the thread goes on.
"""

import ctypes
import os
import signal
import sys

PTRACE_SEIZE, PTRACE_INTERRUPT, PTRACE_DETACH = 0x4206, 0x4207, 17
WALL = 0x40000000  # also threads that are nobody's child


def ptrace(request, thread):
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.ptrace(request, thread, None, None) != 0:
        raise OSError(ctypes.get_errno(), f"ptrace {request:#x} of {thread}")


def main():
    thread = int(sys.argv[1])
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    ptrace(PTRACE_SEIZE, thread)
    ptrace(PTRACE_INTERRUPT, thread)
    os.waitpid(thread, WALL)
    print("held", flush=True)
    signal.sigwait({signal.SIGTERM})
    ptrace(PTRACE_DETACH, thread)


if __name__ == "__main__":
    main()
