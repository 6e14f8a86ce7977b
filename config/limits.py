"""
The limits that the environment can set: each a variable with its default and its expectation, as in config/env.py.

Why each default is what it is: docs/configuration.md.
"""

from typing import Annotated, Any

from pydantic import BeforeValidator, Field
from pydantic_settings import BaseSettings, NoDecode

from config import values
from realtime.addresses import Proxy

MOST = 1_000_000

Proxies = Annotated[tuple[Proxy, ...], NoDecode, BeforeValidator(values.proxies)]
Rate = Annotated[str, BeforeValidator(values.rate)]


def _number(variable: str, default: int, description: str) -> Any:
    return Field(default=default, ge=1, le=MOST, validation_alias=variable, description=description)


def _rate(variable: str, default: str, description: str) -> Any:
    return Field(default=default, validation_alias=variable, description=f"{description}, such as {default}")


class Limits(BaseSettings):
    """How much of what an address, a user, a tenant and a process may have and do."""

    trusted_proxies: Proxies = Field(
        default=(),
        validation_alias="USHER_TRUSTED_PROXIES",
        description="networks separated by commas, such as 10.0.0.0/8 or 192.0.2.7, and unix for Unix sockets",
    )
    sockets_per_process: int = _number("USHER_SOCKETS_PER_PROCESS", 10_000, "the most sockets open in one process")
    sockets_per_tenant: int = _number("USHER_SOCKETS_PER_TENANT", 5_000, "the most sockets that a tenant has open")
    sockets_per_user: int = _number("USHER_SOCKETS_PER_USER", 20, "the most sockets that a user has open")
    sockets_per_address: int = _number("USHER_SOCKETS_PER_ADDRESS", 2_000, "the most sockets open from one address")
    waiting_per_process: int = _number("USHER_WAITING_PER_PROCESS", 1_000, "the most sockets that wait without a token")
    waiting_per_address: int = _number("USHER_WAITING_PER_ADDRESS", 100, "the most of these from one address")
    handshakes_per_address: Rate = _rate("USHER_HANDSHAKES_PER_ADDRESS", "3000/min", "handshakes per address")
    handshakes_per_user: Rate = _rate("USHER_HANDSHAKES_PER_USER", "120/min", "sockets that a user opens")
    messages_per_socket: Rate = _rate("USHER_MESSAGES_PER_SOCKET", "60/10s", "messages from the client of a socket")
    renewals_per_socket: Rate = _rate("USHER_RENEWALS_PER_SOCKET", "30/min", "tokens shown on an open socket")
    requests_per_address: Rate = _rate("USHER_REQUESTS_PER_ADDRESS", "6000/min", "requests per address")
    requests_per_user: Rate = _rate("USHER_REQUESTS_PER_USER", "600/min", "requests per user")
    creations_per_tenant: Rate = _rate("USHER_CREATIONS_PER_TENANT", "1200/min", "users created in a tenant")
    logins_per_account_and_address: Rate = _rate(
        "USHER_LOGINS_PER_ACCOUNT_AND_ADDRESS", "30/min", "log-ins to an account from an address, right or wrong"
    )
    logins_per_address: Rate = _rate("USHER_LOGINS_PER_ADDRESS", "300/min", "all log-ins from an address")
    failed_logins_per_account_and_address: Rate = _rate(
        "USHER_FAILED_LOGINS_PER_ACCOUNT_AND_ADDRESS", "10/10min", "wrong passwords for an account from an address"
    )
    failed_logins_per_account: Rate = _rate(
        "USHER_FAILED_LOGINS_PER_ACCOUNT", "50/h", "wrong passwords for an account from everywhere"
    )
    failed_logins_per_address: Rate = _rate(
        "USHER_FAILED_LOGINS_PER_ADDRESS", "30/min", "wrong passwords for all accounts from an address"
    )
    hashings_at_once: int = _number("USHER_HASHINGS_AT_ONCE", 2, "the most passwords that are hashed at a time")
