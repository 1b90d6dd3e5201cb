"""What every answer of the app's server passes through: known hosts, a token where others may ask, nothing from elsewhere."""

import base64
import hashlib
import hmac
import html
import ipaddress
import re
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from http.cookies import CookieError, SimpleCookie
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

Scope = MutableMapping[str, Any]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Server = Callable[[Scope, Callable[[], Awaitable[Any]], Send], Awaitable[None]]

# a page of several parts asks below its own address first where the server is; told here, it need not guess
_WHERE = '<script>window.__streamlit = {BACKEND_BASE_URL: window.location.origin + "/"}</script>'
_PRINT = f"<script>{Path(__file__).with_name('print.js').read_text(encoding='utf-8')}</script>"
_ASKED_BELOW_A_PAGE = re.compile(r"^/[^/]+(/_stcore/(?:health|host-config))$")
_PAGE = re.compile(r"^/[A-Za-z0-9_-]*$")
# A cookie that is strict is not sent where another site, a mail say, leads here: the page then asks once more by itself.
_AGAIN = "if (!sessionStorage.getItem('asked')) { sessionStorage.setItem('asked', '1'); location.replace(location.href); }"
_ENTER = """<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>IFDD Workbench</title><style>
body { font: 16px/1.5 system-ui, sans-serif; max-width: 34rem; margin: 12vh auto; padding: 0 1rem; color-scheme: light dark }
input, button { font: inherit; padding: .4rem .6rem }
</style><script>%s</script>
<h1>This app asks for its token</h1><p>%s</p>
<form><label>Token <input name="token" type="password" autocomplete="off" autofocus required></label> <button>Open</button></form>
"""
_ENTERED = """<!doctype html><html lang="en"><meta charset="utf-8"><title>IFDD Workbench</title>
<meta http-equiv="refresh" content="0;url=%s"><p><a href="%s">Open the app</a></p>
"""


