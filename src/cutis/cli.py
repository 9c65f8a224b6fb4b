"""The verbs of the command line. Each imports its stage inside its function, so that `cutis --help` loads none."""

import os
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cutis import __version__
from cutis.clinic_cli import clinic, journal
from cutis.readers_cli import readers
from cutis.terminal import WORK, Answer, plain, verb
from cutis.vocabulary.diagnosis import Diagnosis
from cutis.vocabulary.errors import UserError
from cutis.vocabulary.files import stamp
from cutis.workspace import Finished, Workspace

if TYPE_CHECKING:
    from cutis.doctor import Check
    from cutis.runtime.neighbours import Search
    from cutis.runtime.ready import Ready

EXITS = {"fail": 1, "refused": 3}  # of what was looked at

app = typer.Typer(add_completion=False, rich_markup_mode=None, no_args_is_help=True, pretty_exceptions_enable=False)
app.add_typer(readers, name="readers")
app.add_typer(journal, name="journal")
app.add_typer(clinic, name="clinic")

Folder = Annotated[
    Path, typer.Option("--workspace", "-w", file_okay=False, help="Where everything of one project lies.")
]
Again = Annotated[bool, typer.Option("--again", help="Make the result anew; the old one is kept beside it.")]
BundleName = Annotated[str | None, typer.Option("--name", help="Which bundle, where there are several.")]
Key = Annotated[
    Path | None,
    typer.Option("--key", metavar="PUBLIC", envvar="CUTIS_PUBLIC_KEY", help="The key that must have signed it."),
]
Signed = Annotated[
    bool,
    typer.Option("--signed", envvar="CUTIS_SIGNED", help="Refuse a release that is not signed, or cannot be checked."),
]


class Splits(StrEnum):
    """Of which cases an atlas is made."""

    TEST = "test"
    ALL = "all"


class Tracker(StrEnum):
    """Where the epochs of a training can be watched, beside the terminal."""

    TENSORBOARD = "tensorboard"
    MLFLOW = "mlflow"


def _version(wanted: bool) -> None:  # noqa: FBT001  typer hands the flag over by position
    if wanted:
        typer.echo(f"cutis {__version__}")
        raise typer.Exit


Version = Annotated[
    bool, typer.Option("--version", help="Show the version and exit.", is_eager=True, callback=_version)
]


def main() -> None:
    """Run the command line.

    Leaves with 0 done, 1 the user can mend it, 2 wrong usage, 3 refused for safety, 130 stopped by Ctrl-C.
    """
    app(prog_name="cutis")


@app.callback()
def cutis(*, version: Version = False) -> None:
    """From a dermatology clinic's archive to a validated, explained diagnosis network.

    For research. Not a medical device.
    """


@verb(app)
def toy(
    clinic: Annotated[Path, typer.Argument(metavar="CLINIC_DIR", help="The folder to make.")],
    *,
    seed: Annotated[int, typer.Option(help="Another seed, another clinic.")] = 0,
    images: Annotated[int, typer.Option(min=1, help="How many pictures.")] = 760,
    size: Annotated[int, typer.Option(min=64, help="Their shorter side, in pixels.")] = 256,
    again: Again = False,
) -> Finished:
    """Invent a small clinic's archive, to try everything on."""
    from cutis.curate.synthetic.clinic import invent_clinic

    return invent_clinic(clinic, seed=seed, images=images, size=size, again=again)


