"""The forms of the Django admin. They show what a service refuses as errors of their own."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib.admin.forms import AdminPasswordChangeForm

from accounts.models import Role, User
from accounts.permissions import ON_TENANTS, ON_USERS
from accounts.refusals import Refused
from accounts.roles import default_grants_of, tenant_permissions_of
from tenants.models import Tenant

if TYPE_CHECKING:  # Django's own classes are generic for type checkers alone
    ModelForm = forms.ModelForm[Any]
    ModelChoiceField = forms.ModelChoiceField[Role]
else:
    ModelForm = forms.ModelForm
    ModelChoiceField = forms.ModelChoiceField


class RefusalForm(forms.Form):
    """A form that can be shown again with what the service said to it."""

    refusal: Refused | None = None

    def clean(self) -> dict[str, Any]:
        """Return the cleaned fields; a refusal stands at the fields that it names, or else above the form."""
        super().clean()
        if self.refusal is not None:
            errors: dict[str, list[str]] = getattr(self.refusal, "errors", {})
            for field, sentences in errors.items():
                self.add_error(field if field in self.fields else None, sentences)
            if not errors:
                self.add_error(None, str(self.refusal))
        return self.cleaned_data


class RoleField(ModelChoiceField):
    """A choice of roles, which may be of several tenants."""

    def label_from_instance(self, obj: Role) -> str:
        """Return what a role is called here."""
        return f"{obj.tenant}: {obj.name}"


class NewUserForm(RefusalForm, ModelForm):
    """A user of a tenant, added by an operator. (``manage.py create_operator`` makes operators.)"""

    tenant = forms.ModelChoiceField(Tenant.objects.order_by("slug"))
    password = forms.CharField(
        required=False, strip=False, widget=forms.PasswordInput, help_text="Without one the user cannot log in."
    )
    role = RoleField(
        Role.objects.select_related("tenant").order_by("tenant__slug", "pk"),
        required=False,
        help_text="One of the same tenant's. Without one the user is a member.",
    )

    class Meta:
        model = User
        fields = ["tenant", "username", "password", "role", "full_name", "email", "phone"]

    def clean(self) -> dict[str, Any]:
        """Return the cleaned fields, whose role is one of the tenant's."""
        cleaned = super().clean()
        role, tenant = cleaned.get("role"), cleaned.get("tenant")
        if role is not None and role.tenant != tenant:
            self.add_error("role", f"{role.name} is a role of {role.tenant}; expected one of {tenant}")
        return cleaned


class UserChangeForm(RefusalForm, ModelForm):
    """What operators may change of a user."""

    role = RoleField(Role.objects.none(), required=False)

    class Meta:
        model = User
        fields = ["is_active", "role"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        of_tenant = Role.objects.filter(tenant=self.instance.tenant).select_related("tenant").order_by("pk")
        self.fields["role"] = RoleField(of_tenant, required=False)
        self.initial["role"] = of_tenant.filter(group__user=self.instance).first()


class TenantForm(RefusalForm, ModelForm):
    """A tenant."""

    class Meta:
        model = Tenant
        fields = ["slug", "name", "signup_policy", "is_active", "retention_days"]


class RoleForm(RefusalForm, ModelForm):
    """A role: what it gives on its tenant, and on every user created from now on."""

    permissions = forms.MultipleChoiceField(choices=[(name, name) for name in ON_TENANTS], required=False)
    grants = forms.MultipleChoiceField(choices=[(name, name) for name in ON_USERS], required=False)

    class Meta:
        model = Role
        fields = ["tenant", "name"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk is not None:
            self.initial["permissions"] = sorted(tenant_permissions_of(self.instance))
            self.initial["grants"] = sorted(default_grants_of([self.instance]))


class OwnPasswordForm(AdminPasswordChangeForm):
    """An operator's own new password. Whether the current one is right the service finds out, which counts guesses."""

    def clean_old_password(self) -> str:
        """Return what was given."""
        given: str = self.cleaned_data["old_password"]
        return given
