"""The command `ifdd models`: what can be built, and what it costs."""

from typing import Annotated

import typer

from ifdd.cli.options import Json, say_json
from ifdd.errors import InputError

models_app = typer.Typer()


@models_app.command()
def models(
    variants_of: Annotated[
        str | None, typer.Option("--variants", help="A model's name: every split and lift it can have.")
    ] = None,
    as_json: Json = False,
) -> None:
    """List the models that can be built, with parameters, and multiply-adds (MACs) and FLOPs (= 2 MACs) of one clip.

    Example: ifdd models --variants ifdd-mvit-xs
    """
    from ifdd.models.cost import cost
    from ifdd.models.families import named_config, short_names, variants

    configs = variants(variants_of) if variants_of else {name: named_config(name) for name in short_names()}
    costs, missing = {}, {}
    for name, config in configs.items():
        try:
            costs[name] = cost(config)
        except InputError as error:  # a package that is not installed
            missing[name] = str(error)
    if as_json:
        say_json({name: {"parameters": c.parameters, "macs": c.macs, "flops": c.flops} for name, c in costs.items()})
        return
    for name, c in costs.items():
        typer.echo(f"{name:<24} {c.parameters / 1e6:7.2f} M parameters {c.macs / 1e9:7.2f} GMACs {c.flops / 1e9:7.2f} GFLOPs")
    for name, reason in missing.items():
        typer.echo(f"{name:<24} {reason}", err=True)
