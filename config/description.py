"""The description of the API at /api/schema/: the same for everybody, and made once in each of its forms."""

from functools import cache
from typing import Any

from django.conf import settings
from django.http import HttpResponse
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularAPIView
from rest_framework.renderers import BaseRenderer


class DescriptionView(SpectacularAPIView):
    """The description as YAML or JSON. Making it takes a second of CPU, which is not anybody's to ask for again."""

    @extend_schema(exclude=True)
    def get(self, request: Any, *_: Any, **__: Any) -> HttpResponse:
        """Return it in the form that the caller accepts; no parameter of the address changes it."""
        renderer = request.accepted_renderer
        kind: Any = type(renderer)
        name = f"{settings.SPECTACULAR_SETTINGS['TITLE']}.{renderer.format}"
        return HttpResponse(
            _rendered(kind),
            content_type=renderer.media_type,
            headers={"Content-Disposition": f'inline; filename="{name}"'},
        )


@cache
def _rendered(renderer: type[BaseRenderer]) -> bytes:
    rendered: bytes | str = renderer().render(_description())
    return rendered.encode() if isinstance(rendered, str) else rendered


@cache
def _description() -> Any:
    return SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
