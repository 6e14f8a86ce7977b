"""
An app that takes the part of one library away from a server, named by the variable ``WITHOUT``.

The stories claim that the library does that part. Where it is missing they must fail, else something else does it.
"""

import os
from typing import Any

from django.apps import AppConfig

PART = "WITHOUT"


class Without(AppConfig):
    """Put last among the apps, it takes away what the others rely on."""

    name = "tests.stories.without"

    def ready(self) -> None:
        """Take the part away."""
        {"simplejwt": _check_no_token, "guardian": _give_no_grant, "layer": _carry_no_bell}[os.environ[PART]]()


def _check_no_token() -> None:
    import jwt
    from rest_framework_simplejwt.backends import TokenBackend

    def decode(self: TokenBackend, token: Any, verify: bool = True) -> dict[str, Any]:
        claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
        return claims

    TokenBackend.decode = decode


def _give_no_grant() -> None:
    from guardian.managers import BaseObjectPermissionManager

    for name in ("assign_perm", "assign_perm_to_many", "bulk_assign_perm"):
        setattr(BaseObjectPermissionManager, name, lambda self, *args, **kwargs: None)


def _carry_no_bell() -> None:
    from channels_redis.pubsub import RedisPubSubChannelLayer

    async def group_send(self: Any, group: str, message: dict[str, Any]) -> None:
        """Lose it."""

    RedisPubSubChannelLayer.group_send = group_send
