from typing import Any

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from accounts.triggers import WATCHED, install_fences
from tenants.triggers import install, remove_what_all_shared


def install_all(apps: Any, editor: BaseDatabaseSchemaEditor) -> None:
    install(editor, WATCHED)
    install_fences(editor)
    remove_what_all_shared(editor)


class Migration(migrations.Migration):
    # Those of tenants too: what all of them shared can go when none needs it any more.
    dependencies = [("accounts", "0005_failed_log_ins"), ("tenants", "0005_triggers_by_statement")]
    operations = [migrations.RunPython(install_all, migrations.RunPython.noop)]
