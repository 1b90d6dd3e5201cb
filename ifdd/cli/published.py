"""The command `ifdd published`: what papers print, with sources."""

from typing import Annotated

import typer

from ifdd.cli.options import Json, say_json
from ifdd.plain import terminal_text

published_app = typer.Typer()


@published_app.command()
def published(
    corpus: Annotated[str | None, typer.Option(help="dfew, ferv39k or mafw.")] = None,
    method: Annotated[str | None, typer.Option(help="A method, e.g. MAE-DFER; case and signs do not matter.")] = None,
    as_json: Json = False,
) -> None:
    """Print what papers print of methods on the corpora of the field: UAR, WAR and recalls, each with its source.

    Of IFDD nothing printed is known. The interval of WAR is ours: binomial, from the official number of test clips.

    Example: ifdd published --corpus dfew --method MAE-DFER
    """
    from ifdd.data.published import published as found

    rows = found(corpus, method)
    if as_json:
        say_json([row.to_dict() for row in rows])
        return
    width = max(len(row.method) for row in rows)
    typer.echo(f"{'method':<{width}}  corpus    UAR    WAR  (interval of WAR)  protocol; source")
    for row in rows:
        low, high = row.war_interval
        told = terminal_text(f"{row.protocol}; {row.source}{f'; {row.note}' if row.note else ''}")
        scores = f"{row.uar:>6.2f} {row.war:>6.2f}  ({low:.1f}–{high:.1f})"
        typer.echo(f"{row.method:<{width}}  {row.corpus:<7} {scores}        {told}")
        if method is not None and row.recalls:
            recalls = ", ".join(f"{name} {value:.2f}" for name, value in row.recalls.items())
            typer.echo(f"{'':<{width}}  recalls: {recalls} ({terminal_text(row.recalls_source)})")