@verb(app)
def curate(
    clinic: Annotated[Path, typer.Argument(metavar="CLINIC_DIR", help="The clinic's folder, which is only read.")],
    *,
    workspace: Folder = WORK,
    clinic_file: Annotated[
        Path | None, typer.Option(help="What the columns mean; clinic.toml in the folder, if not given.")
    ] = None,
    taxonomy: Annotated[
        str | None,
        typer.Option(help="The diagnoses: zhu14, ham7, or a .toml file; what clinic.toml says, if not given."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Another seed, another split.")] = 0,
    test_from: Annotated[
        str | None, typer.Option(metavar="DATE", help="Test on the patients from this day on.")
    ] = None,
    test_site: Annotated[
        list[str] | None, typer.Option(metavar="SITE", help="Test on this site's patients; may be given several times.")
    ] = None,
    again: Again = False,
) -> Finished:
    """Turn a clinic's folder into a dataset.

    Raters are brought to one diagnosis, patients get pseudonyms, duplicates are found and the splits are drawn.
    """
    from cutis.curate import stage
    from cutis.curate.split import SplitPlan

    plan = SplitPlan(seed=seed, test_from=test_from, test_sites=tuple(test_site or ()))
    return stage.curate(
        clinic, Workspace(workspace), clinic_file=clinic_file, taxonomy=taxonomy, plan=plan, again=again
    )


@verb(app)
def train(
    *,
    workspace: Folder = WORK,
    recipe: Annotated[str, typer.Option("--recipe", "-c", help="A shipped recipe's name, or a .toml file.")] = "pocket",
    setting: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="KEY=VALUE", help="Change one setting of the recipe; may be given several times."
        ),
    ] = None,
    name: Annotated[str | None, typer.Option(help="What to call the bundle; the recipe's name, if not given.")] = None,
    again: Again = False,
    processes: Annotated[int, typer.Option(help="How many processes share each step on this machine.")] = 1,
    track: Annotated[Tracker | None, typer.Option(help="Show the epochs there, too.")] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only tell recipe, memory and time, from a few steps on noise.")
    ] = False,
) -> Finished | Answer:
    """Train a network on the dataset and leave a bundle.

    After Ctrl-C, a kill or a power cut the same command goes on where it stopped.
    """
    from cutis.train import stage

    project, settings = Workspace(workspace), tuple(setting or ())
    if dry_run:
        lines, facts = stage.dry_run(project, recipe=recipe, settings=settings, name=name, processes=processes)
        return Answer(lines=lines, content=stamp("rehearsal") | facts)
    finished = stage.train(
        project,
        recipe=recipe,
        settings=settings,
        name=name,
        again=again,
        processes=processes,
        track=track and track.value,
    )
    return finished or Answer(content=stamp("finished"))  # one of several processes, and not the one that speaks


@verb(app)
def evaluate(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="NAME", help="Which bundle; of several, each is compared with the first."),
    ] = None,
    *,
    workspace: Folder = WORK,
    on: Annotated[
        Path | None, typer.Option(metavar="OTHER_DATASET", help="Measure it there: another workspace, or its dataset.")
    ] = None,
    only_test: Annotated[bool, typer.Option("--only-test", help="With --on: only the test split there.")] = False,
    protocol: Annotated[
        Path | None, typer.Option(help="What is asked of the test; protocol.toml in the workspace, if not given.")
    ] = None,
    prevalence: Annotated[
        list[float] | None,
        typer.Option(
            metavar="SHARE", help="How frequent malignancy is where it will be used; may be given several times."
        ),
    ] = None,
    robustness: Annotated[
        bool, typer.Option("--robustness", help="Ask also what is left when pictures are disturbed; this takes long.")
    ] = False,
    again: Again = False,
) -> Finished:
    """Measure a bundle on the test split, each figure with interval.

    Several bundles are compared in pairs; what was evaluated before and is unchanged is not evaluated again.
    """
    from cutis.evaluate import stage
    from cutis.evaluate.elsewhere import evaluate_elsewhere

    project, prevalences = Workspace(workspace), tuple(prevalence or ())
    several, name = len(names or ()) > 1, names[0] if names else project.only_bundle()
    _require_fitting(on, only_test=only_test, several=several, protocol=protocol, robustness=robustness)
    if on is not None:
        return evaluate_elsewhere(project, name, on, only_test=only_test, prevalences=prevalences, again=again)
    if names and several:
        return stage.compare(
            project, names, again=again, protocol=protocol, prevalences=prevalences, robustness=robustness
        )
    return stage.evaluate(project, name, again=again, protocol=protocol, prevalences=prevalences, robustness=robustness)


