"""What a username may be."""

import unicodedata

LONGEST = 150


def normalise_username(username: str) -> str:
    """
    Return the one spelling under which a username is kept and compared: NFKC, case-folded, trimmed.

    Raises ``ValueError`` when nothing is left, when it is longer than 150 characters, or when it holds control,
    format, surrogate or unassigned characters (they make two different names look the same).
    """
    name = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", username).casefold()).strip()
    if not name:
        raise ValueError(f"username is {username!r}; expected at least one visible character")
    if len(name) > LONGEST:
        raise ValueError(f"username has {len(name)} characters; expected at most {LONGEST}")
    odd = next((c for c in name if unicodedata.category(c).startswith(("C", "Zl", "Zp"))), None)
    if odd is not None:
        raise ValueError(f"username is {username!r}; expected no control or invisible characters (it has {odd!r})")
    return name
