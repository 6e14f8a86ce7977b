"""
Rights that cannot be read mean that nothing is sent; once they can be again everything comes, by the rights of then.

The servers are, as they should be in production, a role of the database that owns nothing. While it may not read the
grants, users go on being created, and rights go on being changed.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from psycopg import sql

from accounts import roles, users
from accounts.models import Role, User
from tests.accounts.house import House
from tests.stories.people import Story

ROLE = "usher_server"
GRANTS = "accounts_usergranttogroup"
BLIND = "the log cannot be read ("
PREPARE = """
DO $$ BEGIN
    IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'usher_server') THEN CREATE ROLE usher_server LOGIN; END IF;
END $$;
GRANT ALL ON ALL TABLES IN SCHEMA public TO usher_server;
GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO usher_server;
"""

AFTERWARDS = {
    "a": ["dave", "erin"],
    "b": ["rights.changed", "rights.changed"],
    "c": ["rights.changed", "dave", "erin"],
    "d": ["goodbye"],
}
"""
What Alice, Bob, Bill and Beth are told once rights can be read: Bob, who lost his view, of no event, and then that he
may see the last one; Bill, who was given one, of both; Beth, who was deactivated, that this is the end.
"""

pytestmark = pytest.mark.timeout(300)


@pytest.fixture
def cast(databases):
    """A database with the cast in it, whose URL is that of a role that owns nothing; and the owner's URL."""
    url = databases.create("postgresql")
    with databases.using(url):
        House()
    with psycopg.connect(url) as connection:
        connection.execute(PREPARE)
    return url


def let_read(url: str, *, may: bool) -> None:
    """Let the servers' role read the grants, or not."""
    words = "GRANT SELECT ON {} TO {}" if may else "REVOKE SELECT ON {} FROM {}"
    with psycopg.connect(url) as connection:
        connection.execute(sql.SQL(words).format(sql.Identifier(GRANTS), sql.Identifier(ROLE)))


@pytest.mark.parametrize("kind", ["daphne", "uvicorn"])
def test_with_unreadable_rights_nothing_is_sent_and_everything_comes_later(
    cast, databases, scale, start_cluster, own_redis, conclude, kind
):
    server_url = cast.replace("user=postgres", f"user={ROLE}")
    assert server_url != cast
    cluster = start_cluster(kind, DATABASE_URL=server_url, REDIS_URL=own_redis.url, USHER_SWEEP_SECONDS="0.2")
    cluster.nodes[0].server.expected_to_complain = ("realtime.hub", "channels_redis")
    with databases.using(cast):
        measured = asyncio.run(go_blind(Story(cluster.nodes[0].server, {}), cast, scale.of(short=1, long=8)))

    conclude(
        f"Rights that cannot be read, {kind}",
        done=f"{measured['outages']} times the servers' role may not read the grants, with creations and changes",
        bound="nothing sent meanwhile; everything afterwards, by the rights of then",
        measured=measured,
        holds=not measured["sent meanwhile"] and not measured["wrong afterwards"] and not cluster.complaints(),
    )


async def go_blind(story: Story, url: str, times: int) -> dict[str, object]:
    """Have rights be unreadable so many times; return what was seen."""
    sent, wrong, events = 0, [], 0
    loop, thread = asyncio.get_running_loop(), ThreadPoolExecutor(max_workers=1)
    try:
        for _ in range(times):
            bob, bill, beth = [
                await story.hire(name, role=role)
                for name, role in (("bob", "viewer"), ("bill", "trainee"), ("beth", "viewer"))
            ]
            sockets = dict(zip("abcd", await story.sockets("alice", bob, bill, beth), strict=True))
            first = await story.sign_up("first")
            for name in "abd":
                assert (await sockets[name].next_created()).data["id"] == first.id
            heard = {name: asyncio.create_task(socket.next()) for name, socket in sockets.items()}

            await asyncio.to_thread(let_read, url, may=False)
            seen_blind = story.server.process.output().count(BLIND)
            before = await story.sign_up("dave", email="dave@acme.test")
            # Bob loses his view, Bill is given one, and Beth may watch no more; then somebody else joins.
            await loop.run_in_executor(thread, change_role_of, bob.id, "trainee")
            await loop.run_in_executor(thread, change_role_of, bill.id, "admin")
            await loop.run_in_executor(thread, deactivate, beth.id)
            after = await story.sign_up("erin", email="erin@acme.test")
            await until(lambda: story.server.process.output().count(BLIND) > seen_blind)  # noqa: B023  it tried
            sent += sum(task.done() for task in heard.values())

            await asyncio.to_thread(let_read, url, may=True)
            told = {"a": [await heard["a"], await sockets["a"].next()]}
            # Alice has been told all of it; what comes now comes after whatever the others were to be told.
            await story.sign_up_visible_to_all("last")
            for name, wanted in AFTERWARDS.items():
                told.setdefault(name, [await heard[name]])
                while len(told[name]) < len(wanted):
                    told[name].append(await sockets[name].next())
                names = {before.id: "dave", after.id: "erin"}
                got = [names[f.data["id"]] if f.type == "user.created" else f.type for f in told[name]]
                events += len(got)
                if got != wanted:
                    wrong.append(f"{name} was told {got}, expected {wanted}")
    finally:
        await story.end()
        thread.shutdown()
    return {"outages": times, "sent meanwhile": sent, "told afterwards": events, "wrong afterwards": wrong}


async def until(holds: Callable[[], bool]) -> None:
    """Wait until something holds."""
    async with asyncio.timeout(60):
        while not holds():  # noqa: ASYNC110
            await asyncio.sleep(0.05)


def change_role_of(user_id: str, name: str) -> None:
    """Change somebody's role, where the servers' role may not."""
    user = User.objects.get(pk=user_id)
    roles.set_role(user, Role.objects.get(tenant=user.tenant, name=name))


def deactivate(user_id: str) -> None:
    """Deactivate somebody."""
    users.change_user(user=User.objects.get(pk=user_id), is_active=False)