@verb(app)
def explain(  # noqa: PLR0913  every option of the command line is one
    case_ids: Annotated[
        list[str] | None, typer.Argument(metavar="CASE_ID", help="Which cases; a choice of the test split else.")
    ] = None,
    *,
    diagnosis: Annotated[
        str | None,
        typer.Option("--for", metavar="DIAGNOSIS", help="Whom the maps are of; the answer to each case else."),
    ] = None,
    rather_than: Annotated[
        str | None, typer.Option(metavar="DIAGNOSIS", help="Whom it is compared with; the most probable other else.")
    ] = None,
    method: Annotated[
        list[str] | None,
        typer.Option(metavar="METHOD", help="Also maps by smoothgrad, integrated_gradients, grad_cam or occlusion."),
    ] = None,
    sanity: Annotated[
        bool, typer.Option("--sanity", help="Examine whether the maps mean anything; this takes minutes.")
    ] = False,
    masks: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="With --sanity: PNGs of what is known to be there, named CASE_ID.png."),
    ] = None,
    pictures: Annotated[
        Path | None, typer.Option(metavar="CLINIC_DIR", help="With --masks: they are named like these pictures.")
    ] = None,
    cases: Annotated[int, typer.Option(min=1, help="With --sanity: how many test cases are examined.")] = 60,
    all_methods: Annotated[
        bool, typer.Option("--all-methods", help="With --sanity: also those that need many passes for one map.")
    ] = False,
    workspace: Folder = WORK,
    name: BundleName = None,
    atlas: Annotated[Splits, typer.Option(help="Lay out the test split, or all splits.")] = Splits.TEST,
    again: Again = False,
) -> Finished:
    """Show where the network looks, and how it groups the cases."""
    from cutis.explain import stage
    from cutis.explain.saliency.choice import Asked
    from cutis.explain.sanity.examined import Plan
    from cutis.explain.sanity.inquiry import Inquiry

    _require_sanity(sanity=sanity, masks=masks, pictures=pictures, all_methods=all_methods)
    project = Workspace(workspace)
    plan = Plan(cases=cases, own_pass_cases=min(cases, Plan().own_pass_cases), with_slow=all_methods)
    return stage.explain(
        project,
        name or project.only_bundle(),
        case_ids=tuple(case_ids or ()),
        maps=Asked(diagnosis, rather_than, tuple(method or ())),
        atlas=atlas.value,
        inquiry=Inquiry(plan=plan, masks=masks, pictures=pictures) if sanity else None,
        again=again,
    )


@verb(app)
def report(*, workspace: Folder = WORK) -> Finished:
    """Put everything so far on one page, in place of the one before."""
    from cutis.report import stage

    return stage.report(Workspace(workspace))


@verb(app)
def diagnose(  # noqa: PLR0913  every option of the command line is one
    images: Annotated[
        list[Path], typer.Argument(metavar="IMAGE", help="Dermoscopic pictures; with --to, folders too.")
    ],
    *,
    to: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write a Parquet table, a row for each picture, instead of printing."),
    ] = None,
    release: Annotated[
        Path | None,
        typer.Option(metavar="RELEASE", envvar="CUTIS_RELEASE", help="Answer by this release; no PyTorch is needed."),
    ] = None,
    key: Key = None,
    signed: Signed = False,
    engine: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="With --release: auto, the fastest here, or one that it offers by name."),
    ] = None,
    workspace: Folder = WORK,
    name: BundleName = None,
    top: Annotated[int, typer.Option(min=1, help="How many diagnoses to print for each; JSON has them all.")] = 5,
    similar: Annotated[int, typer.Option(min=0, metavar="K", help="Show also the K most similar training cases.")] = 0,
    patient: Annotated[
        str | None,
        typer.Option(metavar="PSEUDONYM", help="With --similar: of whom none is shown, as the dataset calls them."),
    ] = None,
) -> Answer:
    """Name the most probable diagnoses of each picture.

    A picture that cannot be read is named on standard error, or is a row with its reason in the table; the others are
    answered all the same.
    """
    # Its threads would go on turning after a product, on the cores that the network needs for the next picture.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # numpy reads it when it is imported

    from cutis.runtime.neighbours import Search
    from cutis.runtime.ready import AUTO, Trusted, ready_bundle, ready_release

    _require_diagnosable(images, to=to, release=release, engine=engine, similar=similar, patient=patient)

    def ready() -> "Ready":
        if release is not None:
            return ready_release(Trusted(release, key, signed), engine=engine or AUTO, similar=bool(similar))
        project = Workspace(workspace)
        return ready_bundle(project.bundle(name or project.only_bundle()), similar=bool(similar))

    return _table_of_answers(ready, images, to) if to else _answers(ready, images, Search(similar, patient), top=top)


@verb(app)
def keys(
    folder: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="Where the keys go: a place of yours, and backed up.")
    ],
) -> Answer:
    """Make a pair of keys to sign releases with.

    The private one signs, the public one goes to those who install.
    """
    from cutis.release.sign import PASSPHRASE, new_keys

    made = new_keys(folder, passphrase=os.environ.get(PASSPHRASE, ""))
    lock = "it asks for the passphrase" if made.locked else f"it lies open: {PASSPHRASE} would have locked it"
    return Answer(
        lines=(
            f"private  {made.private}: keep it; {lock}",
            f"public   {made.public}: give it to those who install, by another way than the release",
            f"its fingerprint  {made.fingerprint}",
        ),
        content=stamp("keys")
        | {"private": str(made.private), "public": str(made.public), "fingerprint": made.fingerprint}
        | {"locked": made.locked},
    )


