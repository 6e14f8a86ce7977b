"""
What operators do that ends somebody's socket: on the admin's pages, by command, and in a shell. See causes.py.

A command ends long after its commit, so it tells when that was: a clock that started at its end would forgive seconds.
"""

import asyncio
import re
import secrets
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

from accounts.permissions import WATCH_SIGNUPS
from config.env import PROJECT
from tests.faults.admin_pages import USERS, AdminPages, number_in
from tests.faults.causes import Cause, Victim
from tests.stories.people import CAST, Story


async def loss_of_the_watch_right(story: Story, victim: Victim) -> AsyncIterator[str]:
    """Take the right to watch from his role, on its page."""
    async with _pages(story) as pages:
        role = await _role_of_his_own(pages, story, victim)
        yield (await story.log_in(victim.person)).access
        await pages.post(f"{role}change/", permissions=["manage_users"])
        yield ""


async def deletion_of_the_role(story: Story, victim: Victim) -> AsyncIterator[str]:
    """Delete his role, on its page."""
    async with _pages(story) as pages:
        role = await _role_of_his_own(pages, story, victim)
        yield (await story.log_in(victim.person)).access
        await pages.post(f"{role}delete/", post="yes")
        yield ""


async def loss_of_the_role_on_his_page(story: Story, victim: Victim) -> AsyncIterator[str]:
    """Make him a member, on his page."""
    async with _pages(story) as pages:
        yield (await story.log_in(victim.person)).access
        await pages.post(f"{USERS}{victim.person.id}/change/", is_active="on", role="")
        yield ""
    await story.change(victim.person, role="viewer")


async def deactivation_on_his_page(story: Story, victim: Victim) -> AsyncIterator[str]:
    """Deactivate him, on his page."""
    async with _pages(story) as pages:
        viewer = number_in(await pages.role(str(victim.person.tenant), "viewer"))
        yield (await story.log_in(victim.person)).access
        await pages.post(f"{USERS}{victim.person.id}/change/", role=viewer)
        yield ""
    await story.change(victim.person, is_active=True)


async def suspension_on_the_tenants_page(story: Story, victim: Victim) -> AsyncIterator[str]:
    """Suspend his tenant, on its page."""
    tenant = victim.person.tenant or ""
    as_it_is = {"name": tenant, "signup_policy": "open", "retention_days": 7}
    async with _pages(story) as pages:
        page = await pages.tenant(tenant)
        yield (await story.log_in(victim.person)).access
        await pages.post(f"{page}change/", **as_it_is)
        yield ""
        await pages.post(f"{page}change/", is_active="on", **as_it_is)


async def a_password_set_by_command(story: Story, victim: Victim) -> AsyncIterator[str]:
    """Give him another password with ``manage.py set_password``."""
    new, person = secrets.token_urlsafe(12), victim.person
    yield (await story.log_in(person)).access
    command = ("set_password", person.username, "--tenant", str(person.tenant), "--password-stdin")
    victim.struck_at = await _manage(story, *command, given=new)
    victim.person = replace(person, password=new)
    yield ""


async def deletion_in_a_shell(story: Story, victim: Victim) -> AsyncIterator[str]:
    """Delete him as no service does, with ``manage.py shell``."""
    yield (await story.log_in(victim.person)).access
    statement = f"{USER}.get(username='{victim.person.username}').delete()"
    victim.struck_at = await _manage(story, "shell", given=statement)
    yield ""
    victim.person = await story.hire("deleted", role="viewer")


async def loss_of_the_role_in_a_shell(story: Story, victim: Victim) -> AsyncIterator[str]:
    """Take his role as no service does, with ``manage.py shell``."""
    yield (await story.log_in(victim.person)).access
    statement = f"{USER}.get(username='{victim.person.username}').groups.clear()"
    victim.struck_at = await _manage(story, "shell", given=statement)
    yield ""
    await story.change(victim.person, role="viewer")


BY_OPERATORS: dict[Cause, int] = {
    loss_of_the_watch_right: 4403,
    deletion_of_the_role: 4403,
    loss_of_the_role_on_his_page: 4403,
    deactivation_on_his_page: 4403,
    suspension_on_the_tenants_page: 4204,
}
"""Cause -> the code that the socket is closed with."""
BY_COMMAND: dict[Cause, int] = {a_password_set_by_command: 4102}
"""The same; each is a process to be started, which takes longer than all the others."""
PAST_THE_SERVICES: dict[Cause, int] = {deletion_in_a_shell: 4102, loss_of_the_role_in_a_shell: 4403}
"""The same of what rings no bell: the sweep notices."""

USER = "__import__('accounts.models').models.User.objects"
COMMAND = """
import time
import manage
from django.db.backends.base.base import BaseDatabaseWrapper as Database
commit, begun = Database._commit, []
Database._commit = lambda database: (begun.append(time.monotonic()), commit(database))
manage.main()
print("committed at", begun[-1])
"""
"""Runs ``manage.py``, and then tells when its last commit began, by the one clock that all processes here share."""


@asynccontextmanager
async def _pages(story: Story) -> AsyncIterator[AdminPages]:
    pages = AdminPages(story.server.address)
    try:
        yield await pages.log_in(CAST["olga"])
    finally:
        await pages.end()


async def _role_of_his_own(pages: AdminPages, story: Story, victim: Victim) -> str:
    name = f"role-{secrets.token_hex(4)}"
    page = await pages.add_role(str(victim.person.tenant), name, WATCH_SIGNUPS)
    await story.change(victim.person, role=name)
    return page


async def _manage(story: Story, *arguments: str, given: str) -> float:
    """Run a command of ``manage.py``; return when its last commit began, by ``time.monotonic()``."""
    command = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", COMMAND, *arguments),
        cwd=PROJECT,
        env=story.server.variables,
        stdin=PIPE,
        stdout=PIPE,
        stderr=PIPE,  # apart: what is logged meanwhile may come into the midst of a line
    )
    output, errors = await command.communicate(f"{given}\n".encode())
    assert command.returncode == 0, f"{arguments}: {output.decode()}{errors.decode()}"
    told = re.search(rb"^committed at (\S+)$", output, re.MULTILINE)
    assert told, f"{arguments}: {output.decode()}{errors.decode()}"
    return float(told[1])
