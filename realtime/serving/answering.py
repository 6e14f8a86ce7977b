"""An answer in time to every HTTP request, an end to its body, and a look at its head."""

import asyncio
import json
import logging
import secrets
from http import HTTPStatus

from realtime.serving.heads import BadHead, Head, Headers, check, too_large
from realtime.serving.limits import Application, Limits, Message, Receive, Scope, Send

logger = logging.getLogger(__name__)


class BodyTooLarge(Exception):
    """A client sends more than it may."""


def answered(application: Application, limits: Limits) -> Application:
    """
    Return the application with an end to every HTTP request whose body or answer is too long in coming.

    A 503 after ``answer_seconds`` without the beginning of an answer covers a client that never sends the rest of its
    body and a view that never returns. An answer that has begun may take as long as it likes, as a stream of events
    does. A body above ``body_bytes`` is a 413, and a head that is not plain is refused. WebSockets pass untouched:
    their heads are looked at before there is an application.
    """

    async def bounded(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await application(scope, receive, send)
            return
        try:
            head = head_of(scope)
            check(head, limits)
            scope["headers"] = head.known_headers
            async with asyncio.timeout(limits.answer_seconds) as limit:

                async def begin(message: Message) -> None:
                    if limit.expired():
                        raise asyncio.CancelledError  # too late: the application is being ended
                    limit.reschedule(None)
                    await send(message)

                await application(scope, _counted(receive, limits.body_bytes), begin)
        except TimeoutError:
            if not limit.expired():
                raise
            logger.error("no answer to %s %s in time", scope["method"], scope["path"])  # noqa: TRY400
            detail = f"No answer within {limits.answer_seconds:g} s; the request may have been carried out or not."
            await _send_all(send, problem(503, "no_answer", detail))
        except BodyTooLarge:
            await _send_all(send, problem(413, "content_too_large", too_large(limits)))
        except BadHead as bad:
            await _send_all(send, problem(bad.status, bad.code, bad.detail, bad.headers))

    return bounded


def head_of(scope: Scope) -> Head:
    """Return the head of the request that a scope stands for."""
    query = scope["query_string"]
    target = scope["raw_path"] + (b"?" + query if query else b"")
    return Head(scope["method"], target, scope["http_version"], scope["headers"])


def _counted(receive: Receive, most: int) -> Receive:
    total = 0

    async def counted() -> Message:
        nonlocal total
        message = await receive()
        total += len(message.get("body", b""))
        if total > most:
            raise BodyTooLarge
        return message

    return counted


def undecided() -> list[Message]:
    """Return the messages of the answer to a handshake on which the application has not decided."""
    return problem(503, "no_answer", "The server has not decided on this handshake; try again.")


async def _send_all(send: Send, messages: list[Message]) -> None:
    for message in messages:
        await send(message)


def problem(status: int, code: str, detail: str, headers: Headers = ()) -> list[Message]:
    """Return the messages of an answer that says what is wrong, and ends the connection."""
    body = {
        "status": status,
        "title": HTTPStatus(status).phrase,
        "code": code,
        "detail": detail,
        "request_id": secrets.token_hex(16),
    }
    content = json.dumps(body).encode()
    ours = [
        (b"content-type", b"application/problem+json"),
        (b"content-length", b"%d" % len(content)),
        (b"connection", b"close"),
        *headers,
    ]
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        ours.append((b"retry-after", b"5"))
    return [
        {"type": "http.response.start", "status": status, "headers": ours},
        {"type": "http.response.body", "body": content},
    ]
