"""Options and ways of printing that several commands share; nothing heavy, since help pages read it."""

import json
from typing import Annotated, Any, Literal

import typer

from ifdd.plain import terminal_text

Json = Annotated[bool, typer.Option("--json", help="Print JSON for a program to read.")]
Device = Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")]
Batch = Annotated[int, typer.Option(min=1, help="Clips in one pass of the model.")]
OnErrorOption = Annotated[
    Literal["stop", "skip"],
    typer.Option(help="Clips that cannot be read: stop and name them, or skip them if they are at most a fifth."),
]
SceneFaceOption = Annotated[
    Literal["kept", "blurred", "masked"], typer.Option(help="With --scene: what is hidden of faces in it already.")
]


def say_json(values: Any) -> None:
    """Print values for a program to read."""
    typer.echo(json.dumps(values, indent=2, ensure_ascii=False))


def show_metrics(metrics: dict[str, Any], as_json: bool, where: dict[str, str]) -> None:
    """Print what `write_evaluation` measured, and where it lies."""
    for note in metrics.get("notes", ()):
        typer.echo(f"warning: {terminal_text(note)}", err=True)
    if as_json:
        say_json(metrics | where)
        return
    for name in ("WAR", "UAR"):
        low, high = metrics["intervals"][name]
        guess = metrics["constant_guess"][name]
        typer.echo(f"{name} {metrics[name]:.1%} (95 % interval {low:.1%} – {high:.1%}; constant guess {guess:.1%})")
    for label, recall in metrics["recall"].items():
        low, high = metrics["recall_intervals"][label]
        typer.echo(f"  {label:<10} {recall:6.1%} of {metrics['counts'][label]} (95 % interval {low:.1%} – {high:.1%})")
    typer.echo(f"intervals {metrics['intervals_over']}")
    if "single_clips" in metrics:
        single = metrics["single_clips"]
        alone = f"UAR {min(single['UAR']):.1%} – {max(single['UAR']):.1%}"
        told = f"mean over {metrics['clips_per_video']} clips of each video; of one clip alone {alone}"
        typer.echo(f"{told}, {single['called_differently']:.1%} of the videos are called differently")
    if "detectable" in metrics:
        from ifdd.metrics import detectable_words  # brings scipy with it

        typer.echo(detectable_words(metrics["detectable"], metrics["n"]))
    for key, value in where.items():
        typer.echo(f"{key}: {value}")