@verb(app)
def release(
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="Which bundle, where there are several.")] = None,
    *,
    workspace: Folder = WORK,
    key: Annotated[
        Path | None, typer.Option(metavar="PRIVATE", help="The private key that signs; cutis keys makes one.")
    ] = None,
    public: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER", help="Write what of the release may be pushed to a hub there: no row of a patient."
        ),
    ] = None,
    consent_to_licence: Annotated[
        bool,
        typer.Option("--consent-to-licence", help="With --public: you read the data's licence, and will keep to it."),
    ] = False,
    again: Again = False,
) -> Finished:
    """Turn a bundle into a signed folder for the clinic.

    It needs no PyTorch there, and answers as the bundle does.
    """
    from cutis.release import stage
    from cutis.release.sign import PASSPHRASE

    if consent_to_licence and public is None:
        mend = "add --public FOLDER, or leave it out"
        raise UserError("--consent-to-licence without --public", where="cutis release", mend=mend)
    project = Workspace(workspace)
    named = name or project.only_bundle()
    signer = stage.Signer(key, os.environ.get(PASSPHRASE, "")) if key else None
    if public is not None:
        return stage.publish_release(project, named, public, signer=signer, consent=consent_to_licence)
    return stage.release(project, named, signer=signer, again=again)


@verb(app)
def verify(
    folder: Annotated[Path, typer.Argument(metavar="RELEASE", help="The folder of a release.")],
    *,
    key: Key = None,
    signed: Signed = False,
    self_test: Annotated[
        bool,
        typer.Option("--self-test", help="Let each of its engines that is installed answer the release's picture."),
    ] = False,
) -> Answer:
    """Check every byte of a release, and who vouches for it."""
    from cutis.runtime.verified import verify

    verified = verify(folder, key=key, required=signed, with_self_test=self_test)
    return Answer(lines=verified.lines, content=stamp("verification") | verified.facts)


@verb(app)
def serve(  # noqa: PLR0913  every option of the command line is one
    *,
    settings: Annotated[
        Path | None,
        typer.Option(metavar="CLINIC.toml", help="Settings of the server; flags and environment come before."),
    ] = None,
    release: Annotated[Path | None, typer.Option(metavar="RELEASE", help="The release that answers.")] = None,
    key: Key = None,
    signed: Annotated[
        bool | None, typer.Option("--signed/--unsigned", help="Whether the release must be signed; it must, by itself.")
    ] = None,
    engine: Annotated[
        str | None, typer.Option(metavar="NAME", help="auto, the fastest here, or one that the release offers by name.")
    ] = None,
    folder: Annotated[
        Path | None, typer.Option(metavar="DIR", file_okay=False, help="What the server keeps; clinic, if not given.")
    ] = None,
    database: Annotated[
        str | None, typer.Option(metavar="URL", help="Another database than the folder's own, such as PostgreSQL.")
    ] = None,
    host: Annotated[str | None, typer.Option(help="The address to listen on; 127.0.0.1, if not given.")] = None,
    port: Annotated[int | None, typer.Option(help="8471, if not given.")] = None,
    address: Annotated[
        str | None, typer.Option(metavar="URL", help="How browsers call it, where a proxy stands before it.")
    ] = None,
    demonstration: Annotated[
        bool | None,
        typer.Option("--demonstration", help="Show a toy release's answers at once, without an acceptance test."),
    ] = None,
    check: Annotated[bool, typer.Option("--check", help="Only look whether it could start, line by line.")] = False,
    new_link: Annotated[bool, typer.Option("--new-link", help="Make a new link for the administrator.")] = False,
) -> Finished | Answer:
    """Open the page in the consulting room, and the API beside it.

    Ctrl-C or SIGTERM ends it, SIGHUP changes over to a new release. It begins silent: answers are kept and not shown,
    until the site's own acceptance test has passed.
    """
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as in diagnose

    from cutis.serve import stage

    flags = {
        "release": release,
        "key": key,
        "signed": signed,
        "engine": engine,
        "folder": folder,
        "database": database,
        "host": host,
        "port": port,
        "address": address,
        "demonstration": demonstration,
    }
    if check:
        return _examined(stage.check(settings, **flags))
    return stage.serve(settings, new_link=new_link, **flags)


@verb(app)
def doctor(*, workspace: Folder = WORK) -> Answer:
    """Say what this machine lacks."""
    from cutis.doctor import examine

    return _examined(examine(workspace))


def _examined(checks: "tuple[Check, ...]") -> Answer:
    """Tell what was looked at, how to mend what is wrong, and leave with the worst of it."""
    mends = [f"        mend: {check.mend}" if check.mend else "" for check in checks]
    lines = [f"{check.state:<4}  {check.name:<18} {check.found}" for check in checks]
    return Answer(
        lines=tuple(line for pair in zip(lines, mends, strict=True) for line in pair if line),
        content=stamp("examination") | {"checks": [vars(check) for check in checks]},
        exit_code=max(EXITS.get(check.state, 0) for check in checks),
    )


