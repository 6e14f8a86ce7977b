"""What the client has already shown."""

from clients.terminal.seen import Seen


def test_an_id_is_new_once():
    seen = Seen()

    assert [seen.add(identity) for identity in ("a", "b", "a")] == [True, True, False]
    assert "a" in seen
    assert "c" not in seen


def test_the_oldest_is_forgotten_beyond_the_bound():
    seen = Seen(most=2)

    for identity in ("a", "b", "a", "c"):
        seen.add(identity)

    assert ["a" in seen, "b" in seen, "c" in seen] == [True, False, True]
