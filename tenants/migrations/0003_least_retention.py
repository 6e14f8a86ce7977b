from typing import Any

import django.core.validators
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from tenants.triggers import WATCHED_HERE, install


def keep_a_day(apps: Any, editor: BaseDatabaseSchemaEditor) -> None:
    apps.get_model("tenants", "Tenant").objects.filter(retention_days=0).update(retention_days=1)


def install_again(apps: Any, editor: BaseDatabaseSchemaEditor) -> None:
    # To add a constraint SQLite makes the table anew, and its triggers go with the old one.
    install(editor, WATCHED_HERE)


class Migration(migrations.Migration):
    dependencies = [("tenants", "0002_rights_triggers")]
    operations = [
        migrations.RunPython(keep_a_day, migrations.RunPython.noop),
        migrations.AlterField(
            model_name="tenant",
            name="retention_days",
            field=models.PositiveSmallIntegerField(default=7, validators=[django.core.validators.MinValueValidator(1)]),
        ),
        migrations.AddConstraint(
            model_name="tenant",
            constraint=models.CheckConstraint(
                condition=models.Q(("retention_days__gte", 1)), name="retention_of_a_day_at_least"
            ),
        ),
        migrations.RunPython(install_again, migrations.RunPython.noop),
    ]
