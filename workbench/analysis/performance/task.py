"""From collections to WAR, UAR and recalls, and the files that `workbench score` writes.

<out>/  scores.json   scores.md   recalls.png   of each model confusion_<i>.png
"""

import json
from collections.abc import Collection as Ids
from collections.abc import Mapping
from pathlib import Path

from ifdd.io import new_folder, write_text
from ifdd.plain import markdown_line
from workbench.analysis.performance.displays.scores import ConfusionDisplay, RecallDisplay
from workbench.analysis.performance.results import MetricsResult
from workbench.analysis.performance.scores import summary
from workbench.plotting.text import markdown_table
from workbench.results.passport import PYTHON_CALL, Context
from workbench.store.collection import Collection
from workbench.store.tables import labelled, subjects


def measure(collection: Collection, clips: Ids[str] | None = None) -> MetricsResult:
    """WAR, UAR and recalls of a collection, or of its clips among `clips`, with intervals over persons where they are known.

    Raises: InputError as `labelled`.
    """
    table = labelled(collection, clips)
    probs = collection.probs[table["row"].to_numpy()]
    return summary(probs, table["label"].to_numpy(), collection.labels, groups=subjects(table))


def run(collections: Mapping[str, Collection], clips: Ids[str] | None = None) -> dict[str, MetricsResult]:
    """`measure` of each model by name, classes in the order of the first; or of its clips among `clips`.

    Raises: InputError as `measure`, or for models of other classes.
    """
    labels = next(iter(collections.values())).labels
    return {name: measure(found.in_order(labels), clips) for name, found in collections.items()}


def write(found: Mapping[str, MetricsResult], out: Path, context: Context = PYTHON_CALL) -> list[Path]:
    """Write the new folder `out`, all of it or nothing; returns its files. Pictures carry the number of the model.

    Raises: InputError if `out` exists, or for models of other classes.
    """
    with new_folder(out) as folder:
        plain = {name: {"caption": result.caption} | result.to_dict() for name, result in found.items()}
        write_text(folder / "scores.json", json.dumps(plain, indent=1, ensure_ascii=False) + "\n")
        write_text(folder / "scores.md", scores_markdown(found))
        RecallDisplay.from_result(found).save(folder / "recalls.png", context=context)
        for i, result in enumerate(found.values(), start=1):
            ConfusionDisplay.from_result(result).save(folder / f"confusion_{i}.png", context=context)
    return sorted(out.iterdir())


def scores_markdown(found: Mapping[str, MetricsResult]) -> str:
    """The scores as tables: a line for each model, and for each class."""
    first = next(iter(found.values()))
    rows = [[name, str(r.n), str(r.war), str(r.uar), r.detectable] for name, r in found.items()]
    lines = ["# Scores", "", *markdown_table(["model", "clips", "WAR", "UAR", "detectable"], rows), ""]
    lines += [
        f"95 % intervals {first.units}. Detectable: the smallest differences of WAR and UAR from another model, in points, that "
        "so many clips show with 80 % probability; workbench compare says it of models on the same clips.",
        "",
    ]
    recalls = [[item.name, *(str(r.recalls[c].recall) for r in found.values())] for c, item in enumerate(first.recalls)]
    lines += markdown_table(["class", *found], recalls)
    if notes := dict.fromkeys(note for r in found.values() for note in r.notes):
        lines += ["", "Notes:", "", *(f"- {markdown_line(note)}" for note in notes)]
    return "\n".join(lines) + "\n"