class Guard:
    """An ASGI layer that refuses foreign hosts (400), serves the page, and sets a Content-Security-Policy.

    `hosts` are the names and addresses under which the app may be asked; ports do not matter. A name of someone else's that was
    pointed at this computer (DNS rebinding) is refused, for pages and WebSockets alike. Any address goes where `any_address`
    is set: for a server that listens on all of them. With a `token` whoever asks must have it (401): in the address of a page
    once, then in a cookie. Without one only this computer is answered (403), however the server was started.
    """

    def __init__(
        self, app: Server, *, index: Path, hosts: Iterable[str], any_address: bool = False, token: str | None = None
    ) -> None:
        self.app = app
        self.token = token
        self.hosts = {host.lower().strip("[]").rstrip(".") for host in hosts}
        self.any_address = any_address
        self.page = index.read_text(encoding="utf-8").replace("<head>", f"<head>{_WHERE}{_PRINT}", 1).encode()
        self.policy = content_security_policy(self.page.decode()).encode()
        self.policy_to_enter = content_security_policy(_ENTER % (_AGAIN, "")).encode()

    async def __call__(self, scope: Scope, receive: Callable[[], Awaitable[Any]], send: Send) -> None:
        """Answer one request, or hand it on."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        host = dict(scope["headers"]).get(b"host", b"").decode("latin-1")
        if not self.knows(host):
            known = ", ".join(sorted(self.hosts))
            text = f"This app is not {host[:100]!r}. It answers as {known}; for another name start it with --allow-host NAME.\n"
            await _refuse(scope, 400, text, send)
            return
        if self.token is None and not _is_here(scope):
            await _refuse(scope, 403, "This app answers its own computer alone; for others start it with --address.\n", send)
            return
        if self.token is not None and (_token_given(scope) is not None or not self._has_token(scope)):
            await self._ask_for_token(scope, send)
            return
        if below := _ASKED_BELOW_A_PAGE.match(scope["path"]):
            scope = {**scope, "path": below[1], "raw_path": below[1].encode()}

        async def answer(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", []), *self._headers()]
            await send(message)

        if scope["type"] == "http" and scope["method"] in ("GET", "HEAD") and _PAGE.match(scope["path"]):
            await _reply(answer, 200, b"text/html; charset=utf-8", self.page, scope["method"] == "GET")
        else:
            await self.app(scope, receive, answer)

    def knows(self, host: str) -> bool:
        """Whether a Host header, with or without a port, names this server."""
        try:
            name = (urlsplit(f"//{host}").hostname or "").rstrip(".")
        except ValueError:
            return False
        if name in self.hosts:
            return True
        try:
            ipaddress.ip_address(name)
        except ValueError:
            return False
        return self.any_address

    def _headers(self) -> list[tuple[bytes, bytes]]:
        return [
            (b"content-security-policy", self.policy),
            (b"x-content-type-options", b"nosniff"),
            (b"referrer-policy", b"no-referrer"),
        ]

    def _has_token(self, scope: Scope) -> bool:
        given = _cookie(scope, _cookie_name(scope))
        return given is not None and self._is_token(given)

    def _is_token(self, given: str) -> bool:
        return hmac.compare_digest(given.encode(), (self.token or "").encode())

    async def _ask_for_token(self, scope: Scope, send: Send) -> None:
        """Take the token from the address of a page, from which it then disappears; else refuse, and say where it stands."""
        if scope["type"] == "websocket" or scope["method"] not in ("GET", "HEAD") or not _PAGE.match(scope["path"]):
            await _refuse(scope, 401, "This app asks for its token: open the address that workbench app printed.\n", send)
            return
        given = _token_given(scope)
        extra = [(b"content-security-policy", self.policy_to_enter), (b"referrer-policy", b"no-referrer")]
        if given is not None and self._is_token(given):
            rest = urlencode([(name, value) for name, value in _query(scope) if name != "token"])
            onward = html.escape(scope["path"] + (f"?{rest}" if rest else ""))
            cookie = f"{_cookie_name(scope)}={self.token}; Path=/; HttpOnly; SameSite=Strict"
            extra.append((b"set-cookie", cookie.encode("latin-1")))
            status, page = 200, _ENTERED % (onward, onward)
        else:
            wrong = "That is not its token. " if given else ""
            status, page = 401, _ENTER % (_AGAIN, f"{wrong}Open the address that workbench app printed, or enter its token here.")
        await _reply(send, status, b"text/html; charset=utf-8", page.encode(), scope["method"] == "GET", extra)


def _is_here(scope: Scope) -> bool:
    """Whether this computer asks (a socket that is no network's has no address)."""
    client = scope.get("client")
    try:
        return client is None or ipaddress.ip_address(client[0].partition("%")[0]).is_loopback
    except ValueError:
        return False


def _query(scope: Scope) -> list[tuple[str, str]]:
    return parse_qsl(scope.get("query_string", b"").decode("latin-1"), keep_blank_values=True)


def _token_given(scope: Scope) -> str | None:
    """The token in the address of a page; None where it has none."""
    is_page = scope["type"] == "http" and scope["method"] in ("GET", "HEAD") and _PAGE.match(scope["path"])
    return dict(_query(scope)).get("token") if is_page else None


def _cookie_name(scope: Scope) -> str:
    """Cookies are of a host, whatever the port: two apps on one computer have one each."""
    server = scope.get("server") or ("", 0)
    return f"ifdd_token_{server[1]}"


def _cookie(scope: Scope, name: str) -> str | None:
    text = "; ".join(value.decode("latin-1") for key, value in scope["headers"] if key == b"cookie")
    try:
        found = SimpleCookie(text).get(name)
    except CookieError:
        return None
    return None if found is None else found.value


async def _refuse(scope: Scope, status: int, text: str, send: Send) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008})
        return
    await _reply(send, status, b"text/plain; charset=utf-8", text.encode(), scope["method"] != "HEAD")


async def _reply(
    send: Send, status: int, kind: bytes, body: bytes, with_body: bool, extra: Iterable[tuple[bytes, bytes]] = ()
) -> None:
    headers = [(b"content-type", kind), (b"content-length", str(len(body)).encode()), (b"cache-control", b"no-cache"), *extra]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body if with_body else b""})


def content_security_policy(page: str) -> str:
    """The policy for an index page: its own inline scripts by their hash, everything else from this server alone.

    Streamlit styles in place, plotly's WebGL and Streamlit's components make code at run time ('unsafe-eval', blob:).
    """
    scripts = re.findall(r"<script(?![^>]*\ssrc=)[^>]*>(.*?)</script>", page, re.DOTALL)
    hashes = [f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'" for text in scripts]
    rules = {
        "default-src": ["'self'"],
        "script-src": ["'self'", "'unsafe-eval'", "blob:", *hashes],
        "style-src": ["'self'", "'unsafe-inline'", "blob:"],
        "img-src": ["'self'", "data:", "blob:"],
        "media-src": ["'self'", "data:", "blob:"],
        "font-src": ["'self'", "data:"],
        "connect-src": ["'self'", "data:", "blob:"],
        "worker-src": ["'self'", "blob:"],
        "frame-src": ["'self'", "blob:"],
        "object-src": ["'none'"],
        "base-uri": ["'none'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'self'"],
    }
    return "; ".join(f"{name} {' '.join(values)}" for name, values in rules.items())
