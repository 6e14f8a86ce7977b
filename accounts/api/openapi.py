"""What the API's description says of all views alike: how to authenticate, and what an error looks like."""

from http import HTTPStatus
from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiResponse
from rest_framework import serializers

from accounts.api.problems import CONTENT_TYPE


class SessionTokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # registers on definition
    """The access token in the Authorization header."""

    target_class = "accounts.authentication.SessionTokenAuthentication"
    name = "accessToken"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        """Return the security scheme."""
        return {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}


class ProblemBody(serializers.Serializer[Any]):
    """An error (RFC 9457). Programs go by ``code``; a 400 may have ``errors``, a sentence or more for each field."""

    status = serializers.IntegerField()
    title = serializers.CharField()
    code = serializers.CharField()
    detail = serializers.CharField()
    request_id = serializers.CharField()

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """Return the members; ``errors`` cannot be an attribute, a serializer has one of that name."""
        return {**super().get_fields(), "errors": serializers.DictField(required=False)}


def problems(*statuses: int) -> dict[Any, OpenApiResponse]:
    """Return the part of ``extend_schema(responses=…)`` that declares errors: these statuses, and 429 as everywhere."""
    return {
        (status, CONTENT_TYPE): OpenApiResponse(ProblemBody, description=HTTPStatus(status).phrase)
        for status in sorted({*statuses, HTTPStatus.TOO_MANY_REQUESTS})
    }
