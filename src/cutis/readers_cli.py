"""The verbs of a reader study: ``cutis readers plan``, and those that follow."""

from pathlib import Path
from typing import Annotated

import typer

from cutis.terminal import WORK, verb
from cutis.workspace import Finished, Workspace

readers = typer.Typer(rich_markup_mode=None, no_args_is_help=True, help="Set dermatologists beside the network.")

Folder = Annotated[
    Path, typer.Option("--workspace", "-w", file_okay=False, help="Where everything of one project lies.")
]
Again = Annotated[bool, typer.Option("--again", help="Make the result anew; the old one is kept beside it.")]


@verb(readers)
def plan(
    study: Annotated[
        Path | None, typer.Argument(metavar="STUDY.toml", help="What is wished for; the defaults, if not given.")
    ] = None,
    *,
    workspace: Folder = WORK,
    setting: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Change one of its settings; may be given several times."),
    ] = None,
    again: Again = False,
) -> Finished:
    """Draw cases, readers' places and order, write the booth's pictures, and freeze the protocol."""
    from cutis.readers import stage

    return stage.plan(Workspace(workspace), study, settings=tuple(setting or ()), again=again)
