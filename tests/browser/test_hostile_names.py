"""People whose names are meant to do harm: they run nothing, reach nothing and break nothing."""

import secrets

import pytest
from playwright.async_api import expect

CALL = "/x?hostile"
MARKUP = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    f"<img src={CALL}>",
    '"><svg/onload=alert(1)>',
    "<iframe srcdoc='<script>alert(1)</script>'>",
    f"<link rel=stylesheet href={CALL}>",
    "<style>*{display:none}</style>",
    f"<style>@import '{CALL}'</style>",
    "<base href=//evil.test/>",
    "<meta http-equiv=refresh content=0;url=//evil.test>",
    "<form action=//evil.test><input type=submit>",
    "<a href=javascript:alert(1)>dave</a>",
    "javascript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "<math><mi//xlink:href='data:x,<script>alert(1)</script>'>",
    "<details open ontoggle=alert(1)>",
    "<body onload=alert(1)>",
    "<template><script>alert(1)</script></template>",
    "<!--<img src='--><img src=x onerror=alert(1)//'>",
    "]]><script>alert(1)</script>",
    "</title><script>alert(1)</script>",
    "</bdi></button><script>alert(1)</script>",
    "<x onclick=alert(1) tabindex=1 autofocus>",
    "' onmouseover='alert(1)",
    '" style="position:fixed;inset:0',
    "{{constructor.constructor('alert(1)')()}}",
    "${alert(1)}",
    "<%= alert(1) %>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "&#60;script&#62;",
    "%3Cscript%3Ealert(1)%3C/script%3E",
    "\\u003cscript\\u003ealert(1)",
    "__proto__",
    "constructor",
    "toString",
    "[object Object]",
    "undefined",
    "null",
    "NaN",
]
SCRIPT_TRICKS = [
    "\u202egnp.evil\u202c",
    "\u2066\u202eabc\u2069",
    "\u200f\u200fabc",
    "\u061cabc",
    "dave\u200bdover",
    "\ufeffdave",
    "\u00ad\u00ad\u00ad",
    "\u3164",
    "\u2800\u2800",
    "a\u0300\u0301\u0302\u0303\u0304" * 20,
    "Z" + "\u0335\u0321\u0489" * 60,
    "\u0e49" * 40,
    "\ufdfd" * 20,
    "𒐫" * 20,
    "👩‍👩‍👧‍👦" * 15,
    "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
    "\u05d0\u05d1\u05d2 abc 123 \u0627\u0644",
    "\u1d2c\u1d2e dave",
    "ﷺ dave",
]
LONG = ["x" * 300, "very " * 60, "W" * 150 + " " + "i" * 140, "\u0628" * 280]
NAMES = MARKUP + SCRIPT_TRICKS + LONG
WIDTHS = [1280, 320]
RUN = "() => { window.ran = 0; window.alert = () => { window.ran++ } }"
BROKEN = """() => {
    const rows = [...document.querySelectorAll('article')]
    const boxes = rows.map((row) => row.getBoundingClientRect()).sort((one, other) => one.top - other.top)
    const over = boxes.filter(({ bottom }, index) => bottom > (boxes[index + 1]?.top ?? Infinity) + 1)
    const outside = boxes.filter(({ left, right }) => left < 0 || right > innerWidth + 1)
    const tall = boxes.filter(({ height }) => height > 130)
    const foreign = document.querySelectorAll('article :is(img, script, style, iframe, form, a, link, meta, input)')
    const wide = document.documentElement.scrollWidth > innerWidth
    const { ran } = window
    return { wide, over: over.length, outside: outside.length, tall: tall.length, foreign: foreign.length, ran }
}"""


@pytest.mark.parametrize("width", WIDTHS)
async def test_their_names_run_nothing_and_break_nothing(serve, stage_of, width):
    assert len(NAMES) >= 60
    stage = stage_of(serve())
    viewer = await stage.viewer("alice", viewport={"width": width, "height": 900})
    asked: list[str] = []
    viewer.page.on("request", lambda request: asked.append(request.url))
    await viewer.page.evaluate(RUN)

    answers = [await named(stage, name) for name in NAMES]

    assert set(answers) <= {201, 400}, "a name is taken or refused, and breaks nothing"
    assert answers.count(201) >= 50, "most are taken: the page must bear them"
    # Whoever comes at once by one way is folded into one line.
    folded = viewer.page.locator("article.burst button[aria-expanded=false]")
    await expect(folded.first).to_be_visible()
    while await folded.count():
        await folded.first.click()
    for y in range(0, 6000, 500):
        await viewer.page.evaluate("(y) => new Promise((done) => { scrollTo(0, y); setTimeout(done, 100) })", y)
        found = await viewer.page.evaluate(BROKEN)
        assert found == {"wide": False, "over": 0, "outside": 0, "tall": 0, "foreign": 0, "ran": 0}, y
    await viewer.page.evaluate("scrollTo(0, 0)")
    await viewer.everybody_can_use_it()
    assert [url for url in asked if "hostile" in url or "evil" in url] == []


async def named(stage, name):
    """Have somebody of this name join; returns the status."""
    username = f"mallory-{secrets.token_hex(6)}"
    return (await stage.story.call("POST", "/users", by="alice", username=username, full_name=name)).status_code
