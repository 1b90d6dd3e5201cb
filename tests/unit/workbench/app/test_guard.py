"""The layer before the app's server: known hosts, the page's policy, where the server is."""

import re
import sys
from pathlib import Path
from typing import Any

import pytest
import streamlit as st

sys.path.insert(0, str(Path(__file__).resolve().parents[4] / "pages"))
from _guard import Guard, content_security_policy

from ifdd.errors import InputError
from workbench.app.serve import host_settings, token_for, warning_of

INDEX = Path(st.__file__).parent / "static" / "index.html"


def ask(
    guard: Guard,
    path: str = "/",
    host: str | None = "127.0.0.1:8501",
    kind: str = "http",
    cookie: str | None = None,
    client: str = "127.0.0.1",
    method: str = "GET",
) -> list[dict[str, Any]]:
    said: list[dict[str, Any]] = []

    async def send(message: Any) -> None:
        said.append(dict(message))

    async def receive() -> dict[str, str]:
        return {"type": "http.request"}

    headers = [] if host is None else [(b"host", host.encode())]
    headers += [] if cookie is None else [(b"cookie", cookie.encode())]
    path, _, query = path.partition("?")
    scope = {"type": kind, "method": method, "path": path, "raw_path": path.encode(), "headers": headers}
    scope |= {"query_string": query.encode(), "client": (client, 1234), "server": ("127.0.0.1", 8501)}
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
        assert ask(guard, "/", host, client="10.0.0.9")[0]["status"] == 403  # it was started without a token
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


TOKEN = "a_token-of-more-than-16-letters"
ALL_OF_IT = (
    "/",
    "/clip",
    "/_stcore/health",
    "/static/js/a.js",
    "/media/a.png",
    "/thumbs/demo/a.webp",
    "/_stcore/upload_file/a/b",
)


@pytest.fixture(scope="module")
def locked() -> Guard:
    return Guard(behind, index=INDEX, hosts=["localhost"], any_address=True, token=TOKEN)


@pytest.mark.parametrize("client", ["10.0.0.9", "127.0.0.1", "fe80::1%eth0"])
def test_nothing_is_answered_without_the_token(locked: Guard, client: str) -> None:
    for cookie in (None, "", "ifdd_token_8501=", f"ifdd_token_8501={TOKEN[:-1]}", f"ifdd_token_80={TOKEN}", "a=\x00;;", "é=ü"):
        for path in ALL_OF_IT:
            for method in ("GET", "HEAD", "PUT", "POST", "DELETE", "OPTIONS"):
                answer = ask(locked, path, "10.0.0.7:8501", cookie=cookie, client=client, method=method)
                assert answer[0]["status"] == 401
                assert TOKEN.encode() not in answer[1]["body"]
        assert ask(locked, "/_stcore/stream", "10.0.0.7", "websocket", cookie, client) == [
            {"type": "websocket.close", "code": 1008}
        ]


def test_the_token_is_taken_from_the_address_once_and_kept_in_a_strict_cookie(locked: Guard) -> None:
    assert ask(locked, "/?token=another", client="10.0.0.9", host="10.0.0.7")[0]["status"] == 401
    assert ask(locked, f"/_stcore/health?token={TOKEN}")[0]["status"] == 401  # only a page takes it
    start, body = ask(locked, f"/clip?clip=a%26b&token={TOKEN}&x=%22%3E", client="10.0.0.9", host="10.0.0.7")
    assert start["status"] == 200
    assert body["body"].count(b"/clip?clip=a%26b&amp;x=%22%3E") == 2
    assert TOKEN.encode() not in body["body"]
    cookie = dict(start["headers"])[b"set-cookie"].decode()
    assert cookie == f"ifdd_token_8501={TOKEN}; Path=/; HttpOnly; SameSite=Strict"
    kept = cookie.partition(";")[0]
    for path in ALL_OF_IT:
        assert ask(locked, path, "10.0.0.7", cookie=f"other=1; {kept}", client="10.0.0.9")[0]["status"] == 200
    assert ask(locked, "/_stcore/stream", "10.0.0.7", "websocket", kept) == [{"type": "websocket.accept"}]
    assert b"set-cookie" in dict(ask(locked, f"/?token={TOKEN}", cookie=kept)[0]["headers"])  # it leaves the address, too


def test_the_page_that_asks_for_the_token_may_run_its_own_script_alone(locked: Guard) -> None:
    start, body = ask(locked, "/?token=%3Cscript%3E")
    policy = dict(start["headers"])[b"content-security-policy"].decode()
    (script,) = re.findall("<script>(.*?)</script>", body["body"].decode())
    assert content_security_policy(f"<script>{script}</script>") == policy


@pytest.mark.parametrize(("address", "hosts"), [("127.0.0.1", []), ("::1", []), ("localhost", [])])
def test_no_token_where_only_this_computer_asks(address: str, hosts: list[str]) -> None:
    assert token_for(address, hosts) == ""


@pytest.mark.parametrize(("address", "hosts"), [("0.0.0.0", []), ("::", []), ("192.168.1.5", []), ("127.0.0.1", ["lab.example"])])
def test_a_token_and_a_warning_where_others_may_ask(address: str, hosts: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("IFDD_TOKEN", raising=False)
    token = token_for(address, hosts)
    assert len(token) == 32
    assert token != token_for(address, hosts)
    said = warning_of(address, hosts, 8502, token)
    assert said.startswith("warning: ")
    assert f":8502/?token={token}\n" in said
    assert (hosts or [address])[0] in said
    monkeypatch.setenv("IFDD_TOKEN", TOKEN)
    assert token_for(address, hosts) == TOKEN


@pytest.mark.parametrize("given", ["short", "sixteen letters; and a cookie", "ß" * 20])
def test_a_token_that_is_none_is_refused(given: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IFDD_TOKEN", given)
    with pytest.raises(InputError, match="16 or more letters"):
        token_for("0.0.0.0")
