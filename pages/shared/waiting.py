"""What a page waits for while others go on: it is drawn without, says how many are before it, and again once it is there."""

from collections.abc import Callable, Hashable, Mapping
from typing import Any

import streamlit as st

from shared import looks
from workbench.app import background

EVERY = 0.5  # seconds between looks


@st.cache_resource(show_spinner=False)
def line() -> background.Background:
    """The work of all visitors."""
    return background.Background()


def wait_for(works: Mapping[Hashable, Callable[[], Any]], what: str, *, keep: bool = True) -> list[Any]:
    """What the works make, by a key that says what each is of; they use nothing of Streamlit.

    Where that takes longer than a page may take, the page ends here, says so, and is drawn again when all are done. Whoever
    leaves gives up the place in the line. `keep`: others who ask for the same get it at once.
    Raises: what making one has raised.
    """
    tasks = {key: line().ask(key, make) for key, make in works.items()}
    left = background.PATIENCE
    for task in tasks.values():
        if not task.is_done and not task.wait(left):
            st.fragment(_waiting, run_every=EVERY)(dict(works), what)
            st.stop()
    found = []
    for key, task in tasks.items():
        try:
            found.append(task.value())
        except BaseException:
            line().forget(key)  # who asks again may have mended it
            raise
        if not keep:
            line().forget(key)
    return found


def _waiting(works: Mapping[Hashable, Callable[[], Any]], what: str) -> None:
    tasks = [line().ask(key, make) for key, make in works.items()]
    if all(task.is_done for task in tasks):
        st.rerun()
    before = min(line().before(task) for task in tasks if not task.is_done)
    queue = f" {before} {'question' if before == 1 else 'questions'} of others before it." if before else ""
    st.info(looks.markdown_text(f"{what} …{queue}"), icon=":material/hourglass_top:")
