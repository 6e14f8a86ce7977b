from typing import Any

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from tenants.triggers import WATCHED_HERE, give_up_soon, install


def install_all(apps: Any, editor: BaseDatabaseSchemaEditor) -> None:
    give_up_soon(editor)
    install(editor, WATCHED_HERE)


class Migration(migrations.Migration):
    dependencies = [("tenants", "0004_most_retention")]
    operations = [migrations.RunPython(install_all, migrations.RunPython.noop)]
