"""The judge against planted faults: each is found by its name, and a history without any comes out clean."""

import json
from itertools import count

import pytest

from tests.faults.history import History
from tests.faults.judge import judge
from tests.faults.rights import FIELDS

ALL = ("view_user", "view_user_contact", "view_user_origin")
GRANTS = {"acme": {"group:1": ALL, "group:2": ("view_user",)}, "globex": {"group:4": ALL}}
VIEWERS = {
    "alice": ("acme", "group:1"),
    "bob": ("acme", "group:2"),
    "trent": ("acme", "group:3"),
    "mallory": ("globex", "group:4"),
}


class Scene:
    """A small history in the making. Each step takes a second; what is left as it is, is as it should be."""

    def __init__(self, path):
        self.now = 0.0
        self.history = History(path, clock=self._tick)
        self.events = {"acme": [], "globex": []}
        self.grants = {"acme": {}, "globex": {}}
        self.users = {"acme": [], "globex": []}
        self.sockets = {}
        self._numbers = count(1)
        for name, (tenant, _) in VIEWERS.items():
            self.history.note("viewer", viewer=name, user=f"user-{name}", tenant=tenant)

    def _tick(self):
        self.now += 1
        return self.now

    def open(self, *names, after=None, complete=True, events=()):
        for name in names:
            self.sockets[name] = next(self._numbers)
            self.history.note("opened", viewer=name, socket=self.sockets[name], server="s1", after=after)
            tenant, user = VIEWERS[name][0], {"id": f"user-{name}"}
            self.send(name, {"type": "ready", "tenant": tenant, "user": user})
            for event in events:
                self.show(event, name)
            self.send(name, {"type": "synced", "complete": complete})

    def close(self, *names, code=1000):
        for name in names:
            self.history.note("closed", socket=self.sockets.pop(name), code=code, reason="")

    def send(self, name, frame):
        self.history.frame(name, self.sockets[name], json.dumps(frame))

    def ask(self, username, tenant="acme"):
        return self.history.begin("create", tenant=tenant, username=username, server="s1")

    def commit(self, username, tenant="acme"):
        position = len(self.events[tenant]) + 1
        snapshot = dict.fromkeys(FIELDS) | {"id": f"user-{username}", "username": username, "email": f"{username}@x"}
        event = {"position": position, "id": f"event-{username}", "subject": f"user-{username}", "snapshot": snapshot}
        self.events[tenant].append(event)
        self.users[tenant].append(event["subject"])
        self.grants[tenant][event["subject"]] = dict(GRANTS[tenant])
        return event | {"tenant": tenant}

    def create(self, username, tenant="acme"):
        operation = self.ask(username, tenant)
        event = self.commit(username, tenant)
        operation.ok(user=event["subject"])
        return event

    def view(self, event, name, hide=(), reveal=()):
        held = GRANTS[VIEWERS[name][0]].get(VIEWERS[name][1], ())
        shown = [f for f in FIELDS if (FIELDS[f] in held or f in reveal) and f not in hide]
        return {
            "type": "user.created",
            "id": event["id"],
            "tenant": event["tenant"],
            "data": {f: event["snapshot"][f] for f in shown},
            "redacted": [f for f in FIELDS if f not in shown],
        }

    def show(self, event, *names, **otherwise):
        for name in names:
            self.send(name, self.view(event, name, **otherwise))

    def create_and_show(self, username, tenant="acme"):
        event = self.create(username, tenant)
        self.show(event, *[name for name in ("alice", "bob", "mallory") if VIEWERS[name][0] == tenant])
        return event

    def take(self, holder, *permissions, subject="*"):
        self.history.begin("take", holder=holder, subject=subject, permissions=list(permissions)).ok()

    def give(self, holder, *permissions, subject="*"):
        self.history.begin("give", holder=holder, subject=subject, permissions=list(permissions)).ok()

    def end(self, *last_words):
        self.history.note("over", last_words=last_words)
        for tenant in self.events:
            self.history.note(
                "tenant",
                tenant=tenant,
                events=self.events[tenant],
                users=self.users[tenant],
                groups={f"user-{name}": [group] for name, (where, group) in VIEWERS.items() if where == tenant},
                watching=[f"user-{name}" for name, (where, _) in VIEWERS.items() if where == tenant],
                grants=self.grants[tenant],
            )
        self.now += 100
        self.close(*list(self.sockets))
        self.history.close()
        return judge(self.history.path)


@pytest.fixture
def scene(tmp_path):
    """A history in which everybody has a socket and has been shown one newcomer already."""
    scene = Scene(tmp_path / "history.jsonl")
    scene.open("alice", "bob", "trent", "mallory")
    scene.first = scene.create_and_show("dave")
    return scene


def names(verdict):
    return {breach.name for breach in verdict.breaches}


