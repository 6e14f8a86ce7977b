"""
Write the two keys that Usher cannot start without into ``.env``, unless that file exists.

    python3 tools/write_secrets.py

Only its owner can read the file, git ignores it, and it is never written again: with another USHER_JWT_KEY everybody
would be logged out.
"""

import os
import secrets
from pathlib import Path

FILE = Path(__file__).resolve().parent.parent / ".env"
KEYS = ("USHER_SECRET_KEY", "USHER_JWT_KEY")
BYTES = 48


def main(file: Path = FILE) -> None:
    """Create the file with fresh keys, or leave it as it is."""
    try:
        # Made for its owner alone from the first moment, and only if nobody else has made it meanwhile.
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return
    with os.fdopen(descriptor, "w") as stream:
        stream.writelines(f"{key}={secrets.token_urlsafe(BYTES)}\n" for key in KEYS)
    print(f"Wrote new secrets to {file.name}")


if __name__ == "__main__":
    main()
