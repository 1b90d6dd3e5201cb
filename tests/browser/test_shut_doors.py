"""The real server refuses what it said that it would: uploads that are too large, files of no visitor, whoever has no token."""

import http.client
import itertools
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from benchmarks.serving import serving
from benchmarks.sessions import Visitor
from tests.browser.conftest import PATIENCE, settings_of
from tests.tiny_demo import TinyDemo
from workbench.app.limits import LIMITS

pytestmark = pytest.mark.browser
TOKEN = "a_token-of-more-than-16-letters"
LINE = b'--a-line\r\nContent-Disposition: form-data; name="file"; filename="large.mp4"\r\n\r\n'


def rss(pid: int) -> float:
    """Megabytes of memory that a process holds."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


@pytest.fixture(scope="module")
def locked(tiny_demo: TinyDemo) -> Iterator[tuple[str, int]]:
    """An app that asks for a token: its address and its process."""
    with serving(settings_of(tiny_demo) | {"IFDD_TOKEN": TOKEN}, healthy=401) as served:
        yield served.address, served.process.pid


def status(port: int, path: str = "/_stcore/health") -> int | None:
    """What a stranger is answered; None where nobody answers."""
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        line.request("GET", path)
        answer = line.getresponse()
        answer.read()
        return answer.status
    except OSError:
        return None
    finally:
        line.close()


def test_two_gigabytes_are_refused_without_filling_the_memory(locked: tuple[str, int]) -> None:
    address, pid = locked
    port = address.rpartition(":")[2]
    with Visitor(address, f"ifdd_token_{port}={TOKEN}") as visitor:
        (uploader,) = visitor.go("upload").of("file_uploader")
        assert uploader.max_upload_size_mb == LIMITS.megabytes
        headers = {"Content-Type": "multipart/form-data; boundary=a-line", "Cookie": visitor.cookies, "X-Xsrftoken": visitor.xsrf}
        path = f"/_stcore/upload_file/{visitor.session}/00000000-0000-0000-0000-000000000000"
        before = rss(pid)

        line = http.client.HTTPConnection(visitor.host, timeout=60)
        line.putrequest("PUT", path)
        for name, value in (headers | {"Content-Length": str(2 * 2**30)}).items():
            line.putheader(name, value)
        line.endheaders(LINE)
        answer = line.getresponse()
        assert answer.status == 413  # at once
        answer.close()
        line.close()

        line = http.client.HTTPConnection(visitor.host, timeout=60)  # one that does not say how much follows
        parts = itertools.chain([LINE], itertools.repeat(bytes(2**20), LIMITS.megabytes + 40))
        line.request("PUT", path, parts, headers | {"Transfer-Encoding": "chunked"}, encode_chunked=True)
        answer = line.getresponse()
        assert answer.status == 413
        answer.close()
        line.close()
        assert rss(pid) - before < 100
        assert not visitor.run().errors  # it goes on


def test_files_of_no_visitor_are_refused(address: str) -> None:
    with Visitor(address) as visitor:
        visitor.go("upload")
        assert visitor.put("/_stcore/upload_file/nobody/00000000-0000-0000-0000-000000000000", "a.mp4", b"x") == 400
        visitor.xsrf = "2|00000000|00|0"
        assert visitor.put(f"/_stcore/upload_file/{visitor.session}/00000000-0000-0000-0000-000000000000", "a.mp4", b"x") == 403


def test_the_app_opens_with_its_token_alone(locked: tuple[str, int], browser: Browser) -> None:
    address, _ = locked
    window = browser.new_context().new_page()
    window.set_default_timeout(PATIENCE)
    answer = window.goto(f"{address}/overview")
    assert answer is not None
    assert answer.status == 401
    window.get_by_role("heading", name="This app asks for its token").wait_for()
    window.get_by_label("Token").fill("wrong")
    window.get_by_role("button", name="Open").click()
    window.get_by_text("That is not its token").wait_for()
    window.goto(f"{address}/?tour=off&token={TOKEN}")
    window.get_by_role("heading", name="Overview").wait_for()  # over the WebSocket, which has the cookie
    assert "token" not in window.url
    assert window.evaluate("document.cookie").count(TOKEN) == 0  # no script reads it
    window.context.close()
    port = int(address.rpartition(":")[2])
    assert [status(port, path) for path in ("/", "/static/js/index.js", "/media/a.png", "/_stcore/stream")] == [401] * 4
