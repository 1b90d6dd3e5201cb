"""Long work as jobs: an offer to start one where its result is wanted, how far it is, and what came of it."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import streamlit as st

from shared import looks, state
from workbench.app.from_ifdd import InputError, markdown_text
from workbench.app.jobs.records import Job
from workbench.app.jobs.store import Jobs

EVERY = 1.0  # seconds between looks at jobs that run
STATES = {
    "waiting": (":material/hourglass_top:", "waiting", "gray"),
    "running": (":material/play_circle:", "running", "blue"),
    "done": (":material/check_circle:", "done", "green"),
    "failed": (":material/error:", "failed", "red"),
    "cancelled": (":material/cancel:", "cancelled", "orange"),
}


@dataclass(frozen=True)
class Work:
    """A command whose result is wanted, as `Jobs.ask` takes it."""

    title: str
    argv: Sequence[str]
    inputs: Sequence[str | Path] = ()
    result: Path | None = None

    def find(self) -> Job | None:
        """The job that does it, or has done it."""
        return store().find(self.argv, self.inputs)

    def older(self) -> Job | None:
        """The job that has done it by another version of the code."""
        return store().older(self.argv, self.inputs)


def store() -> Jobs:
    """The jobs of the workspace in view."""
    return Jobs(state.workspace().results / "jobs")


def offer(
    title: str,
    argv: Sequence[str],
    key: str,
    *,
    inputs: Sequence[str | Path] = (),
    result: Path | None = None,
    seconds: float | None = None,
    about: str = "",
) -> Path | None:
    """The result of a command of `workbench` or `ifdd`, where it is there; else a panel that starts it and shows how far it is.

    A result that another version of the code made is handed over with a panel that says so and offers to make it again.
    `{out}` in `argv` stands for the result's folder, unless the command writes to `result`. `inputs`: what it reads, as hashes or
    files. `seconds`: how long it may take. `about`: why it is wanted, above the button.
    """
    made = offer_all({"": Work(title, argv, inputs, result)}, key, button=title, seconds=seconds, about=about)
    return made.get("")


def offer_all(
    works: Mapping[str, Work], key: str, *, button: str, seconds: float | None = None, about: str = ""
) -> dict[str, Path]:
    """As `offer`, of several: the results that are there, by name, and one panel for the others."""
    found = {name: work.find() for name, work in works.items()}
    done = {name: job.result for name, job in found.items() if job is not None and job.has_result}
    missing = {name: work for name, work in works.items() if name not in done}
    older = {name: job for name, work in missing.items() if (job := work.older()) is not None}
    if missing:
        active = any(job is not None and not job.is_over for job in found.values())
        what = f"{len(older)} results" if len(older) > 1 else "".join(job.title for job in older.values())
        mark = f"{what}: made on {_when(older.values())} by another version of the code; run it again." if older else ""
        run_again(_panel, active)(missing, key, active, button, seconds, about if len(older) < len(missing) else "", mark)
    return done | {name: job.result for name, job in older.items()}


def _when(ended: Iterable[Job]) -> str:
    """When the first of them ended."""
    return time.strftime("%d %b %Y, %H:%M", time.localtime(min(job.ended or 0 for job in ended)))


def run_again(part: Callable[..., Any], active: bool) -> Callable[..., Any]:
    """A part of a page that looks again every second while something goes on."""
    return st.fragment(part, run_every=EVERY if active else None)


def _panel(works: Mapping[str, Work], key: str, active: bool, button: str, seconds: float | None, about: str, mark: str) -> None:
    found = {name: work.find() for name, work in works.items()}
    going = [job for job in found.values() if job is not None and not job.is_over]
    if active and not going:
        st.rerun()  # the whole page: its results are there, or the panel says why not
    with st.container(border=True, key=f"{key}_job"):
        if mark:  # of what is shown below
            st.markdown(f":orange-badge[:material/history: older] {markdown_text(mark)}")
        if going:
            for job in going:
                show_progress(job, f"{key}_{job.key}")
            looks.note("It goes on when you leave this page, and when you close it; the page Jobs lists all that runs.")
            return
        for ended in filter(None, found.values()):
            show_end(ended, f"{key}_{ended.key}")
        if about:
            st.markdown(markdown_text(about))
        _button(works, key, button, seconds)


def _button(works: Mapping[str, Work], key: str, label: str, seconds: float | None) -> None:
    """Starts what is missing, where anything can be kept."""
    try:
        store().check_writable()
    except InputError as error:
        looks.show_error(error)
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        wanted = st.button(markdown_text(label), icon=":material/play_arrow:", key=f"{key}_start")
        if seconds is not None:
            looks.note(f"about {looks.duration(seconds)}, beside your work")
    if wanted:
        try:
            for work in works.values():
                store().ask(work.title, work.argv, work.inputs, work.result)
        except (InputError, OSError) as error:
            looks.show_error(error)
            return
        st.rerun()


def show_progress(job: Job, key: str) -> None:
    """How far a job that has not ended is, and a button that ends it."""
    told = job.progress()
    words = f"{job.title} — " + (told.words if told else "starting" if job.state == "running" else "waiting for its turn")
    if told and told.left is not None:
        words += f", about {looks.duration(told.left)} left in this step"
    left, right = st.columns([6, 1], vertical_alignment="bottom")
    left.progress((told.share or 0.0) if told else 0.0, markdown_text(words))
    if right.button("Cancel", icon=":material/stop_circle:", key=f"{key}_cancel", width="stretch", disabled=job.is_cancelled):
        try:
            store().cancel(job)
        except InputError as error:
            looks.show_error(error)


def show_end(job: Job, key: str) -> None:
    """What became of a job that has no result: why it failed, and what it printed."""
    if job.state == "failed":
        looks.show_error(InputError(f"{job.title} failed: {job.reason}"))
        show_log(job, key)
    elif job.state == "cancelled":
        looks.note(f"{job.title} was cancelled; what was finished is kept, and it goes on from there.")


def show_log(job: Job, key: str) -> None:
    """What a job printed, when it is opened."""
    menu = st.popover("Log", icon=":material/article:", type="tertiary", key=f"{key}_log", on_change="rerun")
    if menu.open:
        with menu:
            st.code(job.log() or "It has printed nothing.", language=None, wrap_lines=True, height=360)


def indicator() -> None:
    """What runs now, small; nothing where nothing runs. The page Jobs tells more."""
    active = any(not job.is_over for job in store().all())
    run_again(_indicator, active)()


def _indicator() -> None:
    going = [job for job in store().all() if not job.is_over]
    if not going:
        return
    running = [job for job in going if job.state == "running"] or going
    told = running[0].progress()
    words = running[0].title + (f" (and {len(going) - 1} more)" if len(going) > 1 else "")
    st.progress((told.share or 0.0) if told else 0.0, markdown_text(words))
