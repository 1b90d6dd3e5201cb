"""How did the trainings go, and in what do they differ?"""

from pathlib import Path

import pandas as pd
import streamlit as st
from shared import charts, jobs, looks, state, tables, view

from workbench.analysis.training.displays import CAPTION, CurvesDisplay, recipe_rows, rows
from workbench.analysis.training.recipes import recipe_differences
from workbench.analysis.training.results import RunLog
from workbench.analysis.training.runs import find_runs, read_run, stamp
from workbench.analysis.training.task import gathered
from workbench.app.from_ifdd import Card, InputError, markdown_text
from workbench.app.runs import audit_rows, audits_of, recipes_of, run_places
from workbench.benchmark.displays.seeds import FEW, SeedsDisplay
from workbench.store.layout import BENCHMARK

SHORT = Path(__file__).resolve().parents[1] / "recipes" / "demo-ifdd.yaml"
SHORT_TAKES = 90  # seconds on two cores: 63 on a quiet machine, rendering included
SHOWN = 6  # so many curves can be told apart; the reader may choose more


@st.cache_resource(max_entries=512, show_spinner=False)
def _log(folder: Path, changed: object) -> RunLog:
    return read_run(folder)


def logs() -> list[RunLog]:
    """The runs that can be read, the one that was written last first; a panel for each that is damaged."""
    found = []
    for folder in find_runs(run_places(state.workspace())):
        try:
            found.append(_log(folder, stamp(folder)))
        except (InputError, OSError) as error:
            looks.show_error(error, str(folder))
    return found


def offer_a_training() -> None:
    """What there is to see without a run: a short training, by one click, and where runs are looked for."""
    jobs.offer(
        "Train a small model",
        ["ifdd", "train", str(SHORT), "--out", "{out}/demo-ifdd"],
        "training_first",
        inputs=[SHORT],
        seconds=SHORT_TAKES,
        about="No training is here yet. A short one on drawn faces shows how curves grow, which epoch is kept, and what its "
        "score is worth; it starts from the shipped baseline, and its curves appear after the first epoch.",
    )
    places = ", ".join(str(place) for place in run_places(state.workspace()))
    looks.note(
        f"Runs are looked up in {places}, and in the folders given to workbench app --runs. Recipes shows what the checkpoints' "
        "cards record of their training."
    )


def show_curves() -> None:
    """Curves of the chosen runs; read again every few seconds while one goes on."""
    found = logs()
    if not found:
        offer_a_training()
        return
    result = gathered(found)
    names = list(result.runs)
    chosen = st.multiselect("Runs", names, default=names[:SHOWN], **view.linked("training_runs"))
    if not chosen:
        st.info("Choose a run above.", icon=":material/info:")
        return
    shown = gathered([result.runs[name] for name in chosen])
    displays = {}
    if any(len(run.epochs) for run in shown.runs.values()):
        displays["curves"] = display = CurvesDisplay.from_result(shown)
        figure = display.to_plotly().update_layout(height=430)
        charts.chart(figure, "training_curves", "UAR, WAR, loss and learning rate by epoch, of each run")
        looks.note(CAPTION)
    table = pd.DataFrame(rows(shown))
    tables.show(table, alt="State, kept epoch and scores of each run, with 95 % intervals")
    with st.container(horizontal=True):
        if displays:
            charts.save_button(displays, "training", "training_save")
        folders = [run.folder for run in shown.runs.values()]
        charts.reproduce(
            ["workbench", "training", *folders],
            f"""
from workbench.analysis.training.task import curves, run

print(curves(run({folders!r})))
""",
            "training_curves",
        )


def show_recipes(cards: dict[str, Card]) -> None:
    """In what the recipes of runs and checkpoints differ."""
    known = recipes_of(cards)
    if runs := logs():
        known |= {f"run {name}": run.recipe for name, run in gathered(runs).runs.items()}
    if not known:
        st.info("No run, and no checkpoint in view, tells the recipe that it was trained by.", icon=":material/info:")
        return
    chosen = st.multiselect("Side by side", list(known), default=list(known)[:SHOWN], **view.linked("training_recipes"))
    if not chosen:
        return
    everything = st.toggle("All keys", help="Also those in which they are all alike.", **view.linked("training_keys"))
    found = recipe_differences({name: known[name] for name in chosen})
    cells = recipe_rows(found, different=not everything and len(chosen) > 1)
    if not cells:
        looks.note("These recipes are the same in every key.")
        return
    looks.note(f"{len(found.different)} of {len(found.values)} keys differ. –: the recipe has no such key.")
    table = pd.DataFrame(cells, columns=["key", *found.names])
    tables.show(table, height="content", alt="Keys of the recipes, a column for each")


def show_audit() -> None:
    """The checkpoints that a run kept side by side, where that has been computed."""
    ended = [run for run in logs() if run.state == "finished"]
    if not ended:
        st.info("No run has ended yet: an audit scores the checkpoints that it kept.", icon=":material/info:")
        return
    runs = gathered(ended).runs
    name = st.selectbox("Run", list(runs), **view.linked("training_audit"))
    folder, results = runs[name].folder, state.workspace().results
    found = audits_of([results]).get(folder)
    if found is None:
        looks.note(
            "Not audited yet. An audit scores the best checkpoint, the last, and averaged weights on validation and test, and "
            "tells by how much a choice on the test part would have been too good. It reads all clips of both."
        )
        argv = ["ifdd", "audit", folder, "--out", "{out}"]
        jobs.offer("Audit the run", argv, "training_audit_job", inputs=[Path(folder) / "metrics.json"])
    else:
        lines, words = audit_rows(found)
        tables.show(lines, alt="UAR and WAR of each checkpoint of the run, with 95 % intervals")
        st.markdown(markdown_text(f"{words[0].upper()}{words[1:]}."))
    python = f"from ifdd.training.audit import audit\n\nprint(audit({folder!r}).words)"
    charts.reproduce(["ifdd", "audit", folder, "--out", str(results / f"audit-{Path(folder).name}")], python, "training_audit")


def show_seeds() -> None:
    """How far seeds of one variant lie apart."""
    if (file := state.measured(BENCHMARK)) is None:
        st.info("Nothing has been measured over seeds: workbench benchmark scores trained variants.", icon=":material/info:")
        return
    benchmark = state.benchmark(file)
    suites = [suite.suite for suite in benchmark.robustness.suites]
    left, right = st.columns([1, 3])
    suite = left.selectbox("Suite", suites, **view.linked("training_suite"))
    variants = right.multiselect(
        "Variants", list(benchmark.robustness.members), default=state.compared(benchmark), **view.linked("training_variants")
    )
    if not variants:
        return
    display = SeedsDisplay.from_result(benchmark.robustness.of(variants), suite)
    charts.chart(display.to_plotly(), "training_seeds", f"UAR of each seed and variant on {suite}", read="robustness")
    looks.note(f"Bars: a seed each; markers: their mean with a 95 % interval; {FEW}. Made by workbench benchmark.")
    charts.save_button({f"seeds {suite}": display}, "training", "training_seeds_save")


looks.heading("Training", "How the trainings went, which epoch was kept, and in what their recipes differ.")
cards = state.cards()
curves, recipes, audit, seeds = st.tabs(["Curves", "Recipes", "Audit", "Seeds"])
with curves:
    running = any(run.state == "running" for run in logs())
    st.fragment(show_curves, run_every=5 if running else None)()
with recipes:
    show_recipes(cards)
with audit:
    show_audit()
with seeds:
    show_seeds()
