"""Makes one thread of a process spin, as a wedged lcore does: `wedge_thread.py TID`.

By ptrace, so that nothing need be built into the daemon for it: the thread is sent to an
instruction that jumps to itself, of which any large program has one by chance. Until SIGTERM: then
it goes on where it was.
"""

import ctypes
import os
import re
import signal
import sys
from pathlib import Path

PTRACE_CONT, PTRACE_GETREGS, PTRACE_SETREGS, PTRACE_DETACH = 7, 12, 13, 17
PTRACE_SEIZE, PTRACE_INTERRUPT = 0x4206, 0x4207
WALL = 0x40000000  # also threads that are nobody's child
JUMP_TO_ITSELF = b"\xeb\xfe"  # x86
# user_regs_struct of x86-64
REGISTERS, ORIG_RAX, RIP = 27, 15, 16
NO_SYSTEM_CALL = 2**64 - 1

Registers = ctypes.c_uint64 * REGISTERS


def ptrace(request, thread, data=None):
    libc = ctypes.CDLL(None, use_errno=True)
    libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
    if libc.ptrace(request, thread, None, data) != 0:
        raise OSError(ctypes.get_errno(), f"ptrace {request:#x} of {thread}")


def jump_to_itself(thread):
    """Its address, somewhere in what the process may execute."""
    with open(f"/proc/{thread}/mem", "rb") as memory:
        for line in Path(f"/proc/{thread}/maps").read_text().splitlines():
            found = re.match(r"([0-9a-f]+)-([0-9a-f]+) r-xp \S+ \S+ [1-9]", line)
            if not found:
                continue
            begin, end = (int(word, 16) for word in found.groups())
            memory.seek(begin)
            at = memory.read(end - begin).find(JUMP_TO_ITSELF)
            if at >= 0:
                return begin + at
    raise LookupError("no such instruction")


def stop(thread):
    ptrace(PTRACE_INTERRUPT, thread)
    os.waitpid(thread, WALL)


def main():
    thread = int(sys.argv[1])
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    ptrace(PTRACE_SEIZE, thread)
    stop(thread)
    before = Registers()
    ptrace(PTRACE_GETREGS, thread, ctypes.addressof(before))
    spinning = Registers(*before)
    spinning[RIP] = jump_to_itself(thread)
    spinning[ORIG_RAX] = NO_SYSTEM_CALL
    ptrace(PTRACE_SETREGS, thread, ctypes.addressof(spinning))
    ptrace(PTRACE_CONT, thread)
    print("wedged", flush=True)
    signal.sigwait({signal.SIGTERM})
    stop(thread)
    ptrace(PTRACE_SETREGS, thread, ctypes.addressof(before))
    ptrace(PTRACE_DETACH, thread)


if __name__ == "__main__":
    main()
