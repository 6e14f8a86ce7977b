"""What only a demo has: its people, with their passwords, and sign-ups to look at."""

from random import SystemRandom
from typing import Any

from django.urls import path
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import demo
from accounts.api.openapi import problems
from accounts.api.permissions import TenantView
from accounts.api.public import PublicView
from accounts.api.strict import StrictSerializer, Whole, validated
from accounts.api.throttles import creation_in

MOST_AT_ONCE = 100


class DemoPersonBody(serializers.Serializer[Any]):
    """Somebody whom a visitor of the demo can be; an operator has no tenant."""

    tenant = serializers.CharField(allow_null=True)
    username = serializers.CharField()
    password = serializers.CharField()
    description = serializers.CharField()


class DemoBody(serializers.Serializer[Any]):
    """The people of the demo."""

    people = DemoPersonBody(many=True)


class DemoSignupsBody(StrictSerializer):
    """How many are to sign up."""

    count = Whole(min_value=1, max_value=MOST_AT_ONCE)


class DemoCreatedBody(serializers.Serializer[Any]):
    """How many have signed up."""

    created = serializers.IntegerField()


class DemoView(PublicView):
    """The demo."""

    @extend_schema(summary="Tell who is in the demo", responses={200: DemoBody, **problems(503)})
    def get(self, request: Request) -> Response:
        """Return the people of the demo; everybody knows their password."""
        people = [
            {
                "tenant": person.tenant,
                "username": person.username,
                "password": demo.PASSWORD,
                "description": f"Sees {person.sees}",
            }
            for person in demo.PEOPLE
        ]
        return Response(DemoBody({"people": people}).data)


class DemoSignupsView(TenantView):
    """Sign-ups of people who are made up."""

    @extend_schema(
        summary="Have some people sign up",
        description="Makes people up and creates them in the caller's tenant, each with its event.",
        request=DemoSignupsBody,
        responses={201: DemoCreatedBody, **problems(400, 401, 403, 503)},
    )
    def post(self, request: Request) -> Response:
        """Create so many users in the caller's tenant."""
        count = validated(DemoSignupsBody, request)["count"]
        random = SystemRandom()
        for _ in range(count):
            with creation_in(self.tenant.pk, by="sign-up"):
                demo.sign_up_somebody(self.tenant, random)
        return Response(DemoCreatedBody({"created": count}).data, status=201)


urlpatterns = [
    path("demo", DemoView.as_view()),
    path("demo/signups", DemoSignupsView.as_view()),
]
