"""The page without a pointer: everything can be reached and done, and one always sees where one is."""

from playwright.async_api import expect

FOCUSED = """() => {
    const { activeElement: element } = document
    const styles = ['', '::after', '::before'].map((part) => getComputedStyle(element, part))
    const seen = styles.some(({ outlineStyle: style, outlineWidth: width }) => style !== 'none' && width !== '0px')
    return { name: element.getAttribute('aria-label') ?? element.innerText ?? '', tag: element.tagName, seen }
}"""


async def tab_to(viewer, name, *, most=25):
    """Press Tab until something of that name has the focus, which must be seen on everything on the way."""
    passed = []
    for _ in range(most):
        await viewer.page.keyboard.press("Tab")
        focused = await viewer.page.evaluate(FOCUSED)
        assert focused["tag"] == "BODY" or focused["seen"], f"one does not see that {focused} has the focus"
        if focused["name"].startswith(name):
            return
        passed.append(focused["name"])
    raise AssertionError(f"{name} is not reached by Tab, only {passed}")


async def focused_row(viewer):
    return await viewer.page.evaluate("document.activeElement.closest('article')?.innerText ?? ''")


async def test_a_walk_through_the_page_without_a_pointer(stage):
    dave = await stage.story.sign_up("dave", email="dave@mail.test")
    erin = await stage.story.sign_up("erin")
    viewer = await stage.visitor()
    keys, page = viewer.page.keyboard, viewer.page
    await viewer.sees("Look around as")

    await tab_to(viewer, "Alice")
    await keys.press("Enter")
    await viewer.is_said_to_be("Live")
    await viewer.sees_row(erin.username)

    await keys.press("j")
    assert erin.username in await focused_row(viewer)
    await keys.press("j")
    assert dave.username in await focused_row(viewer)
    await keys.press("k")
    await keys.press("j")
    await keys.press("Enter")
    await expect(page.get_by_role("complementary").get_by_text("dave@mail.test").first).to_be_visible()
    await keys.press("Escape")
    await expect(page.get_by_role("complementary")).to_have_count(0)
    assert dave.username in await focused_row(viewer), "the focus is back where it was"

    frank = await stage.story.sign_up("frank")
    await expect(page.get_by_role("button", name="1 new sign-up")).to_be_visible()
    await keys.press(".")
    await viewer.sees_row(frank.username)

    await keys.press("/")
    await keys.type(dave.username)
    await expect(viewer.rows).to_have_count(1)
    await keys.press("Escape")
    await viewer.sees_row(frank.username)

    await tab_to(viewer, "Connection: ", most=40)
    await keys.press("Enter")
    await expect(page.get_by_role("dialog")).to_be_visible()
    await keys.press("Escape")
    await expect(page.get_by_role("dialog")).to_have_count(0)

    await keys.press("?")
    await expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
    await viewer.everybody_can_use_it()
    await keys.press("Escape")

    await tab_to(viewer, "alice: your menu", most=40)
    await keys.press("Enter")
    await expect(page.get_by_role("menu")).to_be_visible()
    await viewer.everybody_can_use_it()
    await keys.press("End")
    await keys.press("Enter")
    await viewer.sees("You have signed out.")


async def test_the_form_is_filled_in_and_mended_without_a_pointer(stage):
    viewer = await stage.visitor()
    keys = viewer.page.keyboard
    await viewer.sees("Look around as")
    await viewer.page.get_by_label("Organisation").focus()

    for text in ("acme", "bob", "wrong"):
        await keys.type(text)
        await keys.press("Tab")
    await keys.press("Enter")
    await viewer.sees("Organisation, username and password do not go together.")
    await viewer.everybody_can_use_it()
    await viewer.page.get_by_label("Password").focus()
    await keys.type("usher-demo")
    await keys.press("Enter")

    await viewer.is_said_to_be("Live")
