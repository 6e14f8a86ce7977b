from typing import Any

from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from accounts.triggers import WATCHED, install_fences
from tenants.triggers import install


def install_all(apps: Any, editor: BaseDatabaseSchemaEditor) -> None:
    install(editor, WATCHED)
    install_fences(editor)


class Migration(migrations.Migration):
    dependencies = [("accounts", "0003_keyed_creations")]
    operations = [
        migrations.AddIndex(
            model_name="session",
            index=models.Index(fields=["expires_at"], name="session_by_expiry"),
        ),
        migrations.AddIndex(
            model_name="session",
            index=models.Index(
                condition=models.Q(("ended_at__isnull", False)), fields=["ended_at"], name="session_by_end"
            ),
        ),
        migrations.RunPython(install_all, migrations.RunPython.noop),
    ]
