"""Tokens as an attacker, or time, would make them: from a real one, part by part, without the product's own code."""

import base64
import hmac
import json
from typing import Any

import jwt


def remade(token: str, key: str, *, header: dict[str, Any] | None = None, **claims: Any) -> str:
    """Return a token like this one but for these claims and members of the header, signed with ``key``."""
    payload = jwt.decode(token, options={"verify_signature": False}) | claims
    members = jwt.get_unverified_header(token) | (header or {})
    return jwt.encode(payload, key, algorithm="HS256", headers=members)


def relabelled(token: str, key: str, *, digest: str = "sha256", **members: Any) -> str:
    """Return a token like this one but for these members of its header, truly signed with HMAC whatever they say."""
    header = json.dumps(jwt.get_unverified_header(token) | members).encode()
    signed = base64.urlsafe_b64encode(header).rstrip(b"=") + b"." + token.split(".")[1].encode()
    signature = base64.urlsafe_b64encode(hmac.digest(key.encode(), signed, digest)).rstrip(b"=")
    return (signed + b"." + signature).decode()


def unsigned(token: str, *, alg: str = "none") -> str:
    """Return a token like this one that says it needs no signature."""
    header = jwt.get_unverified_header(token) | {"alg": alg}
    encoded = base64.urlsafe_b64encode(json.dumps(header).encode()).rstrip(b"=").decode()
    return f"{encoded}.{token.split('.')[1]}."


def tampered(token: str) -> str:
    """Return a token like this one, whose signature is off by one character in its middle."""
    head, payload, signature = token.split(".")
    middle = len(signature) // 2
    other = "A" if signature[middle] != "A" else "B"
    return f"{head}.{payload}.{signature[:middle]}{other}{signature[middle + 1 :]}"


def session_of(token: str) -> str:
    """Return the id of the session that a token belongs to."""
    return str(jwt.decode(token, options={"verify_signature": False})["sid"])
