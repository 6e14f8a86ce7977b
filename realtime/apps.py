from django.apps import AppConfig


class RealtimeConfig(AppConfig):
    name = "realtime"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from realtime import (
            checks,  # noqa: F401  registers the system checks
            chores,
            retention,
        )

        chores.register(chores.Chore("events", retention.prune_all))