def of(verdict):
    return {name: number for name, number in verdict.counts.items() if number}


def test_a_history_without_faults_is_clean(scene):
    scene.create_and_show("erin")
    scene.create_and_show("niaj", "globex")
    scene.close("bob", code=None)
    frank = scene.create("frank")
    scene.show(frank, "alice")
    scene.open("bob", after="event-erin", events=[frank])

    verdict = scene.end()

    assert verdict.is_clean
    # Three of acme, to Alice, Bob and Trent; one of globex, to Mallory.
    assert of(verdict) == {"ok": 7, "hidden": 3}
    assert verdict.creations == {"ok": 4}
    assert verdict.worst_gap == 4, "Bob heard of Dave four lines after the answer"


def test_what_is_dropped_is_lost(scene):
    erin = scene.create("erin")
    scene.show(erin, "bob")
    scene.create_and_show("frank")

    verdict = scene.end()

    assert [(b.name, b.viewer, b.event) for b in verdict.breaches] == [("lost", "alice", "event-erin")]


def test_so_is_the_last_one_even_if_nothing_comes_after_it(scene):
    scene.show(scene.create("erin"), "alice")

    assert [(b.name, b.viewer) for b in scene.end().breaches] == [("lost", "bob")]


def test_and_what_nobody_acknowledged_but_the_log_has(scene):
    scene.ask("erin").unknown()
    scene.show(scene.commit("erin"), "bob")
    scene.create_and_show("frank")

    verdict = scene.end()

    assert [(b.name, b.viewer) for b in verdict.breaches] == [("lost", "alice")]
    assert verdict.creations["unknown"] == 1


def test_what_is_missed_between_two_sockets_is_lost(scene):
    scene.close("bob", code=None)
    scene.show(scene.create("erin"), "alice")
    scene.open("bob", after=scene.first["id"])
    scene.create_and_show("frank")

    assert names(scene.end()) == {"lost"}


def test_twice_on_one_socket_is_duplicated(scene):
    scene.show(scene.first, "bob")

    assert names(scene.end()) == {"duplicated"}


def test_again_behind_the_cursor_is_duplicated(scene):
    scene.close("bob")
    scene.open("bob", after=scene.first["id"], events=[scene.first])

    assert names(scene.end()) == {"duplicated"}


def test_again_on_another_socket_is_allowed_and_counted(scene):
    scene.create_and_show("erin")
    scene.close("bob")
    scene.open("bob", after=scene.first["id"], events=[scene.events["acme"][1] | {"tenant": "acme"}])

    verdict = scene.end()

    assert verdict.is_clean
    assert verdict.repeated == 1


def test_two_that_change_places_are_reordered(scene):
    erin, frank = scene.create("erin"), scene.create("frank")
    scene.show(erin, "alice")
    scene.show(frank, "alice", "bob")
    scene.show(erin, "bob")

    assert [(b.name, b.viewer) for b in scene.end().breaches] == [("reordered", "bob")]


def test_what_comes_only_after_synced_is_late(scene):
    scene.close("bob")
    erin = scene.create("erin")
    scene.show(erin, "alice")
    scene.open("bob", after=scene.first["id"])
    scene.show(erin, "bob")

    assert names(scene.end()) == {"late"}


def test_another_tenants_event_is_leaked(scene):
    niaj = scene.create_and_show("niaj", "globex")
    scene.send("bob", scene.view(niaj, "mallory"))

    assert [(b.name, b.viewer) for b in scene.end().breaches] == [("leaked", "bob")]


def test_another_tenants_name_on_ones_own_event_is_leaked(scene):
    erin = scene.create("erin")
    scene.show(erin, "alice")
    scene.show(erin | {"tenant": "globex"}, "bob")

    assert names(scene.end()) == {"leaked"}


def test_an_event_that_was_rolled_back_is_leaked(scene):
    scene.show(scene.first | {"id": "event-nobody"}, "bob")

    assert names(scene.end()) == {"leaked"}


def test_a_user_whom_one_may_not_see_is_leaked(scene):
    scene.show(scene.first, "trent", reveal=FIELDS)

    assert names(scene.end()) == {"leaked"}


def test_one_hidden_field_is_leaked(scene):
    erin = scene.create("erin")
    scene.show(erin, "alice")
    scene.show(erin, "bob", reveal=["email"])

    assert [(b.name, b.detail) for b in scene.end().breaches] == [
        ("leaked", "on socket 2: email was shown without view_user_contact")
    ]


def test_one_visible_field_missing_is_partial(scene):
    erin = scene.create("erin")
    scene.show(erin, "bob")
    scene.show(erin, "alice", hide=["email"])

    assert names(scene.end()) == {"partial"}


