from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "accounts"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from django.db.models.signals import post_delete

        from accounts import idempotency, kinds, people, roles, tokens
        from accounts.models import Role
        from realtime import chores, ports

        kinds.declare_all()
        chores.register(chores.Chore("idempotency keys", idempotency.forget_old))
        ports.fill(people=people.AccountsPeople(), tokens=tokens.AccessTokens())
        post_delete.connect(roles.forget_group, sender=Role)
