"""Grants on a single user: given, listed and taken, by those who hold them, within one tenant."""

import pytest

from accounts.grants import give_grant
from accounts.models import UserGrantToGroup, UserGrantToUser
from accounts.permissions import ON_USERS, VIEW_USER, VIEW_USER_CONTACT
from accounts.refusals import Hidden, NotAuthorised, NotHeld
from accounts.roles import create_role, role_named
from realtime.rights import viewer_of
from tests.accounts.house import PASSWORD

pytestmark = pytest.mark.each_database


@pytest.fixture
def dave(house):
    return house.add("dave", email="dave@acme.test")


@pytest.fixture
def grants(dave):
    return f"users/{dave.pk}/grants"


def test_alice_shows_bob_daves_contact_and_hides_it_again(house, dave, grants):
    alice, bob = house.caller("alice"), house.caller("bob")

    given = alice("POST", grants, {"permission": "view_user_contact", "role": "viewer"})

    assert (given.status, given.body) == (
        201,
        {"id": given.body["id"], "permission": "view_user_contact", "role": "viewer"},
    )
    assert bob("GET", f"users/{dave.pk}").body["email"] == "dave@acme.test"
    assert alice("DELETE", f"{grants}/{given.body['id']}").status == 204
    assert "email" in bob("GET", f"users/{dave.pk}").body["redacted"]
    assert alice("DELETE", f"{grants}/{given.body['id']}").status == 404


def test_a_grant_to_one_user(house, dave, grants):
    trent = house.id("trent")

    given = house.caller("alice")("POST", grants, {"permission": "view_user", "user": str(trent)})

    assert (given.status, given.body["user"]) == (201, str(trent))
    assert house.caller("trent")("GET", f"users/{dave.pk}").status == 200


def test_giving_twice_gives_once(house, dave, grants):
    body = {"permission": "view_user", "role": "trainee"}

    answers = [house.caller("alice")("POST", grants, body) for _ in range(2)]

    assert answers[0].body == answers[1].body
    assert UserGrantToGroup.objects.filter(content_object=dave, group__role__name="trainee").count() == 1


def test_the_list_holds_both_kinds_newest_first(house, dave, grants):
    alice = house.caller("alice")
    alice("POST", grants, {"permission": "view_user", "user": str(house.id("trent"))})
    alice("POST", grants, {"permission": "view_user_contact", "role": "viewer"})

    page = alice("GET", f"{grants}?limit=2")
    rest = alice("GET", page.body["next"])

    assert [(row["permission"], row.get("role"), row.get("user")) for row in page.body["results"]] == [
        ("view_user_contact", "viewer", None),
        ("view_user", None, str(house.id("trent"))),
    ]
    defaults = {(row["permission"], row["role"]) for row in rest.body["results"]}
    assert defaults <= {(name, role) for name in ON_USERS for role in ("owner", "admin", "viewer")}
    assert alice("GET", rest.body["previous"]).body["results"] == page.body["results"]


def test_a_receiver_whom_the_lister_may_not_see_is_not_listed(house, dave, grants):
    hidden = house.add("hidden")
    hidden.grants_to_groups.all().delete()
    grant = give_grant(subject=dave, permission=VIEW_USER, to=hidden)
    before = give_grant(subject=dave, permission=VIEW_USER, to=house.user("trent"))

    listed = house.caller("alice")("GET", grants).body["results"]

    assert [row["id"] for row in listed if "user" in row] == [str(before.pk)]
    assert house.caller("alice")("DELETE", f"{grants}/{grant.pk}").status == 404
    assert UserGrantToUser.objects.filter(pk=grant.pk).exists()


def test_nobody_gives_what_he_does_not_hold(house, dave, grants):
    """Victor may manage grants and sees Dave, not his contact; he can pass on the one and not the other."""
    create_role(house.acme, "granter", permissions=["manage_grants"], default_grants=["view_user"])
    house.add("victor", role="granter", password=PASSWORD)
    give_grant(subject=dave, permission=VIEW_USER, to=role_named(house.acme.pk, "granter"))
    victor = house.caller("victor")

    refused = victor("POST", grants, {"permission": "view_user_contact", "role": "granter"})
    allowed = victor("POST", grants, {"permission": "view_user", "role": "trainee"})

    assert (refused.status, refused.body["code"]) == (403, "not_held")
    assert allowed.status == 201


def test_a_receiver_is_of_the_tenant_and_seen(house, dave, grants):
    hidden = house.add("hidden")
    hidden.grants_to_groups.all().delete()
    alice = house.caller("alice")

    for user in (house.id("mallory"), house.id("olga"), hidden.pk, dave.pk.__class__(int=7)):
        assert alice("POST", grants, {"permission": "view_user", "user": str(user)}).status == 404
    assert alice("POST", grants, {"permission": "view_user", "role": "king"}).body["code"] == "unknown_role"
    assert not UserGrantToUser.objects.exists()


def test_a_body_names_one_receiver_and_a_permission_on_users(house, dave, grants):
    trent = str(house.id("trent"))
    for body in (
        {},
        {"permission": "view_user"},
        {"permission": "view_user", "role": "viewer", "user": trent},
        {"permission": "watch_signups", "role": "viewer"},
        {"permission": "accounts.view_user", "role": "viewer"},
        {"permission": "view_user", "user": "trent"},
        {"permission": "view_user", "role": None},
        {"permission": "view_user", "role": "viewer", "tenant": "globex"},
    ):
        assert house.caller("alice")("POST", grants, body).status == 400, body


def test_a_grant_is_taken_only_where_it_lies(house, dave, grants):
    erin = house.add("erin")
    of_erin = give_grant(subject=erin, permission=VIEW_USER_CONTACT, to=role_named(house.acme.pk, "viewer"))

    assert house.caller("alice")("DELETE", f"{grants}/{of_erin.pk}").status == 404
    assert UserGrantToGroup.objects.filter(pk=of_erin.pk).exists()


def test_the_service_stays_within_the_tenant_and_within_what_is_held(house, dave, standing_of):
    with pytest.raises(ValueError, match="one tenant"):
        give_grant(subject=dave, permission=VIEW_USER, to=house.user("mallory"))
    with pytest.raises(ValueError, match="expected one of"):
        give_grant(subject=dave, permission="watch_signups", to=house.user("bob"))
    create_role(house.acme, "granter", permissions=["manage_grants"], default_grants=[])
    house.add("victor", role="granter", password=PASSWORD)
    house.add("walter", role="granter", password=PASSWORD)
    for subject in (dave, house.user("trent")):
        give_grant(subject=subject, permission=VIEW_USER, to=house.user("victor"))
    for name, refusal in [("victor", NotHeld), ("walter", Hidden), ("bob", NotAuthorised)]:
        with pytest.raises(refusal):
            give_grant(
                subject=dave,
                permission=VIEW_USER_CONTACT,
                to=house.user("trent"),
                given_by=viewer_of(standing_of(name)),
            )
