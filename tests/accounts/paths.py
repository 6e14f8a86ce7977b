"""All the paths to a user of a tenant: those that tell the log, and those that go around it."""

import json
import uuid
from pathlib import Path

from asgiref.sync import async_to_sync
from django.core.management import call_command
from django.db import connection, transaction
from django.test import Client
from django.utils import timezone

from accounts.models import User
from accounts.users import Newcomer, import_users
from realtime.identity import new_id
from realtime.models import Event
from tests.accounts.house import PASSWORD, Caller, House


def by_rest(house: House, name: str) -> None:
    assert house.caller("alice")("POST", "users", {"username": name}).status == 201


def by_sign_up(house: House, name: str) -> None:
    body = {"username": name, "password": "correct-horse"}
    assert Caller()("POST", "tenants/acme/signup", body).status == 201


def by_the_admin(house: House, name: str) -> None:
    client = Client()
    assert client.login(username="olga", password=PASSWORD)
    form = {"tenant": house.acme.pk, "username": name}
    assert client.post("/admin/accounts/user/add/", form).status_code == 302


def by_command(house: House, name: str) -> None:
    call_command("create_user", "acme", name, "--no-password", verbosity=0)


def by_service(house: House, name: str) -> None:
    house.add(name)


def by_save(house: House, name: str) -> None:
    User(tenant=house.acme, username=name).save()


def by_asave(house: House, name: str) -> None:
    async_to_sync(User(tenant=house.acme, username=name).asave)()


def by_create(house: House, name: str) -> None:
    User.objects.create(tenant=house.acme, username=name)


def by_get_or_create(house: House, name: str) -> None:
    for _ in range(2):
        User.objects.get_or_create(tenant=house.acme, username=name)


def by_update_or_create(house: House, name: str) -> None:
    for full_name in ("A", "B"):
        User.objects.update_or_create(tenant=house.acme, username=name, defaults={"full_name": full_name})


def by_related_manager(house: House, name: str) -> None:
    house.acme.users.create(username=name)


def by_bulk_create(house: House, name: str) -> None:
    User.objects.bulk_create([User(tenant=house.acme, username=name)])


def by_import(house: House, name: str) -> None:
    assert import_users(tenant=house.acme, people=[Newcomer(name)]) == 1


PATHS = {
    by_rest: "api",
    by_sign_up: "signup",
    by_the_admin: "admin",
    by_command: "command",
    by_service: "command",
    by_save: "command",
    by_asave: "command",
    by_create: "command",
    by_get_or_create: "command",
    by_update_or_create: "command",
    by_related_manager: "command",
    by_bulk_create: "command",
    by_import: "import",
}


def row_of(house: House, name: str) -> dict:
    return {
        "id": str(new_id()),
        "tenant_id": house.acme.pk,
        "username": name,
        "full_name": "",
        "email": "",
        "phone": "",
        "joined_via": "command",
        "joined_at": timezone.now(),
        "address": None,
        "agent": "",
        "is_active": True,
        "is_staff": False,
        "is_superuser": False,
        "password": "",
    }


def by_raw_sql(house: House, name: str, _: Path) -> None:
    row = row_of(house, name)
    if connection.vendor == "sqlite":
        row["id"] = uuid.UUID(row["id"]).hex
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO accounts_user ({', '.join(row)}) VALUES ({', '.join(['%s'] * len(row))})", list(row.values())
        )


def by_loaddata(house: House, name: str, tmp_path: Path) -> None:
    row = row_of(house, name)
    row["tenant"] = row.pop("tenant_id")
    row["joined_at"] = row["joined_at"].isoformat()
    file = tmp_path / f"{name}.json"
    file.write_text(json.dumps([{"model": "accounts.user", "pk": row.pop("id"), "fields": row}]))
    call_command("loaddata", str(file), verbosity=0)


def by_the_base_manager(house: House, name: str, _: Path) -> None:
    User._base_manager.bulk_create([User(tenant=house.acme, username=name)])


def by_moving_in(house: House, name: str, _: Path) -> None:
    house.add(name, tenant=house.globex)
    User.objects.filter(username=name).update(tenant=house.acme)


def by_deleting_the_event(house: House, name: str, _: Path) -> None:
    with transaction.atomic():
        user = house.add(name)
        Event.objects.filter(subject_id=user.pk).delete()


AROUND = [by_raw_sql, by_loaddata, by_the_base_manager, by_moving_in, by_deleting_the_event]
