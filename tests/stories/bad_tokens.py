"""Tokens that open nothing, each made from a real one or taken from somebody who may not watch, and its verdict."""

import secrets
import time

from tests.stories.people import Story
from tests.stories.tokens import remade, session_of, tampered, unsigned

UNAUTHENTICATED, EXPIRED, ENDED = (401, "unauthenticated"), (401, "token_expired"), (401, "session_ended")
FORBIDDEN = (403, "not_authorised")
CLOSES = {UNAUTHENTICATED: 4401, EXPIRED: 4101, ENDED: 4102, FORBIDDEN: 4403}
HOUR = 3600


async def forged(story: Story) -> str:
    return tampered(await story.token("alice"))


async def signed_with_another_key(story: Story) -> str:
    return remade(await story.token("alice"), secrets.token_hex(32))


async def that_says_it_needs_no_signature(story: Story) -> str:
    return unsigned(await story.token("alice"))


async def for_another_audience(story: Story) -> str:
    return remade(await story.token("alice"), story.server.jwt_key, aud="somebody else")


async def for_a_session_of_somebody_else(story: Story) -> str:
    session = session_of(await story.token("mallory"))
    return remade(await story.token("alice"), story.server.jwt_key, sid=session)


async def for_a_user_that_is_no_id(story: Story) -> str:
    return remade(await story.token("alice"), story.server.jwt_key, sub="alice")


async def without_an_end(story: Story) -> str:
    return remade(await story.token("alice"), story.server.jwt_key, exp="never")


async def expired(story: Story) -> str:
    return remade(
        await story.token("alice"), story.server.jwt_key, iat=int(time.time()) - HOUR, exp=int(time.time()) - 60
    )


async def refresh_token(story: Story) -> str:
    return (await story.log_in("bob")).refresh


async def garbage(story: Story) -> str:
    return "not-a-token"


async def of_a_session_that_ended(story: Story) -> str:
    token = (await story.log_in("bob")).access
    await story.call("POST", "/auth/logout", token=token, expect=204)
    return token


async def of_a_session_that_never_was(story: Story) -> str:
    return remade(await story.token("alice"), story.server.jwt_key, sid="0190163d-8694-739b-aea5-966c26f8ad90")


async def of_a_deactivated_user(story: Story) -> str:
    bob = await story.hire("bob", role="viewer")
    token = (await story.log_in(bob)).access
    await story.change(bob, is_active=False)
    return token


async def of_a_member(story: Story) -> str:
    return await story.token("carol")


async def of_an_operator(story: Story) -> str:
    return await story.token("olga")


TOKENS = [
    (forged, UNAUTHENTICATED),
    (signed_with_another_key, UNAUTHENTICATED),
    (that_says_it_needs_no_signature, UNAUTHENTICATED),
    (for_another_audience, UNAUTHENTICATED),
    (for_a_session_of_somebody_else, UNAUTHENTICATED),
    (for_a_user_that_is_no_id, UNAUTHENTICATED),
    (without_an_end, UNAUTHENTICATED),
    (refresh_token, UNAUTHENTICATED),
    (garbage, UNAUTHENTICATED),
    (expired, EXPIRED),
    (of_a_session_that_ended, ENDED),
    (of_a_session_that_never_was, ENDED),
    (of_a_deactivated_user, FORBIDDEN),
    (of_a_member, FORBIDDEN),
    (of_an_operator, FORBIDDEN),
]