@pytest.mark.parametrize("change", [{"redacted": []}, {"redacted": ["agent", "email", "phone", "address"]}])
def test_names_of_hidden_fields_that_do_not_match_are_partial(scene, change):
    erin = scene.create("erin")
    scene.show(erin, "alice")
    scene.send("bob", scene.view(erin, "bob") | change)

    assert names(scene.end()) == {"partial"}


def test_a_wrong_value_is_partial(scene):
    erin = scene.create("erin")
    scene.show(erin, "bob")
    view = scene.view(erin, "alice")
    scene.send("alice", view | {"data": view["data"] | {"email": "eve@x"}})

    assert names(scene.end()) == {"partial"}


def test_a_late_revocation_is_stale(scene):
    scene.take("user-bob", "view_user", "watch_signups")
    scene.create_and_show("erin")

    assert [(b.name, b.viewer, b.event) for b in scene.end().breaches] == [("stale", "bob", "event-erin")]


def test_of_what_cannot_be_stale_nothing_is_measured(scene):
    scene.create_and_show("erin")

    assert "stale" not in scene.end().measured()


def test_but_where_rights_changed_it_is(scene):
    scene.take("user-bob", "view_user_contact")
    scene.show(scene.create("erin"), "alice", "bob")

    assert scene.end().measured()["stale"] == 0


def test_what_was_asked_for_before_the_revocation_was_acknowledged_is_not(scene):
    operation = scene.history.begin("take", holder="user-bob", subject="*", permissions=["view_user"])
    scene.create_and_show("erin")
    operation.ok()
    scene.show(scene.create("frank"), "alice")

    verdict = scene.end()

    assert verdict.is_clean
    assert verdict.counts["hidden"] == 4, "all three from Trent, and Frank from Bob"


def test_a_replay_of_what_was_taken_meanwhile_is_stale(scene):
    scene.close("bob")
    erin = scene.create("erin")
    scene.show(erin, "alice")
    scene.take("group:2", "view_user", subject=erin["subject"])
    scene.grants["acme"][erin["subject"]] = {"group:1": ALL}
    scene.open("bob", after=scene.first["id"], events=[erin])

    assert names(scene.end()) == {"stale"}


def test_what_was_given_for_sure_and_is_not_shown_is_partial(scene):
    scene.give("user-bob", "view_user_contact")
    scene.create_and_show("erin")

    assert names(scene.end()) == {"partial"}


def test_an_ended_session_is_its_own_viewers_alone(scene):
    scene.take("bob", "watch_signups")
    scene.create_and_show("erin")

    assert [(b.name, b.viewer) for b in scene.end().breaches] == [("stale", "bob")]


def test_a_list_shows_what_came_before_the_socket(scene):
    scene.create_and_show("erin")
    for name in ("alice", "bob"):
        scene.history.note("listed", viewer=name, users=["user-dave"])

    assert scene.end().is_clean


def test_what_neither_list_nor_socket_showed_is_lost(tmp_path):
    scene = Scene(tmp_path / "history.jsonl")
    scene.create("dave")
    scene.open("alice", "bob", "trent", "mallory")
    scene.create_and_show("erin")
    scene.history.note("listed", viewer="alice", users=["user-erin", "user-dave"])
    scene.history.note("listed", viewer="bob", users=["user-erin"])

    assert [(b.name, b.viewer, b.event) for b in scene.end().breaches] == [("lost", "bob", "event-dave")]


def test_a_hole_in_positions_is_found(scene):
    scene.create_and_show("erin")
    scene.events["acme"][1]["position"] = 3

    assert names(scene.end()) == {"hole"}


def test_an_acknowledged_creation_without_event_is_found(scene):
    scene.ask("erin").ok(user="user-erin")

    assert names(scene.end()) == {"unheard"}


def test_an_event_without_its_user_and_a_user_without_its_event_are_found(scene):
    scene.create_and_show("erin")
    scene.users["acme"][1] = "user-stray"

    assert names(scene.end()) == {"orphan", "uncaptured", "unheard"}


def test_a_refusal_is_excused_only_by_what_struck_its_server(scene):
    with scene.history.fault("kill", server="s1"):
        scene.ask("erin").unknown()
    with scene.history.fault("redis gone"):
        scene.ask("frank").fail(status=500)

    assert scene.end().creations == {"ok": 1, "unknown": 1, "fail": 1, "unexcused": 1}


def refuse(scene, name, after=None):
    """Have a handshake fail."""
    number = next(scene._numbers)
    scene.history.note("opened", viewer=name, socket=number, server="s1", after=after)
    scene.history.note("closed", socket=number, code=None, reason="InvalidStatus: HTTP 503")


def test_who_never_gets_back_in_is_absent(scene):
    scene.close("bob", code=None)
    for number in range(5):
        scene.show(scene.create(f"newcomer-{number}"), "alice")
        refuse(scene, "bob", after=scene.first["id"])

    verdict = scene.end("newcomer-4")

    assert [(b.name, b.viewer) for b in verdict.breaches] == [("absent", "bob")]
    assert "it had no socket that was synced; 6 were opened in all" in verdict.breaches[0].detail
    assert verdict.measured()["absent"] == 1
    assert verdict.measured()["excused"] == 5


