"""
Passwords in the Django admin, under the same limits as everywhere else: its log-in, and the change of one's own.

One too many is told so by a status, as in the API.
"""

from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.views import PasswordChangeView
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse_lazy

from accounts import sessions
from accounts.addresses import address_of
from accounts.admin_forms import OwnPasswordForm
from accounts.refusals import Busy, TooManyFailures, TooManyLogIns, WrongPassword


class OwnPasswordView(PasswordChangeView):
    """The page on which an operator changes his own password, by the same service as the API."""

    form_class = OwnPasswordForm
    success_url = reverse_lazy("admin:password_change_done")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Return what the page shows, and what every page of the admin does."""
        return {**admin.site.each_context(self.request), **super().get_context_data(**kwargs)}

    def form_valid(self, form: OwnPasswordForm) -> HttpResponse:  # type: ignore[override]  # of this view, no other
        """Change the password: that ends the operator's sessions and other cookies, and keeps this cookie."""
        user = form.user
        current, new = form.cleaned_data["old_password"], form.cleaned_data["new_password1"]
        try:
            sessions.change_password(user, current=current, new=new, session_id=None, address=address_of(self.request))
        except WrongPassword:
            form.add_error("old_password", form.error_messages["password_incorrect"])
            return self.form_invalid(form)
        update_session_auth_hash(self.request, user)
        return HttpResponseRedirect(self.get_success_url())


def log_in(request: HttpRequest) -> HttpResponseBase:
    """Show the form, or log an operator in."""
    return _told_by_status(admin.site.login, request)


def change_password(request: HttpRequest) -> HttpResponseBase:
    """Show the form, or change the operator's password."""
    return _told_by_status(admin.site.admin_view(OwnPasswordView.as_view(), cacheable=True), request)


def _told_by_status(view: Callable[[HttpRequest], HttpResponseBase], request: HttpRequest) -> HttpResponseBase:
    try:
        return view(request)
    except (Busy, TooManyFailures, TooManyLogIns) as refusal:
        status = 503 if isinstance(refusal, Busy) else 429
        headers = {"Retry-After": str(refusal.retry_after_seconds)}
        return HttpResponse(str(refusal), status=status, headers=headers, content_type="text/plain; charset=utf-8")
