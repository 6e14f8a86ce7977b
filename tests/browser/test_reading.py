"""Reading the list: nothing moves under the reader, nothing that came while he was away is overlooked."""

import re

import pytest
from playwright.async_api import expect

from tests.stories.servers import TYPICAL

SHIFTS = """() => {
    window.shifts = []
    new PerformanceObserver((list) => {
        for (const { sources } of list.getEntries()) {
            for (const { node } of sources) {
                const element = node instanceof Element ? node : node?.parentElement
                // The button over the list grows with its number.
                if (element && !element.closest('.new')) window.shifts.push(element.outerHTML)
            }
        }
    }).observe({ type: 'layout-shift' })
}"""


# Of a server of their own: whoever comes at once by one way is folded into one line, the people of other tests too.
async def test_what_arrives_while_somebody_reads_moves_nothing(serve, stage_of):
    stage = stage_of(serve())
    await stage.story.call("POST", "/demo/signups", by="alice", expect=201, count=20)
    bob = await stage.viewer("bob", viewport={"width": 1280, "height": 400})
    reading = bob.row("Carol Carter")
    await expect(bob.rows.first).to_be_visible()
    while not await reading.count():  # rows are drawn once one is near them
        await bob.page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
    await reading.scroll_into_view_if_needed()  # it may be one of those that are drawn beyond the edge
    await expect(reading).to_be_in_viewport()
    await bob.page.evaluate(SHIFTS)
    before = await reading.bounding_box()

    newcomers = [await stage.story.sign_up("dave") for _ in range(3)]

    button = bob.page.get_by_role("button", name="3 new sign-ups")
    await expect(button).to_be_visible()
    await expect(bob.page).to_have_title(re.compile(r"^\(3\) Sign-ups"))
    assert await reading.bounding_box() == before
    assert await bob.page.evaluate("shifts") == []
    await bob.everybody_can_use_it()
    await button.click()
    for newcomer in newcomers:
        await bob.sees_row(newcomer.username)
    await expect(button).to_have_count(0)


async def test_who_comes_back_sees_what_is_new_since_he_left(stage):
    alice = await stage.viewer("alice")
    dave = await stage.story.sign_up("dave")
    await alice.sees_row(dave.username)
    await alice.page.goto("/livez")

    erin = await stage.story.sign_up("erin")
    await alice.page.goto("/")

    await alice.is_said_to_be("Live")
    line = alice.page.get_by_text("New since you left")
    await expect(line).to_be_visible()
    above, below = await alice.sees_row(erin.username), await alice.sees_row(dave.username)
    heights = [(await item.bounding_box())["y"] for item in (above, line, below)]
    assert heights == sorted(heights)
    await alice.everybody_can_use_it()


async def test_what_is_searched_for_is_in_the_address(stage):
    dave = await stage.story.create("dave", full_name="Dave Dover")
    erin = await stage.story.sign_up("erin")
    alice = await stage.viewer("alice")
    await alice.sees_row(erin.username)

    await alice.page.get_by_role("searchbox").fill(dave.username)
    await expect(alice.rows).to_have_count(1)
    await alice.page.get_by_role("button", name=re.compile("^Any way")).click()
    await alice.page.get_by_role("option", name="Added by API").click()
    await expect(alice.page).to_have_url(re.compile(rf"\?q={dave.username}&joined_via=api$"))
    await alice.page.reload()

    await alice.sees_row(dave.username)
    await expect(alice.rows).to_have_count(1)
    frank = await stage.story.sign_up("frank")
    bob = await stage.viewer("bob")
    await bob.sees_row(frank.username)
    await expect(alice.row(frank.username)).to_have_count(0)
    await alice.everybody_can_use_it()


async def test_many_who_come_at_once_by_one_way_are_one_line_until_it_is_opened(serve, stage_of):
    stage = stage_of(serve())
    alice = await stage.viewer("alice")

    # A burst is cut where the clock shows full ten seconds, so of so many six at least are in one.
    for _ in range(12):
        await stage.story.sign_up("zoe")

    lines = alice.page.get_by_role("button", name=re.compile(r"^\d+ sign-ups via the sign-up page$"))
    line = lines.first
    await expect(line).to_be_visible()
    # A line names the newest of those in it, and is no row of theirs.
    alone = alice.rows.filter(has_text="zoe-").filter(has_not=lines)
    while (folded := sum([int(text.split()[0]) for text in await lines.all_inner_texts()])) + await alone.count() < 12:
        await alice.page.wait_for_timeout(50)
    await alice.everybody_can_use_it()
    assert folded >= 6
    assert folded + await alone.count() == 12
    await line.click()
    await expect(line).to_have_attribute("aria-expanded", "true")
    await expect(alice.rows.filter(has_text="zoe-").nth(5)).to_be_attached()


@pytest.mark.parametrize("server", TYPICAL[:1], indirect=True, ids=str)
@pytest.mark.parametrize(
    "look",
    [
        {"viewport": {"width": 1280, "height": 800}, "color_scheme": "light"},
        {"viewport": {"width": 1280, "height": 800}, "color_scheme": "dark"},
        {"viewport": {"width": 320, "height": 640}, "color_scheme": "dark", "has_touch": True},
        {"viewport": {"width": 390, "height": 844}, "color_scheme": "light", "has_touch": True},
    ],
    ids=["light", "dark", "the narrowest phone, dark", "a phone, light"],
)
async def test_details_show_what_the_viewer_may_see(stage, look):
    dave = await stage.story.sign_up("dave", full_name="Dave Dover", email="dave@mail.test")
    alice = await stage.viewer("alice", **look)
    bob = await stage.viewer("bob", **look)

    for viewer, shown in ((alice, "dave@mail.test"), (bob, "Hidden: needs contact access")):
        await viewer.everybody_can_use_it()
        await (await viewer.sees_row(dave.username)).get_by_role("button").click()
        details = viewer.page.get_by_role("dialog").or_(viewer.page.get_by_role("complementary"))
        await expect(details.get_by_text(shown).first).to_be_visible()
        await expect(viewer.page).to_have_url(re.compile(rf"\?user={dave.id}$"))
        await viewer.everybody_can_use_it()
        assert await viewer.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        await viewer.page.keyboard.press("Escape")
        await expect(viewer.page).not_to_have_url(re.compile("user="))
    assert "dave@mail.test" not in await bob.content()
