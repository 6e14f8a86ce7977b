"""Views for callers that nobody knows yet."""

from typing import Any

from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.views import APIView

from accounts.authentication import refuse_token_in_url


class PublicView(APIView):
    """
    A view that asks for no token, and looks at none.

    With a stale one in the header a caller must still be able to log in.
    """

    authentication_classes = []
    permission_classes = [AllowAny]

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Refuse a token in the URL, here too."""
        refuse_token_in_url(request)
        super().initial(request, *args, **kwargs)
