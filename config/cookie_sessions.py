"""The cookie sessions of the admin, as Django keeps them in the database, which is asked for no key that is none."""

import re
from typing import Any

from django.contrib.sessions.backends import db

KEY = re.compile(r"[a-z0-9]{32}")
"""How Django makes them. PostgreSQL answers some other strings, such as one with a NUL, with an error."""


class SessionStore(db.SessionStore):
    """A session found by its cookie."""

    def _validate_session_key(self, key: Any) -> bool:
        return isinstance(key, str) and KEY.fullmatch(key) is not None
