"""The tutorial's REST: create a user, tell the group."""

from typing import Any

from django.contrib.auth import get_user_model
from django.urls import path
from rest_framework import generics, serializers

from bench.tutorial.notifications import notify


class UserSerializer(serializers.ModelSerializer[Any]):
    """A user, as the tutorial shows one."""

    class Meta:
        model = get_user_model()
        fields = ["id", "username", "first_name", "email"]


class UserCreateView(generics.CreateAPIView[Any]):
    """Creates a user. The marker comes as the first name."""

    serializer_class = UserSerializer

    def perform_create(self, serializer: Any) -> None:
        """Save, then send."""
        user = serializer.save()
        notify(self.kwargs["group"], user.first_name)


urlpatterns = [path("users/<str:group>/", UserCreateView.as_view())]
