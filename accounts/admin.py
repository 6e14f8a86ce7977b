"""
The Django admin, for operators: tenants, their roles and their users.

It goes through the same services as everything else and refuses what they refuse. It shows nobody's contact or origin:
to run the platform is no right to look into a tenant.
"""

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.auth.models import Group
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.utils.decorators import method_decorator
from django.views.decorators.csrf import csrf_protect

from accounts import provisioning, roles
from accounts.admin_forms import NewUserForm, RoleForm, TenantForm, UserChangeForm
from accounts.models import JoinedVia, Role, User
from accounts.permissions import OWNER
from accounts.refusals import Refused
from accounts.users import change_user, create_user
from tenants.models import Tenant

if TYPE_CHECKING:
    ModelAdmin = admin.ModelAdmin[Model]
else:
    ModelAdmin = admin.ModelAdmin

SHOWN_OF_USERS = ["tenant", "username", "joined_via", "joined_at"]
FILTERS = ["is_active__exact", "joined_via__exact", "tenant__id__exact", "tenant__isnull"]
"""What the lists' own filters put into an address."""

admin.site.unregister(Group)  # a role's group belongs to its role


class ServiceAdmin(ModelAdmin):
    """An admin for operators alone, whose forms are saved by a service."""

    actions = None  # the one there is deletes in bulk, past the services

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Tell whether this is an operator's business."""
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Tell whether the caller is an operator."""
        user = request.user
        return isinstance(user, User) and user.is_active and user.is_staff and user.tenant_id is None

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Tell whether the caller is an operator."""
        return self.has_view_permission(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Tell whether the caller is an operator."""
        return self.has_view_permission(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Forbid it: people are deactivated and tenants suspended."""
        return False

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """
        Tell whether a list may be narrowed so: by its own filters alone.

        Django would take any field's, and an e-mail or a hash is found out letter by letter, by what a list finds.
        """
        return lookup in FILTERS and "\0" not in value  # which PostgreSQL cannot compare with

    @method_decorator(csrf_protect)
    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """
        Show or save the form; one that the service refuses is shown again with what it said.

        In no transaction, which Django would open around all of it: services open their own, as late as they can. A
        password is hashed before, and whoever waits for a place to hash must hold no lock meanwhile.
        """
        form: Any = self._changeform_view  # type: ignore[attr-defined]  # all of Django's own but the transaction
        try:
            response: HttpResponse = form(request, *args, **kwargs)
        except Refused as refusal:
            request.refusal = refusal  # type: ignore[attr-defined]  # for get_form below
            response = form(request, *args, **kwargs)
        return response

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:  # noqa: FBT001, FBT002  Django's signature
        """Return the form's class, made for this request; after a refusal it is never valid."""
        form = super().get_form(request, obj, change, **kwargs)
        form.refusal = getattr(request, "refusal", None)  # type: ignore[attr-defined]  # all forms here have it
        return form

    def save_form(self, request: HttpRequest, form: Any, change: bool) -> Any:  # noqa: FBT001  Django's signature
        """Have the service save the form, and return the row."""
        return self.changed(form) if change else self.added(form.cleaned_data)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:  # noqa: FBT001
        """Do nothing: the service has saved it."""

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:  # noqa: FBT001
        """Do nothing: the service has saved it."""

    def added(self, fields: dict[str, Any]) -> Model:
        """Create what the form describes."""
        raise NotImplementedError

    def changed(self, form: Any) -> Model:
        """Change what the form is about."""
        raise NotImplementedError


@admin.register(User)
class UserAdmin(ServiceAdmin):
    """Users: added with a role, deactivated and reactivated."""

    list_display = ["username", "tenant", "joined_via", "joined_at", "is_active"]
    list_filter = ["is_active", "joined_via", "tenant"]
    list_select_related = ["tenant"]
    search_fields = ["username"]
    ordering = ["-pk"]

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Return what is asked of a new user, or what is shown of one."""
        return NewUserForm.Meta.fields if obj is None else [*SHOWN_OF_USERS, *UserChangeForm.Meta.fields]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Return what is shown of a user and cannot be changed."""
        return [] if obj is None else SHOWN_OF_USERS

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:  # noqa: FBT001, FBT002
        """Return the form for a new user or for one that there is."""
        return super().get_form(request, obj, change, form=UserChangeForm if change else NewUserForm, **kwargs)

    def added(self, fields: dict[str, Any]) -> User:
        """Create a user."""
        role = fields.pop("role")
        password = fields.pop("password") or None
        return create_user(**fields, password=password, role=role.name if role else None, joined_via=JoinedVia.ADMIN)

    def changed(self, form: Any) -> User:
        """Change a user's role, deactivate or reactivate it."""
        changes = {name: form.cleaned_data[name] for name in form.changed_data}
        if "role" in changes:
            changes["role"] = changes["role"].name if changes["role"] else None
        return change_user(user=form.instance, **changes)


@admin.register(Tenant)
class TenantAdmin(ServiceAdmin):
    """Tenants: created with their first roles, suspended and resumed."""

    form = TenantForm
    list_display = ["slug", "name", "is_active", "signup_policy"]
    ordering = ["slug"]

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Return what is asked of a new tenant, or shown of one."""
        return ["slug", "name", "signup_policy"] if obj is None else TenantForm.Meta.fields

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Return what cannot be changed: other programs know a tenant by its slug."""
        return [] if obj is None else ["slug"]

    def added(self, fields: dict[str, Any]) -> Tenant:
        """Create a tenant."""
        return provisioning.create_tenant(**fields)

    def changed(self, form: Any) -> Tenant:
        """Change a tenant."""
        changes = {name: form.cleaned_data[name] for name in form.changed_data}
        return provisioning.change_tenant(form.instance, **changes)


@admin.register(Role)
class RoleAdmin(ServiceAdmin):
    """Roles: what each gives. The owners' role stays as it is."""

    form = RoleForm
    list_display = ["name", "tenant"]
    list_filter = ["tenant"]
    list_select_related = ["tenant"]
    fields = ["tenant", "name", "permissions", "grants"]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Tell whether the caller is an operator and the role is not the owners'."""
        return super().has_change_permission(request, obj) and getattr(obj, "name", None) != OWNER

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Tell the same for deleting it."""
        return self.has_change_permission(request, obj)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Return what cannot be changed."""
        return [] if obj is None else ["tenant", "name"]

    def added(self, fields: dict[str, Any]) -> Role:
        """Create a role."""
        grants = fields.pop("grants")
        return roles.create_role(fields.pop("tenant"), fields.pop("name"), default_grants=grants, **fields)

    def changed(self, form: Any) -> Role:
        """Change what a role gives."""
        fields = form.cleaned_data
        roles.change_role(form.instance, permissions=fields["permissions"], default_grants=fields["grants"])
        role: Role = form.instance
        return role

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        """Delete a role with its group."""
        roles.delete_role(obj)

    def permissions(self, role: Role) -> str:
        """Return what a role that cannot be changed gives on its tenant."""
        return ", ".join(sorted(roles.tenant_permissions_of(role)))

    def grants(self, role: Role) -> str:
        """Return what a role that cannot be changed receives on every new user."""
        return ", ".join(sorted(roles.default_grants_of([role])))
