"""
What the environment says, typed and checked once, before anything else starts.

Every variable is declared here and nowhere else: its name, its type, its default and, as its description, what a
valid value looks like. That sentence is the second half of its error message, and a row of docs/configuration.md.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, ValidationError, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError
from pydantic_settings import DotEnvSettingsSource, NoDecode, SettingsConfigDict

from config import complaints, values
from config.limits import Limits, Rate
from realtime.addresses import is_loopback

PROJECT = Path(__file__).resolve().parent.parent
# Names the file that may hold variables too; empty for none. Tests use it to see their own environment alone.
ENV_FILE = "USHER_ENV_FILE"
KEY_BYTES = 32
LOOPBACK_NAMES = ("localhost", "127.0.0.1", "[::1]")
SIGNUP_RATE, DEMO_SIGNUP_RATE = "30/min", "600/min"

HostNames = Annotated[tuple[str, ...], NoDecode, BeforeValidator(values.host_names)]
Origins = Annotated[tuple[str, ...], NoDecode, BeforeValidator(values.origins)]
Keys = Annotated[tuple[str, ...], NoDecode, BeforeValidator(values.items)]
DatabaseUrl = Annotated[str, BeforeValidator(values.database_url)]
RedisUrl = Annotated[str, BeforeValidator(values.redis_url)]


def _own_pages(earlier: Mapping[str, Any]) -> tuple[str, ...]:
    """The demo's own address, so that a page it serves may open a socket; nobody's otherwise."""
    if not earlier.get("demo"):
        return ()
    return tuple(f"http://{host}:{earlier.get('port')}" for host in LOOPBACK_NAMES)


class Environment(Limits):
    """The environment variables, each with its expectation. A field may ask those above it, so the order matters."""

    model_config = SettingsConfigDict(
        frozen=True, extra="ignore", env_ignore_empty=True, case_sensitive=True, validate_default=False
    )

    demo: bool = Field(default=False, validation_alias="USHER_DEMO", description="1 or 0; 1 allows the demo people")
    host: str = Field(
        default="127.0.0.1", validation_alias="HOST", description="the address to listen on, such as 127.0.0.1"
    )
    port: int = Field(default=8000, ge=1, le=65535, validation_alias="PORT", description="a port from 1 to 65535")
    secret_key: str = Field(
        min_length=KEY_BYTES,
        repr=False,
        validation_alias="USHER_SECRET_KEY",
        description="at least 32 random characters",
    )
    jwt_key: str = Field(
        repr=False,
        validation_alias="USHER_JWT_KEY",
        description="at least 32 random bytes, other than USHER_SECRET_KEY",
    )
    jwt_other_keys: Keys = Field(
        default=(),
        repr=False,
        validation_alias="USHER_JWT_OTHER_KEYS",
        description="keys separated by commas, each of at least 32 random bytes and none of them USHER_SECRET_KEY or "
        "USHER_JWT_KEY",
    )
    database_url: DatabaseUrl | None = Field(
        default=None,
        repr=False,
        validation_alias="DATABASE_URL",
        description="a URL such as postgresql://user:password@host:5432/usher or sqlite:///var/usher.sqlite3",
    )
    redis_url: RedisUrl | None = Field(
        default=None,
        repr=False,
        validation_alias="REDIS_URL",
        description="a URL such as redis://localhost:6379/0",
    )
    channel_layer: Literal["pubsub", "core", "memory"] = Field(
        default_factory=lambda earlier: "pubsub" if earlier.get("redis_url") else "memory",
        validation_alias="USHER_CHANNEL_LAYER",
        description="pubsub or core (both need REDIS_URL), or memory (one process only)",
    )
    allowed_hosts: HostNames = Field(
        default=LOOPBACK_NAMES,
        validation_alias="USHER_ALLOWED_HOSTS",
        description="host names separated by commas, such as usher.example.com (no *)",
    )
    allowed_origins: Origins = Field(
        default_factory=_own_pages,
        validation_alias="USHER_ALLOWED_ORIGINS",
        description="exact origins separated by commas, such as https://app.example.com (no *, no path)",
    )
    signup_rate: Rate = Field(
        default_factory=lambda earlier: DEMO_SIGNUP_RATE if earlier.get("demo") else SIGNUP_RATE,
        validation_alias="USHER_SIGNUP_RATE",
        description="sign-ups per client address, such as 30/min",
    )
    access_seconds: int = Field(
        default=300,
        ge=1,
        le=3600,
        validation_alias="USHER_ACCESS_SECONDS",
        description="the life of an access token in whole seconds, from 1 to 3600",
    )
    sweep_seconds: float = Field(
        default=2,
        gt=0,
        le=60,
        validation_alias="USHER_SWEEP_SECONDS",
        description="seconds between two looks at the counters, more than 0 and at most 60",
    )
    heartbeat_seconds: float = Field(
        default=25,
        gt=0,
        le=300,
        validation_alias="USHER_HEARTBEAT_SECONDS",
        description="seconds between two pings, more than 0 and at most 300",
    )
    pong_seconds: float = Field(
        default=10,
        gt=0,
        le=300,
        validation_alias="USHER_PONG_SECONDS",
        description="seconds to wait for a pong, more than 0 and at most 300",
    )
    auth_seconds: float = Field(
        default=5,
        gt=0,
        le=60,
        validation_alias="USHER_AUTH_SECONDS",
        description="seconds to wait for a socket's token, more than 0 and at most 60",
    )
    housekeeping_seconds: float = Field(
        default=3600,
        gt=0,
        le=86400,
        validation_alias="USHER_HOUSEKEEPING_SECONDS",
        description="seconds between two rounds of housekeeping, more than 0 and at most 86400",
    )
    fast_lane: Literal["on", "off", "single"] = Field(
        default="on",
        validation_alias="USHER_FAST_LANE",
        description="on or off; or single, which is for measurements",
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        default="INFO", validation_alias="USHER_LOG_LEVEL", description="DEBUG, INFO, WARNING or ERROR"
    )

    def may_listen_on(self, host: str) -> bool:
        """Tell whether a server may listen there: with the demo's people in the house on this machine alone."""
        return not self.demo or is_loopback(host)

    @field_validator("host")
    @classmethod
    def _demo_stays_on_this_machine(cls, host: str, info: ValidationInfo) -> str:
        if info.data.get("demo") and not is_loopback(host):
            raise _expected("127.0.0.1, localhost or ::1 while USHER_DEMO is 1, since everybody knows its passwords")
        return host

    @field_validator("jwt_key")
    @classmethod
    def _keys_differ(cls, key: str, info: ValidationInfo) -> str:
        # With one key for both, whatever signs cookies could be made to sign tokens.
        if len(key.encode()) < KEY_BYTES or key == info.data.get("secret_key"):
            raise ValueError
        return key

    @field_validator("jwt_other_keys")
    @classmethod
    def _other_keys_are_others(cls, keys: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        known = {info.data.get("secret_key"), info.data.get("jwt_key")}
        if any(len(key.encode()) < KEY_BYTES for key in keys) or known & {*keys}:
            raise ValueError
        return keys

    @field_validator("channel_layer")
    @classmethod
    def _layer_has_its_redis(cls, layer: str, info: ValidationInfo) -> str:
        if layer != "memory" and "redis_url" in info.data and info.data["redis_url"] is None:
            raise _expected("memory while REDIS_URL is not set, or REDIS_URL such as redis://localhost:6379/0")
        return layer


def expectations() -> dict[str, str]:
    """Every variable with what it expects, in the order of their declaration."""
    return {str(field.validation_alias): str(field.description) for field in Environment.model_fields.values()}


def read_environment() -> Environment:
    """
    Read the environment, and the ``.env`` file beside manage.py for what the environment does not say.

    Raises ``InvalidEnvironment`` with every problem there is, so that nobody mends them one start at a time.
    """
    file = os.environ.get(ENV_FILE, str(PROJECT / ".env")) or None
    names = expectations()
    in_file = DotEnvSettingsSource(Environment, env_file=file, case_sensitive=True).env_vars
    misspelt = complaints.of_misspelt_names({*os.environ, *in_file}, [*names, ENV_FILE])
    try:
        environment = Environment(_env_file=file)
    except ValidationError as error:
        raise InvalidEnvironment(complaints.of_values(error.errors(), names) + misspelt) from None
    if misspelt:
        raise InvalidEnvironment(misspelt)
    return environment


class InvalidEnvironment(Exception):
    """The environment cannot be used; one line for each problem."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__("\n".join(problems))


def _expected(expectation: str) -> PydanticCustomError:
    return PydanticCustomError("expected", "{expectation}", {"expectation": expectation})
