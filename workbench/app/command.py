"""The command `workbench app`."""

import os
from pathlib import Path
from typing import Annotated

import typer

from ifdd.errors import InputError
from ifdd.own_code import MODELS, split_factory
from workbench.store.command import demo

serve_app = typer.Typer()


@serve_app.command(name="app")
def serve(
    workspace: Annotated[
        Path | None,
        typer.Argument(help="Workspace to show; default: the current folder if it is one, else the demo.", show_default=False),
    ] = None,
    named: Annotated[
        Path | None, typer.Option("--workspace", help="The same, as other commands have it.", show_default=False)
    ] = None,
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = 8501,
    address: Annotated[
        str, typer.Option(help="Address to listen on; where other computers reach it, the app asks for a token.")
    ] = "127.0.0.1",
    allow_host: Annotated[
        list[str] | None, typer.Option(help="A further name under which browsers may ask for the app; may be given again.")
    ] = None,
    root: Annotated[
        list[Path] | None,
        typer.Option(
            help="A folder whose videos may be opened by path, besides the workspace's own; may be given again.",
            show_default=False,
        ),
    ] = None,
    runs: Annotated[
        list[Path] | None,
        typer.Option(
            help="A folder of trainings to show, besides the workspace's runs/; may be given again. Default: ./runs.",
            show_default=False,
        ),
    ] = None,
    model: Annotated[
        list[str] | None,
        typer.Option(
            "--model",
            metavar="MODULE:FACTORY",
            help="A function of your own Python that returns workbench.adapt(…): shown with its maps; may be given again.",
        ),
    ] = None,
    with_demo: Annotated[bool, typer.Option("--with-demo", help="Prepare the demo first, if it is missing or old.")] = False,
) -> None:
    """Start the app, and open it in a browser where there is a screen.

    Example: workbench app mine --port 8502
    """
    from workbench.analysis.registry import faces
    from workbench.app.own_networks import own_bundles
    from workbench.app.runs import RUNS, runs_setting
    from workbench.app.serve import check_port, root_settings, start_app
    from workbench.store.layout import is_marked

    if workspace is not None and named is not None:
        raise InputError(f"the workspace is given twice, {workspace} and --workspace {named}; give it once")
    workspace = workspace or named
    faces("page")  # a broken one is told here, not by the server
    root_settings(root or [])
    check_port(port, address)  # before minutes are spent on the demo
    os.environ[MODELS] = "\n".join(":".join(split_factory(text)) for text in model or ())
    own_bundles()  # a broken one, too
    os.environ[RUNS] = runs_setting(runs)
    place = None
    if workspace is not None or (not with_demo and is_marked(Path.cwd())):
        from workbench.store.workspace import find_workspace

        place = find_workspace(workspace).folder
    if with_demo:
        demo()
    start_app(port, address, allow_host or [], place, root or [])
