"""What real servers write about a request whose path has a token in it."""

import pytest

from tests.stories.servers import TYPICAL

pytestmark = pytest.mark.parametrize("server", TYPICAL, ids=str, indirect=True, scope="session")


async def test_a_token_in_a_path_is_not_written(story):
    """Anything like a token in the log would be a complaint, as in every story; see ``Server.complaints``."""
    token = await story.token("alice")
    before = len(story.server.process.output())

    answer = await story.call("GET", f"/{token}")
    refusal = await story.refusal(token=token, path=f"/ws/{token}/")

    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert token not in answer.text
    assert refusal.status in {403, 404}
    written = story.server.process.output()[before:]
    assert "django.request: Not Found: /api/v1/[token]" in written
    assert not any(part in written for part in token.split("."))
