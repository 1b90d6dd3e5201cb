"""Work spread over processes leaves nothing behind."""

import subprocess
import sys
from pathlib import Path

SCRIPT = """
import multiprocessing

from ifdd.jobs import pool_map

KEPT = []


def work(number):
    KEPT.append(multiprocessing.RLock())  # as the bar of a progress does
    return number * 2


if __name__ == "__main__":
    with pool_map(work, range(4), 2, least=1, chunk=1) as results:
        print(sum(results))
"""


def test_processes_clear_what_they_hold(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(SCRIPT)
    done = subprocess.run([sys.executable, tmp_path / "script.py"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "12\n", "")
