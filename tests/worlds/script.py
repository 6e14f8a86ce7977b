"""What happens in both worlds, and between it, in one of them, what is about hidden people. New features add steps."""

from accounts.models import Role, User, UserGrantToGroup
from accounts.permissions import VIEW_USER, VIEW_USER_CONTACT
from accounts.roles import change_role
from tests.accounts.house import PASSWORD
from tests.worlds.world import WITNESS, Step, World

CREATED, CHANGED = "user.created", "rights.changed"
STAFF = ("alice", "peggy", "victor")
BY_ALL_OF_ACME = dict.fromkeys([*STAFF, "bob"], CREATED)
HIDDEN_MAIL = "zoe@hidden.test"


async def dave_joins(world: World) -> None:
    await world.join("dave", email="dave@mail.test", full_name="Dave Dyer", phone="+43 1 555")


async def erin_joins(world: World) -> None:
    await world.join("erin", email="erin@mail.test")


async def frank_joins_globex(world: World) -> None:
    await world.join("frank", tenant="globex", email="frank@mail.test")


async def grace_joins(world: World) -> None:
    await world.join("grace")


async def trainees_are_shown_dave(world: World) -> None:
    await world.give(VIEW_USER, on="dave", name="grant of trainees", role="trainee")


async def viewers_are_shown_no_more_of_dave(world: World) -> None:
    await world.take(VIEW_USER, on="dave", role="viewer")


async def trainees_may_manage(world: World) -> None:
    role = await world.write(Role.objects.get, tenant=world.house.acme, name="trainee")
    await world.write(change_role, role, permissions=["watch_signups", "manage_users"], default_grants=[])


async def bob_renews(world: World) -> None:
    login = await world.story.log_in(world.person("bob"))
    await world.lines["bob"].say(type="auth", token=login.access)


async def zoe_is_born(world: World) -> None:
    await world.be_born_hidden("zoe", email=HIDDEN_MAIL, full_name="Zoe Hidden", phone="+43 999", password=PASSWORD)


async def more_are_born(world: World) -> None:
    await world.be_born_hidden("yann", "xena", "dave.hidden", email="more@mail.test")


async def zoe_is_shown_to_yann(world: World) -> None:
    await world.give(VIEW_USER, on="zoe", name="grant of yann", user=world.ids["yann"])


async def zoe_is_shown_dave(world: World) -> None:
    await world.give(VIEW_USER, on="dave", name="grant of zoe", user=world.ids["zoe"])


async def a_contact_is_shown_without_its_user(world: World) -> None:
    await world.give(VIEW_USER_CONTACT, on="zoe", name="grant of viewers", role="viewer")


async def zoe_becomes_a_viewer(world: World) -> None:
    await world.call("PATCH", f"/users/{world.ids['zoe']}", by=WITNESS, expect=200, role="viewer")


async def zoe_logs_in_and_watches(world: World) -> None:
    world.lines["zoe"] = await world.open("zoe")
    await world.lines["zoe"].until("synced")
    listed = await world.call("GET", f"/users/{world.ids['zoe']}/sessions", by=WITNESS, expect=200)
    world.ids["session of zoe"] = listed.json()["results"][0]["id"]


async def zoe_is_logged_out(world: World) -> None:
    await world.call("DELETE", f"/users/{world.ids['zoe']}/sessions", by=WITNESS, expect=204)


async def zoe_becomes_an_owner(world: World) -> None:
    await world.call("PATCH", f"/users/{world.ids['zoe']}", by=WITNESS, expect=200, role="owner")


async def yann_is_deactivated(world: World) -> None:
    await world.call("PATCH", f"/users/{world.ids['yann']}", by=WITNESS, expect=200, is_active=False)


async def yann_is_reactivated(world: World) -> None:
    await world.call("PATCH", f"/users/{world.ids['yann']}", by=WITNESS, expect=200, is_active=True)


async def xena_is_hidden_from_owners_too(world: World) -> None:
    await world.write(UserGrantToGroup.objects.filter(content_object_id=world.ids["xena"]).delete)


async def yann_is_deleted(world: World) -> None:
    await world.write(User.objects.filter(pk=world.ids["yann"]).delete)


async def a_hidden_import_fails(world: World) -> None:
    """A creation that is rolled back, by its name."""
    answer = await world.call("POST", "/users", by=WITNESS, username="zoe")
    assert answer.json()["code"] == "username_taken"


SCRIPT = (
    Step(zoe_is_born, {WITNESS: CREATED}, hidden=True),
    Step(dave_joins, BY_ALL_OF_ACME),
    Step(a_contact_is_shown_without_its_user, hidden=True),
    Step(zoe_is_shown_dave, hidden=True),
    Step(trainees_are_shown_dave, {"trent": CHANGED}),
    Step(more_are_born, {WITNESS: CREATED}, hidden=True),
    Step(zoe_is_shown_to_yann, hidden=True),
    Step(frank_joins_globex, {"mallory": CREATED}),
    Step(zoe_becomes_a_viewer, hidden=True),
    Step(zoe_logs_in_and_watches, hidden=True),
    Step(erin_joins, BY_ALL_OF_ACME),
    Step(zoe_is_logged_out, hidden=True),
    Step(yann_is_deactivated, hidden=True),
    Step(viewers_are_shown_no_more_of_dave, {"bob": CHANGED}),
    Step(yann_is_reactivated, hidden=True),
    Step(zoe_becomes_an_owner, hidden=True),
    Step(trainees_may_manage, {"trent": CHANGED}),
    Step(xena_is_hidden_from_owners_too, {WITNESS: CHANGED}, hidden=True),
    Step(yann_is_deleted, {WITNESS: CHANGED}, hidden=True),
    Step(a_hidden_import_fails, hidden=True),
    Step(bob_renews, {"bob": "auth.ok"}),
    Step(grace_joins, BY_ALL_OF_ACME),
)


async def more_hidden_people(world: World) -> None:
    await world.be_born_hidden(*(f"hidden.{number}" for number in range(20)))
