"""What the page Confidence shows: errors of calibration with the clips behind them, and the surest mistakes."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from workbench.analysis.confidence.results import CalibrationResult, ConfidenceResult, ScalingResult
from workbench.app import links
from workbench.app.selection import Condition, Selection, where
from workbench.results.interval import Interval

SURE = 0.9
"""Confidence from which a mistake is a sure one."""


def model_rows(
    calibrations: Mapping[str, CalibrationResult], table: pd.DataFrame, scope: Selection
) -> tuple[pd.DataFrame, dict[str, list[str]]]:
    """A line for each model: its calibration errors, and its mistakes that it is sure of."""
    rows, sure = [], []
    for name, found in calibrations.items():
        filled = found.counts > 0
        count = int((mistakes(table, name)[f"confidence {name}"] >= SURE).sum())
        rows.append(
            {
                "model": name,
                "ECE": found.ece_interval.text(".3f"),
                "ECE of a perfect model": f"{found.ece_null:.3f}",
                "ECE, mean over classes": f"{found.classwise_ece.mean():.3f}",
                "mean confidence": f"{np.average(found.mean_confidence[filled], weights=found.counts[filled]):.3f}",
                "accuracy": f"{np.average(found.accuracy[filled], weights=found.counts[filled]):.3f}",
                f"wrong at ≥ {100 * SURE:.0f} %": count,
            }
        )
        conditions = (links.right(name, False), Condition(f"confidence {name}", ">=", (str(SURE),)))
        sure.append(links.text(scope, *conditions) if count else "")
    return pd.DataFrame(rows), {f"wrong at ≥ {100 * SURE:.0f} %": sure}


def bin_links(found: CalibrationResult, model: str, scope: Selection) -> list[str]:
    """The clips of each bin of confidence that has any: above its lower edge, up to its upper one."""
    texts = []
    for low, high in zip(found.edges[:-1][found.counts > 0], found.edges[1:][found.counts > 0], strict=True):
        above = [Condition(f"confidence {model}", ">=", (repr(float(np.nextafter(low, 2))),))] if low > 0 else []
        below = [Condition(f"confidence {model}", "<=", (repr(float(high)),))] if high < 1 else []
        texts.append(links.text(scope, *above, *below))
    return texts


def scaling_rows(found: ScalingResult) -> pd.DataFrame:
    """The errors before and after scaling, a line each."""
    ece = (found.before.ece_interval.text(".3f"), found.after.ece_interval.text(".3f"))
    rows = [("ECE", *ece), *((name, *(f"{v:.3f}" for v in both)) for name, both in (("NLL", found.nll), ("Brier", found.brier)))]
    return pd.DataFrame(rows, columns=["error", "before", f"after, T = {found.temperature:.2f}"])


def mistakes(table: pd.DataFrame, model: str) -> pd.DataFrame:
    """Rows of a `clip_table` that a model has wrong, the surest first."""
    hits = table[f"right {model}"]
    wrong = table[(hits == False).fillna(False)]  # noqa: E712 - may be missing
    return wrong.sort_values(f"confidence {model}", ascending=False, kind="stable")


def apart_rows(found: Mapping[str, ConfidenceResult], scope: Selection) -> tuple[pd.DataFrame, dict[str, list[str]]]:
    """A line for each model and class: how well its probability tells the class from others; and the clips of the class."""
    rows, own = [], []
    for name, result in found.items():
        for item in result.classes:
            rows.append(
                {
                    "model": name,
                    "class": item.name,
                    "clips": item.positives.n,
                    "others": item.negatives.n,
                    "AUC": "–" if item.separation is None else item.separation_interval.text(".3f"),
                    "overlap": "–" if item.overlap is None else f"{item.overlap:.2f}",
                    "its null": "–" if item.overlap_null is None else f"{item.overlap_null:.2f}",
                }
            )
            own.append(links.text(scope, where(links.CLASS, item.name)) if item.positives.n else "")
    return pd.DataFrame(rows), {"clips": own}


def bin_rows(found: CalibrationResult, model: str, scope: Selection) -> tuple[pd.DataFrame, dict[str, list[str]]]:
    """A line for each bin of confidence that has clips, and these."""
    filled = np.flatnonzero(found.counts)
    rows = [
        {
            "confidence": f"{found.edges[i]:.3f} – {found.edges[i + 1]:.3f}",
            "clips": int(found.counts[i]),
            "mean confidence": f"{found.mean_confidence[i]:.3f}",
            "accuracy": Interval(found.accuracy[i], *found.accuracy_bounds[i]).text(".3f"),
        }
        for i in filled
    ]
    return pd.DataFrame(rows), {"clips": bin_links(found, model, scope)}
