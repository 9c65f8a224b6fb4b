"""CLINIC FOLDER → DATASET. Each line drops, changes or marks cases, and leaves a trace."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from cutis.curate.card import describe_dataset
from cutis.curate.clusters import cluster_kind, join_clusters
from cutis.curate.consensus import Diagnosed, agree_on_diagnoses
from cutis.curate.dataset import ledger_named_by, write_cases, write_findings
from cutis.curate.deidentify import deidentify
from cutis.curate.duplicates import mark_duplicates
from cutis.curate.intake import Archive, take_in
from cutis.curate.ledger import LEDGER_FILE, read_ledger, write_ledger
from cutis.curate.proof import prove
from cutis.curate.row import Rejection
from cutis.curate.screen import Candidate, screen
from cutis.curate.split import Drawn, SplitPlan, meant_for_test, split
from cutis.curate.told import tell
from cutis.vocabulary.case import Case, Manifest
from cutis.vocabulary.errors import UserError
from cutis.vocabulary.files import sha256_of, written_aside
from cutis.vocabulary.pseudonyms import read_or_make_key, write_key
from cutis.workspace import Finished, Workspace, alone_in

DRAWN = SplitPlan()
# Bytes written for each byte read, at most: ten JPEGs of HAM10000 grow 1.5-fold, and saved with quality 75 before
# 2.2-fold; a WEBP, which becomes a PNG, more.
GROWTH = 5


def curate(
    clinic: Path,
    workspace: Workspace,
    *,
    clinic_file: Path | None = None,
    taxonomy: str | None = None,
    plan: SplitPlan = DRAWN,
    again: bool = False,
) -> Finished:
    """Turn a clinic's folder into the dataset of this workspace.

    The key of the pseudonyms and the ledger of splits are written when all else has succeeded, and just before the
    dataset appears: a split that is remembered but unseen harms nobody, one that is seen but forgotten would leak.

    Raises:
        UserError: folder, table, labels or plan are unusable, the dataset is there already, another cutis is writing
            it, or the disk is full.
        SafetyRefusal: key or ledger are damaged, do not belong together, or are gone while their dataset is there.
    """
    workspace.refuse_to_overwrite(workspace.dataset, again=again)
    _refuse_within(clinic, workspace)
    archive = take_in(clinic, clinic_file=clinic_file, taxonomy=taxonomy)
    diagnosed = agree_on_diagnoses(archive)
    meant = meant_for_test([row for row, _ in diagnosed.rows], plan)
    needs = GROWTH * sum(row.source.stat().st_size for row, _ in diagnosed.rows)
    private = workspace.private
    with (
        alone_in(private),
        workspace.new_version(workspace.dataset, again=again, needs=needs) as folder,
        written_aside(private / LEDGER_FILE) as new_ledger,
    ):
        key, named = read_or_make_key(private), ledger_named_by(workspace.dataset)
        ledger = read_ledger(private, key, plan=plan.to_dict(), named=named)
        screened = screen(diagnosed.rows, folder / "images")
        rejected = (*archive.rejected, *diagnosed.rejected, *screened.rejected)
        _refuse_nothing(screened.kept, rejected, clinic)
        cases, candidates = deidentify(screened.kept, key, folder)
        cases = mark_duplicates(cases, candidates)
        cases = join_clusters(cases)
        drawn = [Drawn(one.picture.source_sha256, one.row.source in meant) for one in candidates]
        dealt = split(cases, drawn, codes=diagnosed.taxonomy.codes, plan=plan, ledger=ledger)
        write_ledger(new_ledger, dealt.ledger, key, named=named)
        manifest = _manifest(dealt.cases, archive, diagnosed)
        manifest = write_cases(folder, manifest, rejected, made_from=_made_from(archive, candidates))
        splits = {"plan": plan.to_dict(), "moved_clusters": dealt.moved} | prove(manifest)
        card = describe_dataset(manifest, archive, candidates, rejected)
        write_findings(folder, card=card, splits=splits, ledger_sha256=sha256_of(new_ledger))
        write_key(private, key)
    return tell(workspace.dataset, card=card, splits=splits)


def _refuse_within(clinic: Path, workspace: Workspace) -> None:
    """Stop where the dataset would lie among the clinic's pictures, and be taken in by the next curate."""
    if workspace.root.resolve().is_relative_to(clinic.resolve()):
        mend = "choose a --workspace outside of it"
        raise UserError("the workspace lies in the clinic's folder", where=str(workspace.root), mend=mend)


def _refuse_nothing(kept: Sequence[Candidate], rejected: Sequence[Rejection], clinic: Path) -> None:
    if not kept:
        counts = Counter(rejection.reason for rejection in rejected)
        why = ", ".join(f"{reason} {count}" for reason, count in counts.most_common())
        mend = "look at these files: are they the right ones?"
        raise UserError(f"no picture can be used: {why}", where=str(clinic), mend=mend)


def _manifest(cases: Sequence[Case], archive: Archive, diagnosed: Diagnosed) -> Manifest:
    about = archive.about
    return Manifest(
        cases=tuple(cases),
        taxonomy=diagnosed.taxonomy,
        cluster_kind=cluster_kind(cases),
        source=about.source or about.name,
        licence=about.licence,
        invented=about.invented,
    )


def _made_from(archive: Archive, candidates: Sequence[Candidate]) -> dict[str, str]:
    """Return the sha256 of table and clinic.toml, and one over those of all pictures."""
    pictures = "\n".join(sorted(candidate.picture.source_sha256 for candidate in candidates))
    return {**archive.made_from, "pictures": hashlib.sha256(pictures.encode()).hexdigest()}
