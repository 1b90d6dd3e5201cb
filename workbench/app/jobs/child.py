"""The process of a job's command, which ends with the one that watches it.

Started as `python -m workbench.app.jobs.child workbench collect …`.
"""

import os
import signal
import sys
from importlib import import_module
from threading import Thread

PROGRAMS = ("workbench", "ifdd")


def main() -> None:
    """Run the command; its exit code is this process's."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a server that a shell started in the background ignores it
    Thread(target=_end_with_the_watcher, daemon=True).start()
    sys.argv = sys.argv[1:]
    import_module(f"{sys.argv[0]}.cli").main()


def _end_with_the_watcher() -> None:
    """The watcher holds the other end of standard input, which the system closes when it dies, however that happens."""
    while os.read(0, 1):
        pass
    if os.name == "nt":
        os._exit(1)
    os.killpg(os.getpgrp(), signal.SIGKILL)  # whatever is being written appears whole or not at all


if __name__ == "__main__":
    main()
