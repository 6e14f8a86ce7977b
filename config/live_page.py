"""The live page as it was built: which of its files a browser loads first, and what it may do there."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ENTRY = "src/main.tsx"
MANIFEST = ".vite/manifest.json"
PREFIX = "live"
"""Below STATIC_URL, where the page was built to be."""
# The build puts eight characters of a digest of the content into each name.
NAMED_BY_CONTENT = rf"^.*/{PREFIX}/assets/[^/]+-[\w-]{{8}}\.\w+$"


@dataclass(frozen=True, slots=True)
class LivePage:
    """Paths in the folder of the built page: the module to start, modules that it imports, and style sheets."""

    script: str
    modules: tuple[str, ...]
    styles: tuple[str, ...]


def built_in(folder: Path) -> LivePage | None:
    """Return the page that was built into a folder, or None; raises ``ValueError`` for one that is not as expected."""
    try:
        manifest = json.loads((folder / MANIFEST).read_bytes())
    except FileNotFoundError:
        return None
    try:
        chunks = list(_chunks(manifest, ENTRY, set()))
        (script, *modules) = [chunk["file"] for chunk in chunks]
    except KeyError as error:
        raise ValueError(f"{folder / MANIFEST} does not name {error}; build the page anew with `make page`") from None
    styles = dict.fromkeys(style for chunk in chunks for style in chunk.get("css", ()))
    return LivePage(script, tuple(modules), tuple(styles))


def content_security_policy(host: str, *, is_secure: bool) -> str:
    """Return what the page may do: load its own files, and talk to this very host. Nothing inline, nothing framed."""
    socket = f"{'wss' if is_secure else 'ws'}://{host}"  # some browsers do not count it among 'self'
    return (
        f"default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; img-src 'self'; "
        f"connect-src 'self' {socket}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
        "require-trusted-types-for 'script'"
    )


def _chunks(manifest: Mapping[str, Any], name: str, seen: set[str]) -> Iterator[Mapping[str, Any]]:
    """Yield a chunk and all that it imports, each once."""
    if name not in seen:
        seen.add(name)
        yield manifest[name]
        for imported in manifest[name].get("imports", ()):
            yield from _chunks(manifest, imported, seen)
