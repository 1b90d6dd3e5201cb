"""All jobs of the workspace: what runs, what was made, what failed and why."""

import shlex
import time

import streamlit as st
from shared import jobs, looks

from workbench.app.from_ifdd import InputError, markdown_text
from workbench.app.jobs.records import Job

SHOWN = 30  # so many; older ones wait behind a button


def show_job(job: Job) -> None:
    """One job."""
    icon, words, colour = jobs.STATES[job.state]
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.badge(words, icon=icon, color=colour)  # type: ignore[arg-type]
            st.markdown(f"**{markdown_text(job.title)}**", width="stretch")
            looks.note(_times(job))
            jobs.show_log(job, f"jobs_{job.key}")
            with st.popover("Command", icon=":material/terminal:", type="tertiary", key=f"jobs_{job.key}_command"):
                st.code(shlex.join(job.command), language="bash", wrap_lines=True)
                looks.note(f"Its result: {job.result}" + ("" if job.has_result or not job.is_over else " (not there)"))
            if job.is_over and st.button("Remove", icon=":material/delete:", type="tertiary", key=f"jobs_{job.key}_remove"):
                _remove(job)
        if not job.is_over:
            jobs.show_progress(job, f"jobs_{job.key}")
        elif job.state == "failed":
            looks.show_error(InputError(job.reason))


def _remove(job: Job) -> None:
    try:
        jobs.store().remove(job)
    except InputError as error:
        looks.show_error(error)
        return
    st.rerun()


def _times(job: Job) -> str:
    asked = time.strftime("%d %b %H:%M", time.localtime(job.asked))
    return f"{asked}, ran {looks.duration(job.seconds())}" if job.started else asked


def show_jobs(active: bool) -> None:
    """The list, those that go on first."""
    found = sorted(jobs.store().all(), key=lambda job: job.is_over)
    if active and all(job.is_over for job in found):
        st.rerun()
    more = len(found) > SHOWN and not st.session_state.get("jobs_older")
    for job in found[:SHOWN] if more else found:
        show_job(job)
    if more:
        st.button(f"Show {len(found) - SHOWN} older", key="jobs_older", icon=":material/history:")
    if not found:
        st.info(
            "Nothing was started yet. Reading clips, scorecards and other long work begins on the page that needs it, and shows "
            "here how far it is.",
            icon=":material/info:",
        )


looks.heading(
    "Jobs",
    "Long work runs beside the pages: it goes on when you leave or close them, and what was made once is found again.",
)
active = any(not job.is_over for job in jobs.store().all())
jobs.run_again(show_jobs, active)(active)
