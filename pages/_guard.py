"""What every answer of the app's server passes through: known hosts only, and a page that may load nothing from elsewhere."""

import base64
import hashlib
import ipaddress
import re
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

Scope = MutableMapping[str, Any]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Server = Callable[[Scope, Callable[[], Awaitable[Any]], Send], Awaitable[None]]

# a page of several parts asks below its own address first where the server is; told here, it need not guess
_WHERE = '<script>window.__streamlit = {BACKEND_BASE_URL: window.location.origin + "/"}</script>'
_ASKED_BELOW_A_PAGE = re.compile(r"^/[^/]+(/_stcore/(?:health|host-config))$")
_PAGE = re.compile(r"^/[A-Za-z0-9_-]*$")


class Guard:
    """An ASGI layer that refuses foreign hosts (400), serves the page, and sets a Content-Security-Policy.

    `hosts` are the names and addresses under which the app may be asked; ports do not matter. A name of someone else's that was
    pointed at this computer (DNS rebinding) is refused, for pages and WebSockets alike. Any address goes where `any_address`
    is set: for a server that listens on all of them.
    """

    def __init__(self, app: Server, *, index: Path, hosts: Iterable[str], any_address: bool = False) -> None:
        self.app = app
        self.hosts = {host.lower().strip("[]").rstrip(".") for host in hosts}
        self.any_address = any_address
        self.page = index.read_text(encoding="utf-8").replace("<head>", f"<head>{_WHERE}", 1).encode()
        self.policy = content_security_policy(self.page.decode()).encode()

    async def __call__(self, scope: Scope, receive: Callable[[], Awaitable[Any]], send: Send) -> None:
        """Answer one request, or hand it on."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        host = dict(scope["headers"]).get(b"host", b"").decode("latin-1")
        if not self.knows(host):
            await self._refuse(scope, host, send)
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

    async def _refuse(self, scope: Scope, host: str, send: Send) -> None:
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
            return
        known = ", ".join(sorted(self.hosts))
        text = f"This app is not {host[:100]!r}. It answers as {known}; for another name start it with --allow-host NAME.\n"
        await _reply(send, 400, b"text/plain; charset=utf-8", text.encode(), scope["method"] != "HEAD")


async def _reply(send: Send, status: int, kind: bytes, body: bytes, with_body: bool) -> None:
    headers = [(b"content-type", kind), (b"content-length", str(len(body)).encode()), (b"cache-control", b"no-cache")]
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
