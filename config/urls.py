"""Every address that Usher answers over HTTP."""

from django.conf import settings
from django.contrib import admin
from django.templatetags.static import static
from django.urls import include, path, re_path
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularSwaggerSplitView

from accounts import admin_login
from config import pages
from config.description import DescriptionView

urlpatterns = [
    path("", pages.home, name="home"),
    # Browsers ask for it on every page that names no icon, the admin's for one.
    path("favicon.ico", RedirectView.as_view(url=static("usher/icon.svg"))),
    path("livez", pages.livez, name="livez"),
    path("admin/login/", admin_login.log_in),  # these two are found before the admin's own
    path("admin/password_change/", admin_login.change_password),
    # Nothing here uses these two, and they answer what is not well-formed with an error.
    re_path(r"^admin/(?:autocomplete|r)/", pages.nothing),
    path("admin/", admin.site.urls),
    path("api/schema/", DescriptionView.as_view(), name="schema"),
    path("api/docs/", SpectacularSwaggerSplitView.as_view(url_name="schema"), name="docs"),
    path("api/v1/", include("accounts.api.urls")),
    # Elsewhere these paths are like any other that does not exist.
    *([path("api/v1/", include("accounts.api.demo"))] if settings.USHER.demo else []),
]

handler400 = "config.pages.bad_request"
handler403 = "config.pages.forbidden"
handler404 = "config.pages.not_found"
handler500 = "config.pages.server_error"
