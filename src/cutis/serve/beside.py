"""The release that answers, as verbs beside the server know it: checked, and with no engine opened."""

from __future__ import annotations

from cutis.runtime.release import Release, read_release
from cutis.serve.changing import release_now
from cutis.serve.settings import ClinicSettings
from cutis.web.database import Database


def release_of(settings: ClinicSettings, database: Database) -> Release:
    """Return it.

    Raises:
        UserError, SafetyRefusal: none is named, or it is not as it was sealed and signed.
    """
    trusted = release_now(settings, database)
    return read_release(trusted.folder, key=trusted.key, required=trusted.required)
