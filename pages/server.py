"""The app's server: Streamlit behind a guard. Start it with: workbench app"""

import ctypes
import gc
import os
import sys
import time
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from threading import Thread

import streamlit as st
from _guard import Guard
from _routes import routes
from starlette.middleware import Middleware

# A model gives the interpreter away at every layer, and gets it back after this time at the latest, where other visitors' pages
# are being drawn: with the usual 5 ms it waits most of the time.
sys.setswitchinterval(0.0005)

# Each of Streamlit's threads would get a heap of its own from glibc, which keeps what was freed: with two heaps the server is
# smaller by what its visitors no longer look at. Elsewhere there is no such setting.
with suppress(AttributeError, OSError, TypeError):
    ctypes.CDLL(None).mallopt(-8, 2)  # M_ARENA_MAX

INDEX = Path(st.__file__).parent / "static" / "index.html"

app = st.App(
    Path(__file__).with_name("app.py"),
    routes=routes(),
    middleware=[
        Middleware(
            Guard,
            index=INDEX,
            hosts=["localhost", "127.0.0.1", "::1", *os.environ.get("IFDD_HOSTS", "").split()],
            any_address=os.environ.get("IFDD_ANY_ADDRESS") == "1",
            token=os.environ.get("IFDD_TOKEN") or None,
        )
    ],
)


def _read_ahead() -> None:
    """Load what every page needs, and read the clips that a fresh page shows, while the browser loads its own part of the app.

    What runs networks (torch: 1.5 s of a processor) no page of numbers needs: it is loaded once the first page stands.
    """
    loaded = import_module("_loaded")
    gc.freeze()  # modules are not garbage: who looks for some, as statsmodels in every call, need not go through them
    loaded.state.read_ahead()
    loaded.FIRST_PAGE.wait()
    time.sleep(2)  # in which the browser draws it
    for name in ("workbench.explain.task", "workbench.analysis.saliency.differences"):  # the latter brings scipy.stats with it
        import_module(name)
    gc.freeze()


Thread(target=_read_ahead, name="read ahead", daemon=True).start()
