"""What has changed since a counter, and the grants as they stood before that."""

from itertools import product
from uuid import UUID, uuid4

import pytest
from django.db import transaction
from guardian.shortcuts import assign_perm, remove_perm
from hypothesis import given
from hypothesis import strategies as st

from accounts import sessions
from accounts.kinds import USER_CREATED
from accounts.models import Role
from accounts.permissions import VIEW_USER, VIEW_USER_CONTACT
from accounts.provisioning import change_tenant
from realtime import changes as module
from realtime import rights
from realtime.changes import Change
from realtime.projection import visible_set
from realtime.rights import Grants, Viewer
from tenants.models import RightsCounter
from tests.realtime.house import make_session, make_tenant, make_user

SUBJECTS = [UUID(int=n) for n in (1, 2)]
USERS = [UUID(int=n) for n in (11, 12)]
GROUPS = [1, 2]
CODENAMES = ["view_user", "view_user_contact"]


@pytest.fixture
def acme(database):
    return make_tenant("acme")


def counter(tenant):
    return RightsCounter.objects.get(tenant_id=tenant.pk).value


def changes(tenant, since):
    return module.since([(tenant.pk, since)]).get(tenant.pk, [])


@pytest.mark.each_database
def test_every_change_names_what_it_touched(acme):
    bob, dave = make_user(acme, "bob", "viewer"), make_user(acme, "dave")
    session = make_session(bob)
    group = Role.objects.get(tenant=acme, name="viewer").group
    since = counter(acme)

    assign_perm(VIEW_USER_CONTACT, bob, dave)
    remove_perm(VIEW_USER, group, dave)
    bob.groups.remove(group)
    sessions.end_session(bob, session.pk, reason="logged_out")
    type(bob).objects.filter(pk=bob.pk).update(is_active=False)
    change_tenant(acme, is_active=False)

    found = changes(acme, since)
    who = {bob.pk: "bob", dave.pk: "dave", session.pk: "session", group.pk: "group", None: None}
    assert {
        (who[c.user_id], who[c.group_id], who[c.session_id], who[c.subject_id], c.codename, c.granted) for c in found
    } == {
        ("bob", None, None, "dave", VIEW_USER_CONTACT, True),
        (None, "group", None, "dave", VIEW_USER, False),
        ("bob", "group", None, None, None, False),
        ("bob", None, "session", None, None, None),
        ("bob", None, None, None, None, None),
        (None, None, None, None, None, None),
    }
    assert {c.tenant_id for c in found} == {acme.pk}
    assert {c.rights for c in found} == set(range(since + 1, counter(acme) + 1))


@pytest.mark.each_database
def test_changes_come_in_the_order_in_which_they_were_made(acme):
    bob, dave = make_user(acme, "bob"), make_user(acme, "dave")
    since = counter(acme)

    with transaction.atomic():
        assign_perm(VIEW_USER, bob, dave)
        remove_perm(VIEW_USER, bob, dave)
    assign_perm(VIEW_USER, bob, dave)

    assert [change.granted for change in changes(acme, since)] == [True, False, True]


def test_each_tenant_is_asked_for_its_own_and_in_one_query(acme, django_assert_num_queries):
    globex = make_tenant("globex")
    bob, hank = make_user(acme, "bob"), make_user(globex, "hank")
    since = [(acme.pk, counter(acme)), (globex.pk, counter(globex))]
    assign_perm(VIEW_USER, bob, bob)
    assign_perm(VIEW_USER, hank, hank)

    with django_assert_num_queries(1):
        found = module.since([*since, (987, 0)])

    assert {tenant_id: [c.user_id for c in of_tenant] for tenant_id, of_tenant in found.items()} == {
        acme.pk: [bob.pk],
        globex.pk: [hank.pk],
    }


@pytest.mark.each_database
def test_of_too_many_in_one_transaction_so_many_are_read_that_it_can_be_told(acme, monkeypatch):
    monkeypatch.setattr(module, "MOST", 3)
    globex = make_tenant("globex")
    bob, hank = make_user(acme, "bob"), make_user(globex, "hank")
    since = {acme.pk: counter(acme), globex.pk: counter(globex)}
    with transaction.atomic():
        for permission in (VIEW_USER, VIEW_USER_CONTACT):
            assign_perm(permission, bob, bob)
            assign_perm(permission, hank, hank)
            remove_perm(permission, bob, bob)
        remove_perm(VIEW_USER, hank, hank)

    found = module.since(since.items())

    assert {tenant: len(of_tenant) for tenant, of_tenant in found.items()} == {acme.pk: 4, globex.pk: 3}
    complete = {
        tenant.pk: module.are_complete(found[tenant.pk], since=since[tenant.pk], until=counter(tenant))
        for tenant in (acme, globex)
    }
    assert complete == {acme.pk: False, globex.pk: True}


def test_nothing_since_and_nobody_asked(acme, django_assert_num_queries):
    assert changes(acme, counter(acme)) == []
    with django_assert_num_queries(0):
        assert module.since([]) == {}


