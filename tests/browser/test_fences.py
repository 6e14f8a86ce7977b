"""What the page must not do, and that these tests would notice if it did."""

import pytest

from tests.stories.servers import TOKEN

KEPT = "JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie, location.href, history.state])"
STYLE = "document.head.append(Object.assign(document.createElement('style'), { textContent: 'p { color: red }' }))"
MARKUP = "() => { try { document.body.innerHTML = '<b>dave</b>' } catch { return 'refused' } return 'markup' }"
NAMELESS = "document.body.append(Object.assign(document.createElement('input'), { type: 'text' }))"


async def test_tokens_are_in_memory_and_in_a_cookie_that_no_script_reads_and_nowhere_else(stage):
    viewer = await stage.visitor()
    asked: list[str] = []
    viewer.page.on("request", lambda request: asked.append(request.url))

    await viewer.sign_in(stage.person("alice"))
    await viewer.is_said_to_be("Live")

    assert not TOKEN.search(await viewer.page.evaluate(KEPT))
    assert not any(TOKEN.search(url) for url in asked)
    (cookie,) = await viewer.page.context.cookies()
    assert (cookie["name"], cookie["httpOnly"], cookie["sameSite"]) == ("usher_refresh", True, "Strict")
    assert cookie["path"] == "/api/v1/auth/web"
    await viewer.page.reload()
    await viewer.is_said_to_be("Live")


async def test_a_style_that_is_inline_would_be_noticed(stage):
    viewer = await stage.visitor()
    await viewer.sees("Look around as")

    async with viewer.at_fault("policy violated style-src-elem inline"):
        await viewer.page.evaluate(STYLE)


async def test_a_text_that_becomes_markup_would_be_noticed(stage):
    viewer = await stage.visitor()
    await viewer.sees("Look around as")

    async with viewer.at_fault("policy violated require-trusted-types-for"):
        became = await viewer.page.evaluate(MARKUP)

    assert became == "refused"


async def test_a_field_without_a_name_would_be_noticed(stage):
    viewer = await stage.visitor()
    await viewer.sees("Look around as")
    await viewer.everybody_can_use_it()

    await viewer.page.evaluate(NAMELESS)

    with pytest.raises(AssertionError, match='"label"'):
        await viewer.everybody_can_use_it()
