from typing import Any

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from accounts.triggers import ONE_EVENT_EACH, WATCHED
from tenants.triggers import give_up_soon, install, remove_what_all_shared


def install_all(apps: Any, editor: BaseDatabaseSchemaEditor) -> None:
    give_up_soon(editor)
    install(editor, WATCHED)
    if editor.connection.vendor == "postgresql":
        # The function alone: to put its triggers in place anew would lock out whoever reads users.
        editor.execute(ONE_EVENT_EACH, params=None)
    remove_what_all_shared(editor)


class Migration(migrations.Migration):
    # Those of tenants too: what all of them shared can go when none needs it any more.
    dependencies = [("accounts", "0005_failed_log_ins"), ("tenants", "0005_triggers_by_statement")]
    operations = [migrations.RunPython(install_all, migrations.RunPython.noop)]
