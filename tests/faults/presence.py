"""Who was missing in the end: never to be let in again is no excuse for what was missed, but a breach of its own."""

from tests.faults.recorded import Recorded, Viewer
from tests.faults.rights import ALWAYS, HEAR, RightsOverTime


def absence_of(viewer: Viewer, recorded: Recorded, rights: RightsOverTime) -> str | None:
    """
    Return in words how a viewer was missing when nothing more was waited for, or None.

    Whoever may watch by then is to have a socket that is synced, and, if he may see it, to have been shown the last
    word of his tenant.
    """
    over = recorded.over
    last = [e for e in recorded.tenants[viewer.tenant].events if e.snapshot.get("username") in recorded.last_words]
    since = min((event.invoked for event in last), default=over)
    if rights.watching(viewer, since, over) != ALWAYS:
        return None
    if not any(life.synced is not None and life.synced <= over <= life.closed for life in viewer.sockets):
        return f"it had no socket that was synced; {len(viewer.sockets)} were opened in all"
    shown = {recorded.contents[content].get("id") for life in viewer.sockets for _, content in life.frames}
    owed = {event.id for event in last if HEAR in rights.of(viewer, event.subject, event.invoked, over).sure}
    if not owed <= shown:
        return "it was there and had not been shown the last word of its tenant"
    return None
