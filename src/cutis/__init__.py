"""cutis: from a dermatology clinic's archive to a validated, explained diagnosis network."""

__version__ = "0.1.0"
