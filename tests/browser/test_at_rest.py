"""What the page says when there is nothing to show, and nothing wrong."""

from playwright.async_api import expect


async def test_a_pause_holds_everything_back_until_its_end(stage):
    alice = await stage.viewer("alice")
    await alice.pill.click()
    await alice.everybody_can_use_it()
    await alice.page.keyboard.press("Escape")
    await alice.pause()

    dave = await stage.story.sign_up("dave")
    bob = await stage.viewer("bob")
    await bob.sees_row(dave.username)

    await alice.sees("Paused. New sign-ups wait until you resume.")
    await alice.everybody_can_use_it()
    await alice.page.emulate_media(color_scheme="dark")
    await alice.everybody_can_use_it()
    await expect(alice.row(dave.username)).to_have_count(0)
    await alice.page.get_by_role("button", name="Resume").click()
    await alice.is_said_to_be("Live")
    await alice.sees_row(dave.username)


async def test_an_empty_list_says_what_it_waits_for(serve, stage_of):
    trent = await stage_of(serve()).viewer("trent")

    await trent.sees("No sign-ups yet")
    await trent.everybody_can_use_it()


async def test_a_search_that_finds_nobody_offers_the_way_back(stage):
    alice = await stage.viewer("alice", "/?q=nobody-has-this-name")

    await alice.sees("Nobody matches")
    await alice.everybody_can_use_it()
    await alice.page.get_by_role("button", name="Clear filters").first.click()
    await expect(alice.rows.first).to_be_visible()
