"""The addresses of the API, below /api/v1/."""

from django.urls import path

from accounts.api import auth, grants, me, platform, signup, user_sessions, users, web

urlpatterns = [
    path("auth/token", auth.TokenView.as_view()),
    path("auth/token/refresh", auth.RefreshView.as_view()),
    path("auth/web/token", web.WebTokenView.as_view()),
    path("auth/web/refresh", web.WebRefreshView.as_view()),
    path("auth/web/logout", web.WebLogoutView.as_view()),
    path("auth/logout", auth.LogoutView.as_view()),
    path("auth/password", auth.PasswordView.as_view()),
    path("auth/sessions", auth.SessionListView.as_view()),
    path("auth/sessions/<uuid:session_id>", auth.SessionView.as_view()),
    path("me", me.MeView.as_view()),
    path("users", users.UserListView.as_view()),
    path("users/<str:user_id>", users.UserDetailView.as_view()),
    path("users/<str:user_id>/sessions", user_sessions.UserSessionListView.as_view()),
    path("users/<str:user_id>/sessions/<str:session_id>", user_sessions.UserSessionDetailView.as_view()),
    path("users/<str:user_id>/grants", grants.GrantListView.as_view()),
    path("users/<str:user_id>/grants/<str:grant_id>", grants.GrantDetailView.as_view()),
    path("tenants/<str:slug>/signup", signup.SignupView.as_view()),
    path("platform/tenants", platform.PlatformTenantListView.as_view()),
    path("platform/tenants/<str:slug>", platform.PlatformTenantView.as_view()),
]
