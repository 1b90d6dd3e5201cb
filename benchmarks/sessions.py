"""A visitor of the app without a browser: one WebSocket that speaks Streamlit's messages, for loads of many visitors at once."""

import http.client
import re
import time
import uuid
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import urlsplit

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.sync.client import ClientConnection, connect

PATIENCE = 120.0  # seconds


@dataclass
class Drawn:
    """What one run of a page sent: seconds until it was whole, bytes, its elements by kind, and what it called an error."""

    seconds: float
    size: int
    elements: list[Any]
    errors: list[str]

    def of(self, kind: str) -> list[Any]:
        """The elements of a kind: "markdown", "file_uploader" …"""
        return [getattr(element, kind) for element in self.elements if element.WhichOneof("type") == kind]

    @property
    def text(self) -> str:
        """Everything that was sent, as text: to look for what should not be in it."""
        return "\n".join(str(element) for element in self.elements)


@dataclass
class Visitor:
    """One session of the app at `address` ("http://127.0.0.1:8501"); `cookie` where it asks for a token."""

    address: str
    cookie: str = ""
    pages: dict[str, str] = field(default_factory=dict)
    widgets: dict[str, WidgetState] = field(default_factory=dict)
    session: str = ""
    page: str = ""
    query: str = ""

    def __enter__(self) -> Self:
        self.host = urlsplit(self.address).netloc
        self.xsrf = self._xsrf()
        cookies = "; ".join(filter(None, (self.cookie, f"_streamlit_xsrf={self.xsrf}" if self.xsrf else "")))
        self.cookies = cookies
        self.closing = ExitStack()
        line = connect(
            f"ws://{self.host}/_stcore/stream",
            subprotocols=["streamlit", self.xsrf or "PLACEHOLDER"],  # type: ignore[list-item]
            origin=f"http://{self.host}",  # type: ignore[arg-type]
            additional_headers={"Cookie": cookies} if cookies else {},
            max_size=None,
            open_timeout=PATIENCE,
            ping_interval=None,
        )
        self.socket: ClientConnection = self.closing.enter_context(line)
        return self

    def __exit__(self, *_: object) -> None:
        self.closing.close()

    def _xsrf(self) -> str:
        line = http.client.HTTPConnection(self.host, timeout=PATIENCE)
        line.request("GET", "/_stcore/health", headers={"Cookie": self.cookie} if self.cookie else {})
        answer = line.getresponse()
        answer.read()
        found = re.search(r"_streamlit_xsrf=([^;]+)", answer.getheader("Set-Cookie") or "")
        line.close()
        return found[1] if found else ""

    def go(self, page: str = "", query: str = "") -> Drawn:
        """Open a page by its address, as by a click in the side bar; `query` without "?"."""
        self.page, self.query = page, query
        return self.run()

    def run(self) -> Drawn:
        """Have the page drawn with the widgets as they are."""
        message = BackMsg()
        state = message.rerun_script
        state.query_string = self.query
        if self.page in self.pages:
            state.page_script_hash = self.pages[self.page]
        else:
            state.page_name = self.page
        state.widget_states.widgets.extend(self.widgets.values())
        state.context_info.timezone, state.context_info.locale = "UTC", "en-US"
        state.context_info.url = f"{self.address}/{self.page}"
        begin = time.perf_counter()
        self.socket.send(message.SerializeToString())
        elements: dict[tuple[int, ...], Any] = {}
        errors: list[str] = []
        size = 0
        while True:
            told, count = self._next()
            size += count
            kind = told.WhichOneof("type")
            if kind == "new_session":
                self.session = told.new_session.initialize.session_id or self.session
                elements.clear()
            elif kind == "navigation":
                self.pages |= {page.url_pathname: page.page_script_hash for page in told.navigation.app_pages}
            elif kind == "delta" and told.delta.WhichOneof("type") == "new_element":
                elements[tuple(told.metadata.delta_path)] = told.delta.new_element
            elif kind == "page_not_found":
                errors.append(f"no page {self.page!r}")
            elif kind == "session_event" and told.session_event.WhichOneof("type") == "script_compilation_exception":
                errors.append(told.session_event.script_compilation_exception.message)
            elif kind == "script_finished" and told.script_finished != ForwardMsg.FINISHED_EARLY_FOR_RERUN:
                break
        drawn = Drawn(time.perf_counter() - begin, size, list(elements.values()), errors)
        drawn.errors += [f"{error.type}: {error.message}" for error in drawn.of("exception")]
        drawn.errors += [alert.body for alert in drawn.of("alert") if alert.format == alert.ERROR]
        return drawn

    def upload(self, widget: str, name: str, content: bytes) -> int:
        """Put a file into a file uploader, as the browser does; the status of the server's answer."""
        message = BackMsg()
        asked = message.file_urls_request
        asked.request_id, asked.session_id = uuid.uuid4().hex, self.session
        asked.file_names.append(name)
        self.socket.send(message.SerializeToString())
        while (told := self._next()[0]).WhichOneof("type") != "file_urls_response":
            pass
        (urls,) = told.file_urls_response.file_urls
        status = self.put(urls.upload_url, name, content)
        if status < 300:
            state = self.widgets.setdefault(widget, WidgetState(id=widget)).file_uploader_state_value
            info = state.uploaded_file_info.add()
            info.name, info.size, info.file_id = name, len(content), urls.file_id
            info.file_urls.CopyFrom(urls)
        return status

    def put(self, path: str, name: str, content: bytes) -> int:
        """Send a file to an address of the server; the status of its answer."""
        line = "a-line-that-no-video-holds"
        head = f'--{line}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'
        headers = {"Content-Type": f"multipart/form-data; boundary={line}", "Cookie": self.cookies, "X-Xsrftoken": self.xsrf}
        connection = http.client.HTTPConnection(self.host, timeout=PATIENCE)
        try:
            connection.request("PUT", path, head.encode() + content + f"\r\n--{line}--\r\n".encode(), headers)
            answer = connection.getresponse()
            answer.read()
            return answer.status
        finally:
            connection.close()

    def _next(self) -> tuple[ForwardMsg, int]:
        data = self.socket.recv(timeout=PATIENCE)
        told = ForwardMsg()
        told.ParseFromString(data if isinstance(data, bytes) else data.encode())
        return told, len(data)
