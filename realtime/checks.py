"""System checks: what cannot work is refused before it starts."""

from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

from django.apps import AppConfig, apps
from django.conf import settings
from django.core.checks import CheckMessage, Error, register
from django.db.models import Model
from guardian.models import GroupObjectPermissionBase, UserObjectPermissionBase

from realtime.kinds import declared

FIRST_WITH_SHORT_TIMEOUT = 8
BLOCKS_SECONDS = 5


@register
def check_channel_layer(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Refuse a missing layer, and settings under which channels-redis is known to lose its idle sockets."""
    layer = settings.CHANNEL_LAYERS.get("default")
    if layer is None:
        return [Error("CHANNEL_LAYERS has no 'default'; expected one, since bells go through it", id="usher.E001")]
    major = int(version("redis").partition(".")[0])
    hosts = layer.get("CONFIG", {}).get("hosts", ())
    if layer["BACKEND"].endswith("core.RedisChannelLayer"):
        for host in hosts:
            timeout = host.get("socket_timeout", BLOCKS_SECONDS if major >= FIRST_WITH_SHORT_TIMEOUT else None)
            if timeout is not None and timeout <= BLOCKS_SECONDS:
                return [
                    Error(
                        f"socket_timeout of the core channel layer is {timeout}; expected None or more than 5: it "
                        "blocks for 5 s in Redis, and each time-out ends what listens",
                        id="usher.E002",
                    )
                ]
    return []


@register
def check_kinds(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Refuse a declared kind of event whose subject cannot be judged."""
    errors: list[CheckMessage] = []
    for kind in declared():
        try:
            model = apps.get_model(kind.subject)
        except LookupError:
            errors.append(Error(f"{kind.name}: subject is {kind.subject!r}; expected a model", id="usher.E003"))
            continue
        if not (_has_grants(model, UserObjectPermissionBase) and _has_grants(model, GroupObjectPermissionBase)):
            errors.append(
                Error(
                    f"{kind.name}: {kind.subject} has no permission models of its own; expected subclasses of "
                    "UserObjectPermissionBase and GroupObjectPermissionBase with a foreign key to it",
                    id="usher.E004",
                )
            )
        missing = kind.permissions - {codename for codename, _ in model._meta.permissions}
        if missing:
            errors.append(
                Error(f"{kind.name}: {kind.subject} declares no permission {sorted(missing)}", id="usher.E005")
            )
    return errors


def _has_grants(model: type[Model], base: type[Model]) -> bool:
    # guardian's own look-up reads content types, and before the first migration there is no table to read.
    return any(
        relation.field.name == "content_object" and issubclass(relation.related_model, base)
        for relation in model._meta.related_objects
    )
