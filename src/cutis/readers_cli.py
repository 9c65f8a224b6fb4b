"""The verbs of a reader study: ``cutis readers plan``, and those that follow."""

from pathlib import Path
from typing import Annotated

import typer

from cutis.terminal import WORK, Answer, verb
from cutis.vocabulary.errors import UserError
from cutis.vocabulary.files import stamp
from cutis.workspace import Finished, Workspace

readers = typer.Typer(rich_markup_mode=None, no_args_is_help=True, help="Set dermatologists beside the network.")

Folder = Annotated[
    Path, typer.Option("--workspace", "-w", file_okay=False, help="Where everything of one project lies.")
]
OtherDataset = Annotated[
    Path | None,
    typer.Option(metavar="OTHER_DATASET", help="The cases are from there: another workspace, or its dataset."),
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
    on: OtherDataset = None,
    again: Again = False,
) -> Finished:
    """Draw cases, readers' places and order, write the booth's pictures, and freeze the protocol."""
    from cutis.readers import stage

    return stage.plan(Workspace(workspace), study, settings=tuple(setting or ()), on=on, again=again)


@verb(readers)
def power(  # noqa: PLR0913  every option of the command line is one
    *,
    reference: Annotated[float, typer.Option(help="What the mean reader is expected to have; unaided, if aided.")],
    gain: Annotated[float, typer.Option(help="How much more the network has in truth, or aided readers.")] = 0.0,
    design: Annotated[
        str, typer.Option(help="network: against readers; aided: readers with it and without.")
    ] = "network",
    endpoint: Annotated[
        str, typer.Option(help="auc, sensitivity, specificity, accuracy or balanced_accuracy.")
    ] = "sensitivity",
    hypothesis: Annotated[str, typer.Option(help="superiority, non-inferiority or equivalence.")] = "superiority",
    margin: Annotated[float, typer.Option(min=0.0, help="How much better, or how much worse at most.")] = 0.0,
    count: Annotated[
        list[int] | None, typer.Option("--readers", min=1, help="How many; may be given several times.")
    ] = None,
    cases: Annotated[
        int | None, typer.Option(min=2, help="How many, to learn the power; else they are searched for.")
    ] = None,
    wanted: Annotated[float, typer.Option("--power", min=0.05, max=0.99, help="The power that is searched for.")] = 0.8,
    structure: Annotated[str, typer.Option(help="Of Roe and Metz: HL, LL, HH or LH.")] = "HL",
    healthy_per_diseased: Annotated[float, typer.Option(help="For an area or balanced accuracy.")] = 1.0,
    studies: Annotated[int, typer.Option(min=20, help="How many are invented for each size.")] = 1000,
    seed: Annotated[int, typer.Option(help="Another seed, other studies.")] = 0,
) -> Answer:
    """Say how many readers and cases a study needs, from invented studies that are analysed as it will be."""
    from typing import Any, cast

    from cutis.readers.power import power as powered
    from cutis.stats.mrmc.power import Plan
    from cutis.stats.mrmc.study import Asked

    words = cast("Any", {"endpoint": endpoint, "hypothesis": hypothesis})
    plan = Plan(
        asked=Asked(**words, margin=margin),
        **cast("Any", {"design": design, "structure": structure}),
        reference=reference,
        gain=gain,
        healthy_per_diseased=healthy_per_diseased,
    )
    found = powered(plan, readers=count or (5, 10, 20), cases=cases, wanted=wanted, studies=studies, seed=seed)
    return Answer(lines=found.lines, content=stamp("power") | found.content)


