"""Programs that end with the process that started them, also where that one is killed.

Run as a program (`python THIS_FILE PARENT COMMAND...`), it asks the kernel for that and becomes the
command: asking between fork and exec would run Python in a copy of a process with many threads.
"""

import ctypes
import os
import signal
import sys
from collections.abc import Sequence

_PR_SET_PDEATHSIG = 1  # https://man7.org/linux/man-pages/man2/PR_SET_PDEATHSIG.2const.html
_NOT_STARTED = 127  # as a shell has it


def ending_with_parent(command: Sequence[str]) -> list[str]:
    """The command that ends when the thread that starts it, or its process, has ended. Elsewhere
    than on Linux it is the command itself.
    """
    if sys.platform != "linux":
        return list(command)
    # Isolated and without packages, Python starts in a few hundredths of a second.
    return [sys.executable, "-I", "-S", __file__, str(os.getpid()), *command]


def main() -> int:
    """Becomes the command; returns only where that is not possible, or there is no parent."""
    parent, *command = sys.argv[1:]
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() == int(parent):  # otherwise it ended before the kernel was asked
        try:
            os.execv(command[0], command)
        except OSError as error:
            print(f"{command[0]}: {error.strerror}", file=sys.stderr)
    return _NOT_STARTED


if __name__ == "__main__":
    sys.exit(main())
