"""Start the app's server."""

import errno
import ipaddress
import os
import socket
import sys
from collections.abc import Sequence
from pathlib import Path

from ifdd.errors import InputError


def start_app(port: int, address: str, hosts: Sequence[str] = (), workspace: Path | None = None) -> None:
    """Replace this process by the app's server on a workspace (None: the demo).

    `hosts` are further names under which browsers may ask for it.
    Raises: InputError if the port is in use or the pages are not there.
    """
    page = Path(__file__).resolve().parents[2] / "pages" / "server.py"
    if not page.is_file():
        raise InputError(f"{page} is missing; the app runs from a clone of the repository (pip install -e .)")
    check_port(port, address)
    for name in ("IFDD_DEMO", "IFDD_CHECKPOINTS"):
        if os.environ.get(name):
            os.environ[name] = str(Path(os.environ[name]).resolve())
    os.environ["IFDD_WORKSPACE"] = "" if workspace is None else str(workspace.resolve())
    os.environ |= host_settings(address, hosts)
    os.chdir(page.parents[1])  # where Streamlit looks for its settings
    command = app_command(page, port, address)
    sys.stdout.flush()
    sys.stderr.flush()
    os.execv(command[0], command)  # signals reach the server itself, and nothing is left behind


def host_settings(address: str, hosts: Sequence[str] = ()) -> dict[str, str]:
    """Environment by which the server knows the hosts that it answers as, besides this computer's own (`pages/server.py`)."""
    try:
        everywhere = ipaddress.ip_address(address).is_unspecified
    except ValueError:
        everywhere = False
    names = [*hosts, *([socket.gethostname()] if everywhere else [address])]
    return {"IFDD_HOSTS": " ".join(names), "IFDD_ANY_ADDRESS": "1" if everywhere else "0"}


def check_port(port: int, address: str) -> None:
    """See whether a server may listen there.

    Raises: InputError if it may not.
    """
    with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except PermissionError:
            raise InputError(f"port {port} is reserved for the system; choose another: make app PORT=8502") from None
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                other = port + 1 if port < 65535 else 8502
                raise InputError(f"port {port} is in use; choose another: make app PORT={other}") from None
            raise InputError(f"cannot listen on {address}: {error.strerror}; use --address 127.0.0.1") from None


def app_command(page: Path, port: int, address: str) -> list[str]:
    """How Streamlit is started: quiet, without telemetry, reachable at `address` only, a browser where there is a screen."""
    settings = {
        "server.port": str(port),
        "server.address": address,
        "server.fileWatcherType": "none",
        "server.headless": "false" if has_screen() else "true",  # false: a browser is opened
        "server.showEmailPrompt": "false",
        "browser.gatherUsageStats": "false",
    }
    flags = [part for name, value in settings.items() for part in (f"--{name}", value)]
    return [sys.executable, "-m", "streamlit", "run", str(page), *flags]


def has_screen() -> bool:
    """Whether a browser can show itself here."""
    return sys.platform in ("darwin", "win32") or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
