from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "accounts"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from accounts import kinds, people, tokens
        from realtime import ports

        kinds.declare_all()
        ports.fill(people=people.AccountsPeople(), tokens=tokens.AccessTokens())
