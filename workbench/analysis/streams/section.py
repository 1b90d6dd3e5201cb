"""What face and scene do, in the report: shares of the answers, and what an exchange changes, of models that read both."""

from workbench.analysis.streams.displays import HEADER, StreamsDisplay, rows, told
from workbench.analysis.streams.task import Options as Exchange
from workbench.analysis.streams.task import run
from workbench.figures.study import Study
from workbench.report.parts import NothingToAsk, Options, Section, Table, also, chart


def section(study: Study, options: Options) -> Section:
    """Shares of the logit, changed answers and roll-out of clips that `workbench streams` takes by default.

    Raises: NothingToAsk where no model reads two inputs.
    """
    able = [bundle for bundle in study.bundles.values() if len(bundle.model.inputs) == 2]
    if not able:
        raise NothingToAsk("none of these models reads two inputs; choose one that reads face and scene")
    found = run(able, study.manifest, Exchange(seed=options.seed))
    first = next(iter(found.values()))
    return Section(
        "What does each input do?",
        "A share says what an answer rests on, not that it is better for it. An exchanged scene is somebody else's.",
        [
            chart(StreamsDisplay.from_result(found), f"{first.caption}. In brackets: answers that change with this input."),
            Table(f"What each input does, 95 % intervals.{also(told(found))}", HEADER, rows(found)),
        ],
    )
