"""How a server is told where it stands: flags over environment over a TOML file over defaults."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

from cutis.vocabulary.errors import UserError

LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


class Settings(BaseSettings):
    """What every server of ours can be told; in the environment each name has ``CUTIS_`` before it."""

    model_config = SettingsConfigDict(env_prefix="CUTIS_", extra="forbid", frozen=True)

    database: str = ""  # a URL of SQLite or PostgreSQL; a file of the workspace, if empty
    host: str = "127.0.0.1"  # the address to listen on
    port: int = Field(default=8471, ge=0, le=65535)
    address: str = ""  # how browsers call it, such as https://booth.example.org; the one it listens on, if empty
    hosts: tuple[str, ...] = ()  # more names it answers to
    proxies: tuple[str, ...] = ()  # whose word about the caller's address is taken
    plain_http: bool = False  # whether others may reach it without encryption, such as within a lecture hall
    translations: Path | None = None  # a folder of more languages, a TOML file each
    idle_minutes: float = Field(default=15, gt=0)
    session_hours: float = Field(default=12, gt=0)
    link_days: float = Field(default=180, gt=0)
    hashes_at_once: int = Field(default=2, ge=1)  # each takes 64 MiB and a core for some tenths of a second
    hashes_waiting: int = Field(default=32, ge=0)
    body_bytes: int = Field(default=65_536, ge=1024)
    body_seconds: float = Field(default=20, gt=0)  # that a caller may let us wait for the next part of a body
    header_seconds: float = Field(default=10, gt=0)

    @classmethod
    def settings_customise_sources(  # the order is the promise of this module
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003  a file of secrets is not looked for
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003  the same
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Flags, environment, file."""
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)

    @field_validator("address")
    @classmethod
    def _an_origin(cls, address: str) -> str:
        parts = urlsplit(address)
        if address and (parts.scheme not in {"http", "https"} or not parts.hostname or parts.path.strip("/")):
            raise ValueError("an address is https://NAME or http://NAME, without a path")
        return address.rstrip("/")

    @property
    def origin(self) -> str:
        """Scheme, name and port as a browser writes them."""
        name = f"[{self.host}]" if ":" in self.host else self.host
        return self.address or f"http://{name}:{self.port}"

    @property
    def is_encrypted(self) -> bool:
        """Whether browsers reach it by https."""
        return self.origin.startswith("https://")

    @property
    def is_public(self) -> bool:
        """Whether anybody but this machine can reach it."""
        return self.host not in LOOPBACK or (bool(self.address) and urlsplit(self.address).hostname not in LOOPBACK)

    @property
    def known_hosts(self) -> frozenset[str]:
        """What may stand in a Host header, port included where it is not the usual one."""
        own = urlsplit(self.origin).netloc
        near = (
            {f"{name}:{self.port}" for name in ("127.0.0.1", "localhost", "[::1]")} if self.host in LOOPBACK else set()
        )
        return frozenset({own, *near, *self.hosts})


Kind = TypeVar("Kind", bound=Settings)


def read_settings(kind: type[Kind], file: Path | None = None, **flags: Any) -> Kind:
    """Return the settings of a server; a flag that is None was not given.

    Raises:
        UserError: the file is missing or no TOML, a key is unknown, or a value does not fit.
    """
    if file is not None and not file.is_file():
        raise UserError("there is no such file", where=str(file), mend="check --settings")
    given = {name: value for name, value in flags.items() if value is not None}
    where = str(file or "the environment and the flags")
    read = type(kind.__name__, (kind,), {"model_config": SettingsConfigDict(toml_file=file), "__module__": __name__})
    try:
        found: Kind = read(**given)
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors())
        raise UserError(wrong, where=where, mend=f"known are: {', '.join(kind.model_fields)}") from error
    except ValueError as error:  # what tomllib says
        raise UserError(f"this is no TOML: {error}", where=where, mend="correct the line that is named") from error
    return found
