"""The table of a cross-validation as Markdown: a row for each fold, their mean, all clips pooled."""

from collections.abc import Mapping, Sequence

from ifdd.data.corpora import CORPORA
from ifdd.data.published import Published
from ifdd.metrics import Bounds
from ifdd.plain import markdown_line
from ifdd.training.folds import FoldScores

MARK = "†"
_PUBLISHED = "published: "


def folds_markdown(
    scores: FoldScores,
    name: str,
    chosen: Mapping[int, str],
    notes: Sequence[str],
    mark: str = "",
    papers: Sequence[Published] = (),
) -> str:
    """The table, what was chosen on which clips, and the pooled confusion. With `mark`, its meaning, every score carries one.

    `papers` are published rows that stand below ours, each marked as such, with its source.
    """
    pooled, sign = scores.pooled, MARK if mark else ""
    counts = pooled.confusion.sum(1).tolist()
    deviation = scores.deviation
    head = [markdown_line(f"{label} ({n})") for label, n in zip(pooled.labels, counts, strict=True)]
    rows = [["", "clips", "WAR", "UAR", *head]]
    for fold, one in scores.folds.items():
        recalls = [_percent(value, sign) for value in one.recall.tolist()]
        both = [_share(getattr(one, name), one.intervals[name], sign) for name in ("WAR", "UAR")]
        rows.append([f"fold {fold}", str(one.n), *both, *recalls])
    means = [_share(found.value, found.bounds, sign) for found in (scores.war, scores.uar)]
    rows.append(["mean of folds", str(pooled.n), *means, *(_percent(value, sign) for value in scores.recall.tolist())])
    if len(scores.folds) > 1:
        rows.append(["sd over folds", "", *(_percent(value, sign) for value in deviation.values()), *("" for _ in head)])
    both = [_share(getattr(pooled, name), pooled.intervals[name], sign) for name in ("WAR", "UAR")]
    recalls = [_share(found.value, found.bounds, sign) for found in pooled.estimates.recalls]
    rows.append(["pooled", str(pooled.n), *both, *recalls])
    rows += [_published(row, pooled.labels) for row in papers]
    alone = scores.deviation_of_clips
    lines = [f"# {markdown_line(name)}", ""]
    if mark:
        lines += [f"**{sign} every number is of a checkpoint that was {mark}.**", ""]
    lines += [*_table(rows), ""]
    lines += [
        f"Percent; in brackets 95 % intervals {pooled.units}. A class's column is its recall; its test clips stand in the head. "
        "The mean of folds and the score of all clips pooled are both in use; the UAR of the two differs.",
        "",
        f"The deviation over folds is no standard error: folds share training clips and are tested on other clips, which alone "
        f"would give {100 * alone['WAR']:.1f} points of WAR and {100 * alone['UAR']:.1f} of UAR.",
        "",
        f"{scores.smallest_difference[0].upper()}{scores.smallest_difference[1:]}.",
        "",
        *(f"- {markdown_line(note)}" for note in notes),
        *(f"- {_PUBLISHED}{markdown_line(row.method)}, {CORPORA[row.corpus].title}: {_about(row)}" for row in papers),
        *([""] if notes or papers else []),
        "## What was chosen",
        "",
        *(f"- fold {fold}: {markdown_line(how)}" for fold, how in chosen.items()),
        "",
        "## Confusion, all clips pooled (true class by row)",
        "",
    ]
    names = [markdown_line(label) for label in pooled.labels]
    confusion = [[f"**{label}**", *map(str, row)] for label, row in zip(names, pooled.confusion.tolist(), strict=True)]
    return "\n".join([*lines, *_table([["", *names], *confusion])]) + "\n"


def _published(row: Published, labels: Sequence[str]) -> list[str]:
    """A printed result, in the columns of ours."""
    low, high = row.war_interval
    recalls = [f"{row.recalls[label]:.1f}" if label in row.recalls else "–" for label in labels]
    both = [f"{row.war:.1f} ({low:.1f}–{high:.1f})", f"{row.uar:.1f}"]
    return [f"{_PUBLISHED}{markdown_line(row.method)}", str(row.clips), *both, *recalls]


def _about(row: Published) -> str:
    told = f"not measured here and not on these clips; {row.protocol}; interval of WAR ours, binomial; source: {row.source}"
    return markdown_line(told)


def _table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Lines of a table whose columns are aligned, so that a terminal shows it too."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = ["| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |" for row in rows]
    return [lines[0], "|" + "|".join("-" * (width + 2) for width in widths) + "|", *lines[1:]]


def _percent(value: float | None, sign: str) -> str:
    return "–" if value is None or value != value else f"{100 * value:.1f}{sign}"


def _share(value: float, bounds: Bounds, sign: str) -> str:
    return "–" if value != value else f"{100 * value:.1f}{sign} ({100 * bounds[0]:.1f}–{100 * bounds[1]:.1f})"
