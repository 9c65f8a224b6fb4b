"""Asks a clinic's server from a program; nothing of a server is imported for it."""

from cutis.client.asking import Client
from cutis.client.contract import Examination, Problem, Release
from cutis.client.errors import Refused, Unreachable

__all__ = ["Client", "Examination", "Problem", "Refused", "Release", "Unreachable"]
