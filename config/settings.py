"""Django's settings. What a deployment may change is in config/env.py; the rest is decided here."""

from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from corsheaders.defaults import default_headers

from config import live_page
from config.databases import database_of
from config.env import read_environment
from config.impatience import bounds_of
from config.layers import channel_layer_of
from config.logs import logging_of

BASE_DIR = Path(__file__).resolve().parent.parent
USHER = read_environment()
VERSION = "0.1.0"

SECRET_KEY = USHER.secret_key
DEBUG = False
ALLOWED_HOSTS = list(USHER.allowed_hosts)

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "guardian",
    "corsheaders",
    "channels",
    "tenants",
    "realtime",
    "accounts",
]

MIDDLEWARE = [
    "config.middleware.Scheme",
    "config.middleware.RequestId",
    "django.middleware.security.SecurityMiddleware",
    # Above what forbids caching: files of the project's own may be kept.
    "config.middleware.StaticFiles",
    "config.middleware.Headers",
    "corsheaders.middleware.CorsMiddleware",
    "config.middleware.RequestLimit",
    "config.middleware.BodyLength",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "config.urls"
ASGI_APPLICATION = "config.asgi.application"
APPEND_SLASH = False

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "config" / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# Storage. No request may wait for Redis, so it is never a cache: what it carries are bells, and bells may be lost.
DATABASES = {"default": database_of(USHER.database_url, project=BASE_DIR)}
# What a server, and no other command, adds to the options of its database.
DATABASE_OPTIONS_OF_A_SERVER = bounds_of(DATABASES["default"])
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
CHANNEL_LAYERS = {"default": channel_layer_of(USHER.channel_layer, USHER.redis_url)}

# People. A username is unique within its tenant only, so Django's own backend, which asks for one user by name, is not
# among these; auth.W004 says just that.
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "accounts.authentication.TenantBackend",
    "accounts.authentication.OperatorBackend",
    "guardian.backends.ObjectPermissionBackend",
]
SILENCED_SYSTEM_CHECKS = ["auth.W004"]
PASSWORD_HASHERS = [
    "accounts.hashing.BoundedArgon2",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]

# Grants. No anonymous user: it would be an active row without a tenant. No prefetched grants: they outlive revocations.
ANONYMOUS_USER_NAME = None
GUARDIAN_AUTO_PREFETCH = False
GUARDIAN_MONKEY_PATCH_USER = False
GUARDIAN_RAISE_403 = True

# Tokens. Read by simplejwt's classes, on accounts' own token backend.
SIMPLE_JWT: dict[str, Any] = {
    "ALGORITHM": "HS256",
    "SIGNING_KEY": USHER.jwt_key,
    "ISSUER": "usher",
    "AUDIENCE": "usher",
    "ACCESS_TOKEN_LIFETIME": timedelta(seconds=USHER.access_seconds),
    "REFRESH_TOKEN_LIFETIME": timedelta(days=14),
    "LEEWAY": 5,
    "USER_ID_FIELD": "id",
    "USER_ID_CLAIM": "sub",
    "UPDATE_LAST_LOGIN": False,
}

# REST
REST_FRAMEWORK: dict[str, Any] = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["accounts.authentication.SessionTokenAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["accounts.api.strict.StrictJSONParser"],
    "DEFAULT_THROTTLE_CLASSES": ["accounts.api.throttles.UserThrottle"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "accounts.api.problems.problem_handler",
    "UNAUTHENTICATED_USER": None,
    "URL_FORMAT_OVERRIDE": None,
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
SPECTACULAR_SETTINGS: dict[str, Any] = {
    "TITLE": "Usher",
    "DESCRIPTION": "Who signed up, told at once to those who may know. Sockets: docs/protocol.md.",
    "VERSION": VERSION,
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_AUTHENTICATION": [],
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
}
CORS_ALLOWED_ORIGINS = list(USHER.allowed_origins)
CORS_ALLOW_CREDENTIALS = False
CORS_URLS_REGEX = r"^/api/"
CORS_ALLOW_HEADERS = [*default_headers, "idempotency-key"]
CORS_EXPOSE_HEADERS = ["Retry-After", "X-Request-ID", "Idempotency-Replayed"]

# Browsers. Only the Django admin has cookies; the demo alone is served without TLS.
SESSION_ENGINE = "config.cookie_sessions"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = not USHER.demo
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Strict"
CSRF_TRUSTED_ORIGINS = [origin for origin in USHER.allowed_origins if urlsplit(origin).hostname in USHER.allowed_hosts]
CSRF_FAILURE_VIEW = "config.pages.csrf_failure"
# Looked at only where a trusted proxy has written it: see config.middleware.Scheme.
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"

STATIC_URL = "/static/"
STATICFILES_DIRS: list[Any] = [BASE_DIR / "config" / "static"]
# What stands at the root: the live page, if there is one when the process starts.
LIVE_PAGE_DIR = BASE_DIR / "clients" / "live" / "dist"
LIVE_PAGE = live_page.built_in(LIVE_PAGE_DIR)
if LIVE_PAGE is not None:
    STATICFILES_DIRS.append((live_page.PREFIX, LIVE_PAGE_DIR))
WHITENOISE_IMMUTABLE_FILE_TEST = live_page.NAMED_BY_CONTENT
# Files come from where they are in the source, so that nothing needs collecting before the first start.
WHITENOISE_USE_FINDERS = True

LANGUAGE_CODE = "en"
USE_I18N = False
TIME_ZONE = "UTC"
USE_TZ = True

LOGGING = logging_of(USHER.log_level)
