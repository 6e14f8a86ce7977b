from django.apps import AppConfig


class SamplesConfig(AppConfig):
    name = "bench.usher"
    label = "samples"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from bench.usher.kinds import SAMPLE_TAKEN
        from realtime.kinds import declare

        declare(SAMPLE_TAKEN)
