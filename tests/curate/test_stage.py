import csv
import errno
import hashlib
import json
from collections import defaultdict

import pytest
from PIL import Image

from cutis.curate import stage
from cutis.curate.split import SplitPlan
from cutis.curate.stage import curate
from cutis.imaging.fingerprint import fingerprint, near_duplicates
from cutis.vocabulary.case import read_manifest
from cutis.vocabulary.errors import SafetyRefusal, UserError
from cutis.vocabulary.files import read_json, sha256_of
from cutis.vocabulary.taxonomy import load_taxonomy
from cutis.workspace import LOCK, Workspace, alone_in
from factories import a_picture

PERSON = "Musterfrau"


def manifest_of(workspace):
    return read_manifest(workspace.dataset / "manifest.parquet")


def rejected_of(workspace):
    with (workspace.dataset / "rejected.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def places_of(workspace):
    return {case.case_id: (case.split, case.fold) for case in manifest_of(workspace).cases}


def everything_in(folder):
    """Every file with its bytes, but for the lock, which holds nothing."""
    paths = (path for path in sorted(folder.rglob("*")) if path.is_file() and path.name != LOCK)
    return {path: path.read_bytes() for path in paths}


@pytest.fixture
def dirty(clinic, rows, row):
    """A clinic with one of each fault that a small clinic can hold."""
    extra = [
        row(50, "melanoma"),
        row(51, file="gone.jpg"),
        row(52, dr_a="NV", dr_b="SK", dr_c="BCC"),
        row(53, patient_no="P000", lesion_no="L000", dr_a="NV", dr_b="NV", dr_c="SK"),
        row(54, file="text.jpg"),
        row(55, file="black.png"),
    ]
    folder = clinic([*rows(), *extra])
    (folder / "gone.jpg").unlink()
    (folder / "text.jpg").write_text("no picture")
    Image.new("RGB", (176, 132)).save(folder / "black.png")
    a_picture(width=176, height=132, seed=60).save(folder / "stray.png")
    return folder


def test_a_sound_clinic_becomes_a_dataset(clinic, workspace):
    """Pictures, manifest, taxonomy, proof, card: each stamped, each made from the other."""
    finished = curate(clinic(), workspace)

    manifest = manifest_of(workspace)
    assert finished.wrote == workspace.dataset
    assert finished.next_command == "cutis train"
    assert (len(manifest), manifest.cluster_kind, manifest.licence) == (18, "patient", "CC0-1.0")
    assert load_taxonomy(str(workspace.dataset / "taxonomy.toml")) == manifest.taxonomy
    assert {sha256_of(workspace.dataset / case.image) for case in manifest.cases} == set(manifest.column("sha256"))
    made_from = read_json(workspace.dataset / "splits.json", "splits")["made_from"]
    assert made_from == {
        "manifest": sha256_of(workspace.dataset / "manifest.parquet"),
        "ledger": sha256_of(workspace.private / "split_ledger.json"),
    }
    assert {path.name for path in workspace.dataset.iterdir()} == {
        *("images", "manifest.parquet", "taxonomy.toml", "rejected.csv", "splits.json", "card.json")
    }


def test_rows_in_are_rows_kept_and_rows_rejected(dirty, workspace):
    """Nothing is lost without a word; a file without a row is counted beside them."""
    finished = curate(dirty, workspace)

    rejected = rejected_of(workspace)
    card = read_json(workspace.dataset / "card.json", "card")
    lost = [one for one in rejected if one["row"]]
    assert card["rows"] == {"in": 24, "kept": len(manifest_of(workspace)), "rejected": len(lost)}
    assert card["rows"]["in"] == card["rows"]["kept"] + card["rows"]["rejected"]
    assert card["files_without_a_row"] == len(rejected) - len(lost) == 1
    assert {(one["file"], one["reason"]) for one in rejected} == {
        ("img_050.jpg", "unknown diagnosis"),
        ("gone.jpg", "no file for this row"),
        ("text.jpg", "not an image"),
        ("black.png", "black"),
        ("stray.png", "no row for this file"),
    }
    assert {one["format"] for one in rejected} == {"1"}
    assert finished.lines[0].startswith("24 rows = 20 kept + 4 rejected")
    assert "1 files without a row" in finished.lines


def test_what_is_unresolved_stays_in_sight_with_a_split_of_its_cluster(dirty, workspace):
    """Hard cases that are left out would flatter."""
    curate(dirty, workspace)

    unresolved = [case for case in manifest_of(workspace).cases if case.indeterminate == "unresolved votes"]
    (case,) = unresolved
    assert (case.diagnosis, len(case.votes), case.split is not None) == (None, 3, True)
    assert manifest_of(workspace).indeterminate_of(case.split).cases == (case,)


def test_the_proof_counts_what_was_written(dirty, workspace):
    """Shared patients 0, lesions 0, near-duplicates 0: counted again here, from the pictures themselves."""
    finished = curate(dirty, workspace)

    cases = manifest_of(workspace).cases
    splits = read_json(workspace.dataset / "splits.json", "splits")
    pictures = [fingerprint(Image.open(workspace.dataset / case.image).convert("RGB")) for case in cases]
    pairs = near_duplicates(pictures)
    held = defaultdict(set)
    for case in cases:
        held[case.patient_id].add(case.split)
        held[case.lesion_id].add(case.split)
    assert set(splits["proof"].values()) == {0}
    assert all(len(found) == 1 for found in held.values())
    assert all(cases[one].split == cases[other].split for one, other in pairs)
    for name, counted in splits["splits"].items():
        settled = [case for case in cases if case.split == name and not case.indeterminate]
        assert counted["images"] == len(settled)
        assert all(found["images"] >= 1 for found in counted["diagnoses"].values())
    assert "shared between splits: patients 0, lesions 0, near-duplicates 0" in finished.lines


def test_the_card_tells_agreement_votes_and_what_was_stripped(dirty, workspace):
    """With the number of cases behind each kappa."""
    curate(dirty, workspace)

    card = read_json(workspace.dataset / "card.json", "card")
    assert card["agreement"]["fleiss"]["cases"] == 20
    assert len(card["agreement"]["cohen"]) == 3
    assert card["votes"] == {"kept": 60, "dropped": 0}
    assert card["confirmed_by"] == {"majority": 19}
    assert card["indeterminate"] == {"unresolved votes": 1}
    assert card["missing"]["age"] == 0
    assert card["device"] == {"scope A": 20}
    assert card["days_from_first_to_last"] == 25


def test_no_name_leaves_the_clinic(clinic, rows, workspace):
    """A token planted in names of files, folders, columns and table, in EXIF, patients and lesions is nowhere else."""
    named = [
        one
        | {"file": f"{PERSON}/{one['file']}"}
        | {name: f"{PERSON} {one[name]}" for name in ("patient_no", "lesion_no")}
        for one in rows()
    ]
    columns = {"image": "file", "patient": "patient_no", "lesion": "lesion_no", "raters": [PERSON, "dr_b", "dr_c"]}
    folder = clinic(named, table=f"{PERSON}.csv", columns=columns)
    table = (folder / "export.csv").rename(folder / f"{PERSON}.csv")
    table.write_text(table.read_text(encoding="utf-8").replace("dr_a", PERSON, 1), encoding="utf-8")
    exif = Image.Exif()
    exif[0x010E] = PERSON
    a_picture(width=176, height=132, seed=0).save(folder / PERSON / "img_000.jpg", exif=exif)
    (folder / PERSON / "stray.jpg").write_text(PERSON)

    curate(folder, workspace)

    holding = {path.name for path, content in everything_in(workspace.dataset).items() if PERSON.encode() in content}
    assert holding == {"rejected.csv"}
    assert PERSON not in repr(manifest_of(workspace))
    assert not any(PERSON in path.name for path in workspace.root.rglob("*"))
    card = read_json(workspace.dataset / "card.json", "card")
    assert card["metadata_stripped"] == {"files": 1, "kinds": {"exif": 1}}


def test_again_keeps_everybody_in_place_and_newcomers_stay_where_they_are_put(clinic, rows, workspace):
    """Key and ledger survive; the old version of the dataset is kept beside the new one."""
    curate(clinic(rows(6)), workspace)
    first, key = places_of(workspace), (workspace.private / "pseudonym.key").read_bytes()

    curate(clinic(rows(9)), workspace, again=True)
    second = places_of(workspace)
    curate(clinic(rows(9)), workspace, again=True)

    assert first.items() <= second.items()
    assert len(second) == 27
    assert places_of(workspace) == second
    assert (workspace.private / "pseudonym.key").read_bytes() == key


def test_a_dataset_is_not_overwritten_unasked(clinic, workspace):
    """Before any work is done."""
    curate(clinic(), workspace)

    with pytest.raises(UserError, match="already there"):
        curate(clinic(), workspace)


def test_another_plan_or_a_lost_key_is_refused(clinic, workspace):
    """Both would draw everybody anew."""
    curate(clinic(), workspace)

    with pytest.raises(UserError, match="drawn once"):
        curate(clinic(), workspace, plan=SplitPlan(seed=1), again=True)
    (workspace.private / "pseudonym.key").unlink()
    with pytest.raises(SafetyRefusal, match="another key"):
        curate(clinic(), workspace, again=True)


@pytest.mark.parametrize("loss", ["gone", "an older one"])
def test_a_lost_ledger_is_refused_while_its_dataset_is_there(clinic, rows, workspace, loss):
    """Everybody would be drawn anew, and those of the test trained on; nothing is changed."""
    ledger = workspace.private / "split_ledger.json"
    curate(clinic(rows(6)), workspace)
    older = ledger.read_bytes()
    curate(clinic(rows(7)), workspace, again=True)
    curate(clinic(rows(8)), workspace, again=True)
    ledger.unlink()
    if loss == "an older one":
        ledger.write_bytes(older)
    before = everything_in(workspace.root)

    with pytest.raises(SafetyRefusal, match="the ledger of splits is gone"):
        curate(clinic(rows(9)), workspace, again=True)

    assert everything_in(workspace.root) == before


def test_a_kill_between_ledger_and_dataset_locks_nobody_out(clinic, rows, workspace, monkeypatch):
    """The ledger is ahead of the dataset then, and remembers everybody."""
    curate(clinic(rows(6)), workspace)
    first = places_of(workspace)

    def killed(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Workspace, "publish", killed)
        for patients in (7, 8):
            with pytest.raises(KeyboardInterrupt):
                curate(clinic(rows(patients)), workspace, again=True)
    curate(clinic(rows(8)), workspace, again=True)

    assert first.items() <= places_of(workspace).items()


def test_two_do_not_curate_into_one_workspace_at_once(clinic, workspace):
    """The second is told to wait."""
    with alone_in(workspace.private), pytest.raises(UserError, match="another cutis is at work here"):
        curate(clinic(), workspace)

    assert not workspace.dataset.exists()


def test_a_workspace_within_the_clinic_is_refused(clinic):
    """The dataset's pictures would be taken for the clinic's the next time."""
    folder = clinic()

    with pytest.raises(UserError, match="lies in the clinic's folder"):
        curate(folder, Workspace(folder / "work"))

    assert not (folder / "work").exists()


def test_pictures_of_nobody_are_counted_where_patients_are_the_unit(clinic, rows, workspace):
    """They might be somebody's who is tested on."""
    said = rows(7)
    said[0] |= {"patient_no": "", "lesion_no": ""}

    finished = curate(clinic(said), workspace)

    assert finished.facts["cluster_kind"] == "patient"
    assert "1 of the images have no patient, and count as patients of their own" in finished.lines


def test_a_test_that_is_later_or_elsewhere(clinic, rows, workspace):
    """By date or by device, as the plan says, with whole patients; pseudonymous dates tell nothing of it."""
    said = [one | {"device": "scope B" if number % 5 == 0 else "scope A"} for number, one in enumerate(rows(12))]

    curate(clinic(said), workspace, plan=SplitPlan(test_sites=("scope B",)))

    cases = manifest_of(workspace).cases
    assert {case.device for case in cases if case.split == "test"} == {"scope B"}
    assert {case.device for case in cases if case.split != "test"} == {"scope A"}
    assert read_json(workspace.dataset / "splits.json", "splits")["plan"]["test_sites"] == ["scope B"]


def test_a_later_test_names_what_it_lacks(clinic, rows, workspace):
    """By date: who has come since is tested on, and a diagnosis that nobody brought is said to be unknown."""
    said = [one | {"date": "2024-05-01" if number % 9 == 0 else "2023-05-01"} for number, one in enumerate(rows())]
    said[1]["date"] = ""

    finished = curate(clinic(said), workspace, plan=SplitPlan(test_from="2024-01-01"))

    assert finished.facts["splits"]["test"]["images"] == 2
    assert "not in the test, so that nothing will be known of them: SK, BCC" in finished.lines
    assert "5.6% of the images have no date and count as earlier than the test" in finished.lines


def test_duplicates_stay_in_one_split_and_contradictions_are_indeterminate(clinic, rows, row, workspace):
    """Under another name, with another patient, and with another label."""
    copies = [row(70, "NV"), row(71, "BCC")]
    folder = clinic([*rows(), *copies])
    for copy, original in ((70, 0), (71, 1)):
        (folder / f"img_{copy:03d}.jpg").write_bytes((folder / f"img_{original:03d}.jpg").read_bytes())

    finished = curate(folder, workspace)

    groups = defaultdict(list)
    for case in manifest_of(workspace).cases:
        groups[case.duplicate_group].append(case)
    del groups[None]
    assert sorted(len(group) for group in groups.values()) == [2, 2]
    assert all(len({(case.split, case.fold, case.cluster_id) for case in group}) == 1 for group in groups.values())
    reasons = [{case.indeterminate for case in group} for group in groups.values()]
    assert {None} in reasons
    assert {"contradicting labels"} in reasons
    assert "duplicates: 2 groups of 4 images, the largest of 2; 100% cross lesions" in finished.lines


def test_a_folder_per_class_becomes_a_dataset(tmp_path, workspace):
    """Without a table each picture is a cluster of its own."""
    for number in range(28):
        path = tmp_path / "clinic" / ("nv", "mel", "bcc", "bkl", "df", "akiec", "vasc")[number % 7] / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        a_picture(width=176, height=132, seed=number).save(path)

    finished = curate(tmp_path / "clinic", workspace, taxonomy="ham7")

    manifest = manifest_of(workspace)
    assert (len(manifest), manifest.cluster_kind, manifest.licence) == (28, "lesion", "not stated")
    assert len(set(manifest.column("cluster_id"))) == 28
    assert finished.facts["patients"] == 0


@pytest.mark.parametrize(
    ("fault", "what"),
    [
        ("missing folder", "no such folder"),
        ("empty folder", "empty"),
        ("no image column", "this table has no image column"),
        ("unknown diagnosis", "unknown diagnosis in 24 of 24 rows"),
        ("wrong encoding", "not UTF-8"),
        ("fewer patients than splits", r"fewer patients than splits \(4\): SK \(2\)"),
        ("nothing usable", "no picture can be used: not an image 18"),
        ("unknown key", "unknown key 'tabel'"),
    ],
)
def test_bad_input_is_one_clear_error_and_leaves_nothing(tmp_path, clinic, rows, row, workspace, fault, what):
    """No dataset, no half dataset, no key, no ledger."""
    match fault:
        case "missing folder":
            folder = tmp_path / "nowhere"
        case "empty folder":
            folder = tmp_path / "empty"
            folder.mkdir()
        case "no image column":
            folder = clinic(columns={"diagnosis": "dr_a"}, pictures=False)
        case "unknown diagnosis":
            folder = clinic([row(number, "melanoma") for number in range(24)], pictures=False)
        case "wrong encoding":
            folder = clinic(pictures=False)
            (folder / "export.csv").write_bytes("file,site\na.jpg,Rücken\n".encode("latin-1"))
        case "fewer patients than splits":
            folder = clinic([one for number, one in enumerate(rows()) if number % 3 != 1 or number < 6])
        case "nothing usable":
            folder = clinic(pictures=False)
        case "unknown key":
            folder = clinic(pictures=False, tabel="export.csv")

    with pytest.raises(UserError, match=what):
        curate(folder, workspace)

    assert everything_in(workspace.root) == {} if workspace.root.exists() else True


def test_no_space_left_changes_nothing(clinic, rows, workspace, monkeypatch):
    """The disk fills up while the last file is written: the old dataset, key and ledger stay as they were."""
    curate(clinic(rows(6)), workspace)
    before = everything_in(workspace.root)

    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(stage, "write_findings", full)
    with pytest.raises(UserError, match="no space left"):
        curate(clinic(rows(8)), workspace, again=True)

    assert everything_in(workspace.root) == before


def test_a_run_that_is_broken_off_writes_no_key(clinic, workspace, monkeypatch):
    """A first run that fails has never been."""

    def broken(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(stage, "describe_dataset", broken)
    with pytest.raises(KeyboardInterrupt):
        curate(clinic(), workspace)

    assert everything_in(workspace.root) == {}


def test_the_same_clinic_and_key_give_the_same_dataset(clinic, workspace, tmp_path):
    """Byte by byte, but for the circumstances."""
    curate(clinic(), workspace)
    first = {case.case_id: case for case in manifest_of(workspace).cases}
    pictures = {
        path.name: hashlib.sha256(content).hexdigest()
        for path, content in everything_in(workspace.dataset / "images").items()
    }

    curate(clinic(), workspace, again=True)

    assert {case.case_id: case for case in manifest_of(workspace).cases} == first
    again = {
        path.name: hashlib.sha256(content).hexdigest()
        for path, content in everything_in(workspace.dataset / "images").items()
    }
    assert again == pictures


def test_two_workspaces_split_the_same_archive_alike(clinic, workspace, tmp_path):
    """Their keys differ, and with them every name; who trains and who tests does not, so that figures compare."""
    other = Workspace(tmp_path / "other")

    for place in (workspace, other):
        curate(clinic(), place)

    first, second = (
        {case.sha256: (case.split, case.fold) for case in manifest_of(w).cases} for w in (workspace, other)
    )
    assert first == second
    assert places_of(workspace).keys().isdisjoint(places_of(other))


def test_what_is_told_to_a_program_is_plain_data(dirty, workspace):
    """`--json` prints it."""
    facts = curate(dirty, workspace).facts

    assert json.loads(json.dumps(facts)) == facts
    assert facts["rows"]["in"] == 24
    assert facts["proof"]["shared_patients"] == 0