def test_one_may_look_back_over_what_was_really_granted(acme):
    bob, dave = make_user(acme, "bob", "viewer"), make_user(acme, "dave")
    group = Role.objects.get(tenant=acme, name="viewer").group
    then, since = rights.grants_on("accounts.User", [dave.pk]), counter(acme)

    remove_perm(VIEW_USER, group, dave)
    assign_perm(VIEW_USER, bob, dave)
    assign_perm(VIEW_USER_CONTACT, bob, dave)
    remove_perm(VIEW_USER_CONTACT, bob, dave)
    now = rights.grants_on("accounts.User", [dave.pk])

    assert _plain(module.before(now, changes(acme, since))) == _plain(then) != _plain(now)


grants_held = st.sets(
    st.tuples(st.sampled_from(SUBJECTS), st.sampled_from([*USERS, *GROUPS]), st.sampled_from(CODENAMES))
)
toggles = st.lists(
    st.tuples(st.sampled_from(SUBJECTS), st.sampled_from([*USERS, *GROUPS]), st.sampled_from(CODENAMES)), max_size=20
)
others = st.lists(
    st.sampled_from(
        [
            Change(1, 1, USERS[0], None, None, None, None, None),  # deactivated
            Change(1, 1, USERS[0], GROUPS[0], None, None, None, granted=True),  # joined a role
            Change(1, 1, None, None, uuid4(), None, None, None),  # a session ended
            Change(1, 1, None, GROUPS[0], None, None, "watch_signups", granted=False),  # on the tenant
        ]
    ),
    max_size=5,
)


@given(held=grants_held, toggled=toggles, noise=others, data=st.data())
def test_before_is_what_it_was_for_every_subject_that_was_touched(held, toggled, noise, data):
    """Against brute force: begin somewhere, change grants one by one, and look back from the end."""
    at_last, made = set(held), []
    for subject, holder, codename in toggled:
        granted = (subject, holder, codename) not in at_last
        at_last ^= {(subject, holder, codename)}
        user, group = (holder, None) if isinstance(holder, UUID) else (None, holder)
        made.append(Change(1, len(made) + 1, user, group, None, subject, codename, granted=granted))
    for change in noise:
        made.insert(data.draw(st.integers(0, len(made))), change)
    now = _grants(at_last)

    earlier = module.before(now, made)

    touched = {subject for subject, _, _ in toggled}
    assert _plain(earlier) == {grant for grant in held if grant[0] in touched}
    assert _plain(now) == at_last, "what holds now is left as it is"


GROUP_SETS = [frozenset(groups) for groups in ((), (1,), (2,), (1, 2))]
VIEWERS = {
    UUID(int=100 + place): Viewer(UUID(int=100 + place), user, 1, groups, frozenset())
    for place, (user, groups) in enumerate(product([*USERS, UUID(int=13)], GROUP_SETS))
}


@given(held=grants_held, toggled=toggles, noise=others)
def test_told_is_who_sees_something_else_of_any_subject(held, toggled, noise):
    """Against brute force: each viewer's view of each subject, before and after."""
    at_last, made = set(held), list(noise)
    for subject, holder, codename in toggled:
        granted = (subject, holder, codename) not in at_last
        at_last ^= {(subject, holder, codename)}
        user, group = (holder, None) if isinstance(holder, UUID) else (None, holder)
        made.append(Change(1, len(made) + 1, user, group, None, subject, codename, granted=granted))

    told = module.who_sees_otherwise(VIEWERS, made, {"accounts.User": _grants(at_last)})

    assert told == {key for key, viewer in VIEWERS.items() if _seen(viewer, held) != _seen(viewer, at_last)}, (
        "a session for each user in each class"
    )


def test_a_class_is_judged_once_however_many_are_of_it(monkeypatch):
    """A role with a grant on every user goes: at so many subjects times so many viewers all else would wait for it."""
    subjects = [uuid4() for _ in range(50)]
    grants = _grants({(subject, 1, "view_user") for subject in subjects})
    made = [Change(1, 1, None, 2, None, subject, "view_user", granted=False) for subject in subjects]
    many = [Viewer(uuid4(), uuid4(), 1, frozenset({1, 2}), frozenset()) for _ in range(50)]
    judged = []
    monkeypatch.setattr(module, "visible_set", lambda kind, held: judged.append(held) or visible_set(kind, held))

    told = module.who_sees_otherwise({v.session_id: v for v in many}, made, {"accounts.User": grants})

    assert told == set(), "the other role shows them the same"
    assert len(judged) == 2 * len(subjects)


def _seen(viewer, held):
    grants = _grants(held)
    return [visible_set(USER_CREATED, grants.on(subject).of_viewer(viewer)) for subject in SUBJECTS]


def _grants(held):
    of_groups, of_users = {}, {}
    for subject, holder, codename in held:
        of_kind = of_users if isinstance(holder, UUID) else of_groups
        of_kind.setdefault(subject, {}).setdefault(holder, set()).add(codename)
    return Grants(of_groups, of_users)


def _plain(grants):
    return {
        (subject, holder, codename)
        for of_kind in (grants.of_groups, grants.of_users)
        for subject, holders in of_kind.items()
        for holder, codenames in holders.items()
        for codename in codenames
    }
