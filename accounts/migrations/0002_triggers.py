from typing import Any

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from accounts.triggers import WATCHED, install_fences
from tenants.triggers import install


def install_all(apps: Any, editor: BaseDatabaseSchemaEditor) -> None:
    install(editor, WATCHED)
    install_fences(editor)


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0001_initial"),
        ("tenants", "0002_rights_triggers"),
        ("realtime", "0001_initial"),
    ]
    operations = [migrations.RunPython(install_all)]
