from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "accounts"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from django.db.models.signals import post_delete

        from accounts import chores, kinds, people, roles, tokens
        from accounts.models import Role
        from realtime import ports

        kinds.declare_all()
        chores.register_all()
        ports.fill(people=people.AccountsPeople(), tokens=tokens.AccessTokens())
        post_delete.connect(roles.forget_group, sender=Role)