def _require_fitting(
    on: Path | None, *, only_test: bool, several: bool, protocol: Path | None, robustness: bool
) -> None:
    """Refuse what says nothing together.

    Raises:
        UserError: names the two.
    """
    if on is None:
        if only_test:
            raise UserError(
                "--only-test without --on", where="cutis evaluate", mend="the home dataset is its test only"
            )
        return
    beside = {"several bundles": several, "--protocol": protocol is not None, "--robustness": robustness}
    wrong = [what for what, is_given in beside.items() if is_given]
    if wrong:
        what = f"--on does not go with {' and '.join(wrong)}"
        raise UserError(what, where="cutis evaluate", mend="name one bundle, and leave the others out")


def _require_sanity(*, sanity: bool, masks: Path | None, pictures: Path | None, all_methods: bool) -> None:
    """Refuse options that say nothing without another one.

    Raises:
        UserError: names both.
    """
    alone = {"--masks": masks, "--all-methods": all_methods, "--pictures": pictures}
    given = [option for option, value in alone.items() if value]
    needed = "--sanity" if given and not sanity else "--masks" if pictures and not masks else ""
    if needed:
        what = f"{' and '.join(given)} without {needed}"
        raise UserError(what, where="cutis explain", mend=f"add {needed}, or leave {given[0]} out")


def _require_diagnosable(
    images: list[Path],
    *,
    to: Path | None,
    release: Path | None,
    engine: str | None,
    similar: int,
    patient: str | None,
) -> None:
    """Refuse what says nothing together, before anything is opened.

    Raises:
        UserError: names the two, or what is in the way.
    """
    where = "cutis diagnose"
    if patient is not None and not similar:
        raise UserError("--patient without --similar", where=where, mend="add --similar 5, or leave it out")
    if engine is not None and release is None:
        raise UserError("--engine without --release", where=where, mend="a bundle is run by PyTorch: leave it out")
    if to is None:
        if folder := next((image for image in images if image.is_dir()), None):
            mend = "add --to answers.parquet, for a row per picture"
            raise UserError("this is a folder", where=str(folder), mend=mend)
        return
    if similar:
        raise UserError("--similar does not go with --to", where=where, mend="leave one of them out")
    if to.exists():
        raise UserError("there is a file already", where=str(to), mend="name another one, or remove it")
    if not to.absolute().parent.is_dir():
        raise UserError("there is no such folder", where=str(to.absolute().parent), mend="make it, or name another one")


def _answers(ready: "Callable[[], Ready]", images: list[Path], search: "Search", *, top: int) -> Answer:
    """Answer pictures one by one; what cannot be read is told beside the answers to the others."""
    from cutis.imaging.border import Decoders
    from cutis.runtime.predict import diagnose
    from cutis.runtime.told import lines_of

    diagnoses: list[Diagnosis] = []
    errors: list[UserError] = []
    with Decoders() as decoders:
        decoders.start()  # while what answers is opened
        bundle, engine, among, answers_by = ready()
        for image in images:
            try:
                prepared = decoders.prepared_file
                seen = diagnose(engine, bundle, image, among=among, search=search, prepared=prepared)
                diagnoses.append(seen.diagnosis)
            except UserError as error:
                errors.append(error)
    return Answer(
        lines=tuple(line for diagnosis in diagnoses for line in lines_of(diagnosis, top=top)),
        content=stamp("diagnoses")
        | {
            "answers_by": answers_by,
            "diagnoses": [diagnosis.to_dict() for diagnosis in diagnoses],
            "errors": [plain(error) for error in errors],
        },
        errors=tuple(errors),
        exit_code=max((error.exit_code for error in errors), default=0),
    )


def _table_of_answers(ready: "Callable[[], Ready]", images: list[Path], to: Path) -> Answer:
    """Answer many pictures into a table."""
    from cutis.runtime.many import answer_many, pictures_in

    paths = pictures_in(images)
    bundle, engine, _, answers_by = ready()
    counts = answer_many(engine, bundle, paths, to)
    became = f"{counts.answered:,} answered, {counts.abstained:,} not answered, {counts.unreadable:,} not to be read"
    return Answer(
        lines=(
            f"{len(paths):,} files by {answers_by}: {became}",
            *(f"note: {warning}" for warning in bundle.warnings),
            f"wrote  {to}",
        ),
        content=stamp("diagnoses")
        | {"table": str(to), "pictures": len(paths), "answers_by": answers_by, **counts._asdict()},
    )
