"""The app's server and Chromium's flags, for benchmarks and tests of the browser."""

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@dataclass(frozen=True)
class Served:
    """A server that runs."""

    address: str
    port: int
    process: subprocess.Popen


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def serving(settings: Mapping[str, str], log: Path | None = None, port: int = 0, healthy: int = 200) -> Iterator[Served]:
    """The app with these variables of the environment, once its answer to a question of health is `healthy`; ended afterwards."""
    port = port or free_port()
    command = [sys.executable, "-m", "streamlit", "run", "pages/server.py"]
    command += ["--server.port", str(port), "--server.headless", "true"]
    with (log or Path(os.devnull)).open("wb") as output:
        server = subprocess.Popen(command, cwd=ROOT, env=os.environ | settings, stdout=output, stderr=subprocess.STDOUT)
    try:
        address = f"http://127.0.0.1:{port}"
        _wait(address, server, healthy)
        yield Served(address, port, server)
    finally:
        server.terminate()
        server.wait(20)


def _wait(address: str, server: subprocess.Popen, healthy: int) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end and server.poll() is None:
        try:
            with urllib.request.urlopen(f"{address}/_stcore/health", timeout=5) as answer:
                status = answer.status
        except urllib.error.HTTPError as error:
            status = error.code
        except OSError:
            status = None
        if status == healthy:
            return
        time.sleep(0.2)
    raise RuntimeError("the app did not start")
