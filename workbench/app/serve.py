"""Start the app's server."""

import errno
import ipaddress
import os
import secrets
import socket
import sys
from collections.abc import Sequence
from pathlib import Path

from ifdd.errors import InputError


def start_app(
    port: int, address: str, hosts: Sequence[str] = (), workspace: Path | None = None, roots: Sequence[Path] = ()
) -> None:
    """Replace this process by the app's server on a workspace (None: the demo).

    `hosts` are further names under which browsers may ask for it; videos below `roots` may be opened by their path. Where others
    than this computer may ask, the server wants a token, which is told with the address: $IFDD_TOKEN, else a new one.
    Raises: InputError if the port is in use, the pages or a root are not there, or the token is too short.
    """
    page = Path(__file__).resolve().parents[2] / "pages" / "server.py"
    if not page.is_file():
        raise InputError(f"{page} is missing; the app runs from a clone of the repository (pip install -e .)")
    check_port(port, address)
    for name in ("IFDD_DEMO", "IFDD_CHECKPOINTS"):
        if os.environ.get(name):
            os.environ[name] = str(Path(os.environ[name]).resolve())
    os.environ["IFDD_WORKSPACE"] = "" if workspace is None else str(workspace.resolve())
    os.environ |= root_settings(roots)
    os.environ |= host_settings(address, hosts)
    os.environ["IFDD_TOKEN"] = token = token_for(address, hosts)
    if token:
        sys.stderr.write(f"{warning_of(address, hosts, port, token)}\n")
    os.environ.setdefault("MALLOC_ARENA_MAX", "2")  # each visitor's thread would keep memory of its own
    os.chdir(page.parents[1])  # where Streamlit looks for its settings
    command = app_command(page, port, address, told=bool(token))
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


def is_local(address: str) -> bool:
    """Whether only this computer can reach an address to listen on."""
    try:
        return address == "localhost" or ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


def token_for(address: str, hosts: Sequence[str] = ()) -> str:
    """What a browser must know: nothing where only this computer can ask, else $IFDD_TOKEN or 32 new letters.

    Raises: InputError for a token of fewer than 16 letters, or with others than letters, digits, - and _.
    """
    if is_local(address) and not hosts:
        return ""
    given = os.environ.get("IFDD_TOKEN", "")
    if given and (len(given) < 16 or not given.isascii() or not given.replace("-", "").replace("_", "").isalnum()):
        raise InputError("IFDD_TOKEN is too short or has other signs; give 16 or more letters, digits, - and _, or leave it out")
    return given or secrets.token_urlsafe(24)


def warning_of(address: str, hosts: Sequence[str], port: int, token: str) -> str:
    """What is said where others may ask: who, what they see, and the address with the token."""
    everywhere = host_settings(address)["IFDD_ANY_ADDRESS"] == "1"
    name = hosts[0] if hosts else socket.gethostname() if everywhere else address
    name = f"[{name}]" if ":" in name else name
    reach = f"on {address}, where other computers may reach it" if not is_local(address) else f"as {', '.join(hosts)}"
    return (
        f"warning: the app answers {reach}. Whoever has this address sees the workspace and runs its models:\n\n"
        f"    http://{name}:{port}/?token={token}\n\n"
        "Nothing is encrypted on its way. On a network that you do not trust leave --address out and use a tunnel instead:\n"
        f"ssh -L {port}:127.0.0.1:{port} {socket.gethostname()}"
    )


def root_settings(roots: Sequence[Path]) -> dict[str, str]:
    """Environment by which the server knows folders of videos that may be opened (`workbench.app.roots`).

    Raises: InputError for one that is no folder.
    """
    found = [root.expanduser().resolve() for root in roots]
    for root, place in zip(roots, found, strict=True):
        if not place.is_dir():
            raise InputError(f"--root {root} is no folder; name a folder of videos that the app may open")
    return {"IFDD_ROOTS": os.pathsep.join(map(str, found))}


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


def app_command(page: Path, port: int, address: str, told: bool = False) -> list[str]:
    """How Streamlit is started: quiet, without telemetry, reachable at `address` only, a browser where there is a screen.

    `told`: its address has been told, with the token, which Streamlit's own greeting would leave out.
    """
    settings = {
        "server.port": str(port),
        "server.address": address,
        "server.fileWatcherType": "none",
        "server.headless": "false"
        if has_screen() and is_local(address)
        else "true",  # false: a browser is opened, without a token
        "server.showEmailPrompt": "false",
        "browser.gatherUsageStats": "false",
    } | ({"logger.hideWelcomeMessage": "true"} if told else {})
    flags = [part for name, value in settings.items() for part in (f"--{name}", value)]
    return [sys.executable, "-m", "streamlit", "run", str(page), *flags]


def has_screen() -> bool:
    """Whether a browser can show itself here."""
    return sys.platform in ("darwin", "win32") or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
