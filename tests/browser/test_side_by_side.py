"""Alice and Bob look at the same page at the same time, and each sees what he may see."""

import re

from playwright.async_api import expect


async def test_a_sign_up_is_there_within_a_second_for_each_as_he_may_see_it(stage):
    alice, bob = await stage.viewer("alice"), await stage.viewer("bob")

    dave = await stage.story.sign_up("dave", full_name="Dave Dover", email="dave@mail.test", phone="+44 20 7946 0000")

    to_alice = await alice.sees_row(dave.username, within_ms=1_000)
    to_bob = await bob.sees_row(dave.username, within_ms=1_000)
    await expect(to_alice).to_contain_text("dave@mail.test")
    await expect(to_alice).to_contain_text("+44 20 7946 0000")
    await expect(to_bob).to_contain_text("Hidden: needs contact access")
    await expect(to_bob).to_contain_text(re.compile("e-mail and phone: hidden: needs contact access", re.IGNORECASE))
    assert "dave@mail.test" not in await bob.content()
    for viewer in (alice, bob):
        await viewer.everybody_can_use_it()


async def test_trent_sees_nobody_and_carol_is_not_let_in(stage):
    trent = await stage.viewer("trent")
    carol = await stage.visitor()
    await carol.sign_in(stage.person("carol"))

    dave = await stage.story.sign_up_visible_to_all("dave")

    await trent.sees_row(dave.username)
    await expect(trent.rows).to_have_count(1)
    await carol.sees("You may not see these sign-ups")
    await carol.everybody_can_use_it()
    assert dave.username not in await carol.content()


async def test_mallory_sees_nothing_of_acme(stage):
    mallory = await stage.viewer("mallory")

    dave = await stage.story.sign_up("dave")
    frank = await stage.story.sign_up("frank", tenant="globex")

    await mallory.sees_row(frank.username)
    assert dave.username not in await mallory.content()
