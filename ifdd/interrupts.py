"""Ctrl-C: one line, exit code 130, whatever was running."""

import signal
from typing import Any

import typer
from typer.core import TyperGroup


class Commands(TyperGroup):
    """The commands of a program. Typer ends one that is interrupted without a word; some say more of what they keep."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command that was chosen."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            typer.echo("interrupted: what was finished stays, nothing is half-written", err=True)
            raise typer.Exit(130) from None


def leave_to_parent() -> None:
    """In a process of a pool: a terminal sends Ctrl-C to all of them, and the one that made the pool ends the others."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
