"""What the clinic's server can be told beside what every server of ours can."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from cutis.web.settings import Settings

MASTER_KEY = "private/master.key"
DATABASE = "clinic.sqlite"
JOURNAL = "journal"
LARGEST_PICTURE = 32 << 20  # bytes of a file


class ClinicSettings(Settings):
    """The ground's settings, and the clinic's."""

    folder: Path = Path("clinic")  # what the server keeps: the database, its master key, its anchors
    release: Path | None = None  # that answers
    key: Path | None = None  # PEM file of the public key that signed it, outside the release
    releases: Path | None = None  # a folder of releases that the page may change over to
    signed: bool = True  # refuse a release that is not signed by this key
    engine: str = "auto"
    master_key: Path | None = (
        None  # where the key lies that all cases' keys are wrapped by; in the folder, if not given
    )
    demonstration: bool = False  # show answers without an acceptance test: for a release of invented pictures alone
    commit_first: bool = False  # a clinician says what they think before they see the answer
    retention_days: float | None = Field(default=None, gt=0)  # after which a case is erased; None: never by itself
    signs: Path | None = None  # a TOML file of the site's own: what to look for, by diagnosis and language
    pictures_of_a_lesion: int = Field(default=6, ge=1)
    picture_bytes: int = Field(default=LARGEST_PICTURE, ge=1024)
    decoders: int = Field(default=1, ge=1)
    waiting: int = Field(
        default=16, ge=1
    )  # examinations that may wait for their answer; another one is told to come back

    @property
    def database_url(self) -> str:
        """The database's URL: as told, or a file in the folder."""
        return self.database or f"sqlite:///{(self.folder / DATABASE).absolute()}"

    @property
    def master_key_file(self) -> Path:
        """Where the master key lies."""
        return self.master_key or self.folder / MASTER_KEY

    @property
    def journal_folder(self) -> Path:
        """Where the journal's anchors lie, and which cases were erased: outside of the database."""
        return self.folder / JOURNAL