def test_if_nobody_was_ever_let_in_all_are_absent(tmp_path):
    scene = Scene(tmp_path / "history.jsonl")
    scene.create("dave")
    for name in VIEWERS:
        refuse(scene, name)

    assert {(b.name, b.viewer) for b in scene.end("dave").breaches} == {("absent", name) for name in VIEWERS}


def test_who_is_back_without_a_cursor_and_was_never_shown_the_last_word_is_absent(scene):
    scene.close("bob", code=None)
    scene.show(scene.create("erin"), "alice")
    scene.open("bob", complete=False)

    verdict = scene.end("erin")

    assert [(b.name, b.viewer) for b in verdict.breaches] == [("absent", "bob")]
    assert verdict.measured()["incomplete"] == 1


def test_who_may_not_watch_any_more_is_not_absent(scene):
    scene.take("user-bob", "watch_signups")
    scene.close("bob", code=4403)
    refuse(scene, "bob", after=scene.first["id"])
    scene.show(scene.create("erin"), "alice")

    assert scene.end("erin").is_clean


def test_a_history_that_was_cut_off_is_not_judged(scene):
    scene.history.close()

    with pytest.raises(ValueError, match="has no line 'over'"):
        judge(scene.history.path)


def sit_through_a_stall(scene):
    """Have Bob be without Erin for a minute, on a socket that ends then."""
    erin = scene.create("erin")
    scene.show(erin, "alice")
    scene.now += 60
    scene.close("bob", code=4002)
    return erin


def test_a_socket_that_ends_before_the_event_came_has_waited_until_then(scene):
    erin = sit_through_a_stall(scene)
    scene.open("bob", after=scene.first["id"], events=[erin])

    verdict = scene.end("erin")

    assert verdict.is_clean
    assert 60 < verdict.worst_gap < 70


def test_but_not_if_its_server_was_struck_when_the_event_was_acknowledged(scene):
    with scene.history.fault("kill", server="s1"):
        erin = sit_through_a_stall(scene)
    scene.open("bob", after=scene.first["id"], events=[erin])

    verdict = scene.end("erin")

    assert verdict.is_clean
    assert verdict.worst_gap < 10


def test_and_only_until_it_was_struck(scene):
    scene.show(scene.create("erin"), "alice")
    scene.now += 30
    with scene.history.fault("kill", server="s1"):
        scene.now += 30
        scene.close("bob", code=None)
    scene.open("bob", after=scene.first["id"], events=[scene.events["acme"][1] | {"tenant": "acme"}])

    assert 30 < scene.end("erin").worst_gap < 40


@pytest.mark.parametrize("was_asked_for_first", [True, False])
def test_nor_if_it_may_be_older_than_the_head_at_which_the_socket_began(scene, was_asked_for_first):
    scene.close("bob", code=None)
    if was_asked_for_first:
        asked = scene.ask("erin")
        erin = scene.commit("erin")
        scene.open("bob")
    else:
        scene.open("bob")
        asked = scene.ask("erin")
        erin = scene.commit("erin")
    asked.ok(user=erin["subject"])
    scene.show(erin, "alice")
    scene.now += 60
    scene.close("bob", code=None)
    scene.open("bob", after=scene.first["id"], events=[] if was_asked_for_first else [erin])

    assert (scene.end().worst_gap < 10) == was_asked_for_first


def test_nor_if_it_was_not_owed(scene):
    scene.take("user-bob", "view_user")
    sit_through_a_stall(scene)
    scene.open("bob", after=scene.first["id"])

    assert scene.end().worst_gap < 10


def come_back_told_to_reload(scene):
    """Have Bob resume behind Dave, and be told that this cursor is not known."""
    scene.close("bob", code=None)
    scene.open("bob", after=scene.first["id"], complete=False)


def test_a_cursor_of_what_one_may_see_is_to_be_known(scene):
    come_back_told_to_reload(scene)

    assert scene.end().measured()["incomplete"] == 1


def test_one_of_what_was_taken_is_not(scene):
    scene.take("group:2", "view_user", subject="user-dave")
    scene.grants["acme"]["user-dave"] = {"group:1": ALL}
    come_back_told_to_reload(scene)

    measured = scene.end().measured()

    assert measured["incomplete"] == 0
    assert measured["cursors not to be seen"] == 1


def test_one_of_what_was_given_back_is(scene):
    scene.take("group:2", "view_user", subject="user-dave")
    scene.give("group:2", "view_user", subject="user-dave")
    come_back_told_to_reload(scene)

    assert scene.end().measured()["incomplete"] == 1
