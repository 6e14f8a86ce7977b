from typing import Any

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from tenants import triggers


def install(apps: Any, editor: BaseDatabaseSchemaEditor) -> None:
    triggers.install_bump(editor)
    triggers.install(editor, triggers.WATCHED_HERE)


class Migration(migrations.Migration):
    dependencies = [("tenants", "0001_initial")]
    operations = [migrations.RunPython(install)]
