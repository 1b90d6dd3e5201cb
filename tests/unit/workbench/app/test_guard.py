"""The layer before the app's server: known hosts, the page's policy, where the server is."""

import re
import sys
from pathlib import Path
from typing import Any

import pytest
import streamlit as st

sys.path.insert(0, str(Path(__file__).resolve().parents[4] / "pages"))
from _guard import Guard, content_security_policy

from workbench.app.serve import host_settings

INDEX = Path(st.__file__).parent / "static" / "index.html"


def ask(guard: Guard, path: str = "/", host: str | None = "127.0.0.1:8501", kind: str = "http") -> list[dict[str, Any]]:
    said: list[dict[str, Any]] = []

    async def send(message: Any) -> None:
        said.append(dict(message))

    async def receive() -> dict[str, str]:
        return {"type": "http.request"}

    headers = [] if host is None else [(b"host", host.encode())]
    scope = {"type": kind, "method": "GET", "path": path, "raw_path": path.encode(), "headers": headers}
    with pytest.raises(StopIteration):  # nothing waits for anything: no event loop is needed
        guard(scope, receive, send).send(None)  # type: ignore[attr-defined]
    return said


async def behind(scope: Any, _: Any, send: Any) -> None:
    """What stands behind the guard: says which path it was asked for."""
    if scope["type"] == "websocket":
        await send({"type": "websocket.accept"})
        return
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": scope["path"].encode()})


@pytest.fixture(scope="module")
def guard() -> Guard:
    return Guard(behind, index=INDEX, hosts=["localhost", "127.0.0.1", "::1"])


@pytest.mark.parametrize("host", ["127.0.0.1:8501", "localhost", "LOCALHOST:80", "[::1]:8501", "localhost."])
def test_known_hosts_are_answered(guard: Guard, host: str) -> None:
    assert ask(guard, "/", host)[0]["status"] == 200
    assert ask(guard, "/_stcore/stream", host, "websocket") == [{"type": "websocket.accept"}]


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example:8501", "localhost@evil.example", "", None, "10.0.0.7", "[::1", "évil"]
)
def test_foreign_hosts_are_refused(guard: Guard, host: str | None) -> None:
    for path in ("/", "/clip", "/_stcore/health", "/media/a.png"):
        assert ask(guard, path, host)[0]["status"] == 400
    assert ask(guard, "/_stcore/stream", host, "websocket") == [{"type": "websocket.close", "code": 1008}]


def test_a_server_on_all_addresses_takes_any_address_but_no_strange_name() -> None:
    settings = host_settings("0.0.0.0", ["lab.example"])
    guard = Guard(behind, index=INDEX, hosts=settings["IFDD_HOSTS"].split(), any_address=settings["IFDD_ANY_ADDRESS"] == "1")
    for host in ("10.0.0.7:8501", "[fe80::1]", "lab.example:8501"):
        assert ask(guard, "/", host)[0]["status"] == 200
    assert ask(guard, "/", "evil.example")[0]["status"] == 400
    assert host_settings("192.168.1.5") == {"IFDD_HOSTS": "192.168.1.5", "IFDD_ANY_ADDRESS": "0"}


@pytest.mark.parametrize("path", ["/clip/_stcore/health", "/clip/_stcore/host-config", "/_stcore/health"])
def test_a_page_may_ask_below_its_own_address(guard: Guard, path: str) -> None:
    assert ask(guard, path)[1]["body"].decode() == re.sub("^/clip", "", path)


def test_every_answer_carries_the_policy_and_pages_know_where_the_server_is(guard: Guard) -> None:
    for path in ("/", "/clip", "/_stcore/health", "/static/js/a.js"):
        headers = dict(ask(guard, path)[0]["headers"])
        policy = dict(rule.split(" ", 1) for rule in headers[b"content-security-policy"].decode().split("; "))
        assert policy["img-src"] == "'self' data: blob:"
        assert "'unsafe-inline'" not in policy["script-src"]
        assert not re.search(r"https?:|\*", " ".join(policy.values()))
    assert b"BACKEND_BASE_URL" in ask(guard, "/clip")[1]["body"]


def test_inline_scripts_are_known_by_their_hash() -> None:
    policy = content_security_policy('<head><script>alert("a")</script><script src="a.js"></script></head>')
    # printf 'alert("a")' | openssl dgst -sha256 -binary | openssl base64
    assert re.findall(r"'sha256-([^']*)'", policy) == ["SKV/HgGYXzsfYpUSTmvujMt5ZntUpsb//PekhjFQoL0="]
