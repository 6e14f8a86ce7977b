"""
All that ends somebody's socket from outside, each as it is done over REST.

A cause is a generator in three parts: it yields a token for the socket, then does the thing and yields, then undoes it.
"""

import secrets
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace

from tests.stories.people import Person, Story, login_of
from tests.stories.tokens import session_of


@dataclass
class Victim:
    """Somebody of whom one cause may make what it likes."""

    person: Person
    struck_at: float | None = None
    """When it was committed, by ``time.monotonic()``, where what did it can tell."""


Cause = Callable[[Story, Victim], AsyncIterator[str]]


async def log_out(story: Story, victim: Victim) -> AsyncIterator[str]:
    """Log out."""
    token = (await story.log_in(victim.person)).access
    yield token
    await story.call("POST", "/auth/logout", token=token, expect=204)
    yield ""


async def change_of_password(story: Story, victim: Victim) -> AsyncIterator[str]:
    """Change the password on another device."""
    elsewhere, here = await story.log_in(victim.person), await story.log_in(victim.person)
    yield elsewhere.access
    new = secrets.token_urlsafe(12)
    body = {"current": victim.person.password, "new": new}
    await story.call("POST", "/auth/password", token=here.access, expect=204, **body)
    victim.person = replace(victim.person, password=new)
    yield ""


async def reuse_of_a_refresh_token(story: Story, victim: Victim) -> AsyncIterator[str]:
    """Show a refresh token that is long used up."""
    first = await story.log_in(victim.person)
    second = login_of(await story.call("POST", "/auth/token/refresh", expect=200, refresh=first.refresh))
    third = login_of(await story.call("POST", "/auth/token/refresh", expect=200, refresh=second.refresh))
    yield third.access
    await story.call("POST", "/auth/token/refresh", expect=401, refresh=first.refresh)
    yield ""


async def end_of_another_session_of_ones_own(story: Story, victim: Victim) -> AsyncIterator[str]:
    """End the session of another device."""
    elsewhere, here = await story.log_in(victim.person), await story.log_in(victim.person)
    yield elsewhere.access
    await story.call("DELETE", f"/auth/sessions/{session_of(elsewhere.access)}", token=here.access, expect=204)
    yield ""


async def end_of_one_session(story: Story, victim: Victim) -> AsyncIterator[str]:
    """Have staff end one session."""
    token = (await story.log_in(victim.person)).access
    yield token
    path = f"/users/{victim.person.id}/sessions/{session_of(token)}"
    await story.call("DELETE", path, by="alice", expect=204)
    yield ""


async def end_of_all_sessions(story: Story, victim: Victim) -> AsyncIterator[str]:
    """Have staff end all sessions."""
    yield (await story.log_in(victim.person)).access
    await story.call("DELETE", f"/users/{victim.person.id}/sessions", by="alice", expect=204)
    yield ""


async def deactivation(story: Story, victim: Victim) -> AsyncIterator[str]:
    """Have staff deactivate him."""
    yield (await story.log_in(victim.person)).access
    await story.change(victim.person, is_active=False)
    yield ""
    await story.change(victim.person, is_active=True)


async def loss_of_the_role(story: Story, victim: Victim) -> AsyncIterator[str]:
    """Have staff make him a member."""
    yield (await story.log_in(victim.person)).access
    await story.change(victim.person, role=None)
    yield ""
    await story.change(victim.person, role="viewer")


async def suspension_of_the_tenant(story: Story, victim: Victim) -> AsyncIterator[str]:
    """Have an operator suspend his tenant."""
    path = f"/platform/tenants/{victim.person.tenant}"
    yield (await story.log_in(victim.person)).access
    await story.call("PATCH", path, by="olga", expect=200, is_active=False)
    yield ""
    await story.call("PATCH", path, by="olga", expect=200, is_active=True)


CAUSES: dict[Cause, int] = {
    log_out: 4102,
    end_of_another_session_of_ones_own: 4102,
    change_of_password: 4102,
    reuse_of_a_refresh_token: 4102,
    end_of_one_session: 4102,
    end_of_all_sessions: 4102,
    deactivation: 4403,
    loss_of_the_role: 4403,
    suspension_of_the_tenant: 4204,
}
"""Cause -> the code that the socket is closed with."""