@verb(readers)
def score(  # noqa: PLR0913  every option of the command line is one
    readings: Annotated[
        Path | None,
        typer.Argument(metavar="READINGS", help="A .parquet or .csv, a row per reader and case; the booth's else."),
    ] = None,
    *,
    column: Annotated[
        list[str] | None,
        typer.Option(metavar="FIELD=COLUMN", help="What a CSV calls reader_id, case_id, diagnosis, …, or the truth."),
    ] = None,
    means: Annotated[
        list[str] | None,
        typer.Option(metavar="WORD=CODE", help="Which diagnosis a word of it stands for; none for none of these."),
    ] = None,
    votes: Annotated[
        list[str] | None,
        typer.Option(
            metavar="GROUP=FILE", help="Votes counted per image instead; or GROUP=ALL-PART, one group without another."
        ),
    ] = None,
    on: OtherDataset = None,
    network: Annotated[
        str | None, typer.Option(metavar="NAME", help="The bundle beside them; the protocol's else.")
    ] = None,
    out_of_fold: Annotated[
        bool, typer.Option("--out-of-fold", help="Take its answers to train and tune, after cross-validation.")
    ] = False,
    pictures: Annotated[
        Path | None, typer.Option(metavar="CLINIC_DIR", help="Cases are called as the pictures of this folder are.")
    ] = None,
    profiles: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A CSV of what is known of each reader_id; the booth's else.")
    ] = None,
    by: Annotated[str, typer.Option(metavar="COLUMN", help="Which column of it makes groups.")] = "dermoscopy",
    count_further: Annotated[
        bool, typer.Option("--count-further", help="A second and third choice count as said, yes or no.")
    ] = False,
    drop_without_truth: Annotated[
        bool, typer.Option("--drop-without-truth", help="Leave cases out that have no truth.")
    ] = False,
    skip_unanswered: Annotated[
        bool, typer.Option("--skip-unanswered", help="Leave rows of a CSV out that name no diagnosis.")
    ] = False,
    imrmc: Annotated[
        bool, typer.Option("--imrmc", help="Write the readings for iMRMC too, a file for each diagnosis.")
    ] = False,
    name: Annotated[str | None, typer.Option(help="What to call this score; study or votes, if not given.")] = None,
    workspace: Folder = WORK,
    again: Again = False,
) -> Finished:
    """Say how readers and network compare, each figure with an interval that knows of readers and cases."""
    from cutis.readers import stage
    from cutis.readers.scoring.material import Asked
    from cutis.readers.scoring.votes import names_of

    project, columns = Workspace(workspace), dict(names_of(column or ()))
    if votes:
        _require_at_home(on)
        return stage.score_votes(
            project,
            votes,
            network=network or project.only_bundle(),
            out_of_fold=out_of_fold,
            case=columns.get("case_id", "case_id"),
            pictures=pictures,
            name=name or "votes",
            again=again,
        )
    asked = Asked(
        readings=readings,
        columns=columns,
        meaning=dict(names_of(means or ())),
        on=on,
        network=network,
        out_of_fold=out_of_fold,
        pictures=pictures,
        profiles=profiles,
        by=by,
        count_further=count_further,
        drop_without_truth=drop_without_truth,
        skip_unanswered=skip_unanswered,
    )
    return stage.score(project, asked, name=name or "study", imrmc=imrmc, again=again)


def _require_at_home(on: Path | None) -> None:
    if on is not None:
        mend = "give the readings, a row for each reader and case, or score the votes in the workspace of that dataset"
        raise UserError("--on is for readings, and --votes counts them per image", where="--on", mend=mend)


Settings = Annotated[
    Path | None, typer.Option(metavar="BOOTH.toml", help="Settings of the server; flags and environment come before.")
]
DatabaseUrl = Annotated[
    str | None, typer.Option(metavar="URL", help="Another database than the workspace's own, such as PostgreSQL.")
]


@verb(readers)
def booth(
    *,
    workspace: Folder = WORK,
    settings: Settings = None,
    host: Annotated[str | None, typer.Option(help="The address to listen on; 127.0.0.1, if not given.")] = None,
    port: Annotated[int | None, typer.Option(help="8471, if not given.")] = None,
    address: Annotated[
        str | None, typer.Option(metavar="URL", help="How browsers call it, where a proxy stands before it.")
    ] = None,
    database: DatabaseUrl = None,
    new_link: Annotated[bool, typer.Option("--new-link", help="Make a new link for the administrator.")] = False,
    check: Annotated[bool, typer.Option("--check", help="Only look whether it could be opened.")] = False,
) -> Finished:
    """Open the page on which dermatologists read; Ctrl-C ends it.

    Every answer is saved at once, and readers go on where they stopped.
    """
    from cutis.readers.booth import site

    flags = {"host": host, "port": port, "address": address, "database": database}
    return site.booth(Workspace(workspace), settings=settings, check=check, new_link=new_link, **flags)


@verb(readers)
def export(*, workspace: Folder = WORK, settings: Settings = None, database: DatabaseUrl = None) -> Finished:
    """Write the booth's answers to readings.parquet; it may stay open meanwhile."""
    from cutis.readers.booth import site

    return site.export_readings(Workspace(workspace), settings=settings, database=database)
