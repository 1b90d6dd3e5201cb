"""What the page Agreement shows: how far models say the same, with the clips on which they do not."""

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from workbench.analysis.agreement.results import AgreementResult
from workbench.app import links
from workbench.app.selection import Selection
from workbench.plotting import style
from workbench.plotting.text import interval_text


def pair_rows(result: AgreementResult, scope: Selection) -> tuple[pd.DataFrame, dict[str, list[str]]]:
    """A line for each two models, and the clips that they call differently."""
    rows = [
        {
            "models": pair.name,
            "called alike": str(pair.same),
            "by chance": f"{100 * pair.chance:.1f} %",
            "kappa": interval_text(pair.kappa),
            "differ": len(pair.differ),
        }
        for pair in result.pairs
    ]
    differ = [links.text(scope, links.differ(pair.first, pair.second)) if len(pair.differ) else "" for pair in result.pairs]
    return pd.DataFrame(rows), {"differ": differ}


def kappas(result: AgreementResult, scope: Selection) -> tuple[go.Figure, list[str], list[list[str]]]:
    """Cohen's kappa of each two models as a matrix for a web page, their names, and for each cell "first, second"."""
    names = list(result.predicted)
    values = np.full((len(names), len(names)), np.nan)
    for pair in result.pairs:
        i, j = names.index(pair.first), names.index(pair.second)
        values[i, j] = values[j, i] = pair.kappa.value
    figure = go.Figure(
        go.Heatmap(
            z=values,
            x=names,
            y=names,
            zmin=min(0.0, float(np.nanmin(values, initial=0.0))),
            zmax=1,
            colorscale=style.SEQUENTIAL,
            texttemplate="%{z:.2f}",
            hoverongaps=False,
            hovertemplate="%{y}, %{x}<br>kappa %{z:.3f}<extra></extra>",
            colorbar={"title": {"text": "kappa", "side": "right"}},
        )
    )
    figure.update_layout(template=style.plotly_template(), margin={"t": 20, "l": 40, "r": 10, "b": 40})
    figure.update_xaxes(title="model", showgrid=False).update_yaxes(title="model", autorange="reversed", showgrid=False)
    cells = [["" if one == other else links.text(scope, links.differ(one, other)) for other in names] for one in names]
    return figure, names, cells
