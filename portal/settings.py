"""Settings of the portal: one file, read from the environment only (docs/deployment.md lists every variable)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from csp.constants import NONCE, NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _
from environ import FileAwareEnv

BASE_DIR = Path(__file__).resolve().parent.parent
# FileAwareEnv reads NAME_FILE as well, so that secrets can be mounted as files instead of being variables.
env = FileAwareEnv()


def required(name: str) -> str:
    """Return the variable's value, or stop with a sentence that says how to get one."""
    value: str = env.str(name, default="")
    if not value:
        raise ImproperlyConfigured(
            f"{name} is not set. Set it as docs/deployment.md describes, or run "
            '`eval "$(python manage.py embedded env)"` to use the services of the demo.'
        )
    return value


def origin_of(address: str) -> str:
    """Return scheme, host and port of an address, as a Content-Security-Policy names them."""
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}"


DEMO = env.bool("PORTAL_DEMO", default=False)
DEBUG = env.bool("DEBUG", default=False)
SECRET_KEY = required("SECRET_KEY")
# Second factors are sealed with a key made from SECRET_KEY; a key that was replaced still opens them from here.
SECRET_KEY_FALLBACKS: list[str] = env.list("SECRET_KEY_FALLBACKS", default=[])
ALLOWED_HOSTS: list[str] = env.list("ALLOWED_HOSTS", default=[])
CSRF_TRUSTED_ORIGINS: list[str] = env.list("CSRF_TRUSTED_ORIGINS", default=[])

INSTALLED_APPS = [
    # Without autodiscovery: portal.admin_site says what is shown, and other apps' own admin pages are not.
    "django.contrib.admin.apps.SimpleAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "allauth.socialaccount.providers.github",
    "csp",
    "django_htmx",
    "portal",
    "records",
    "approvals",
    "rollbacks",
    "recoveries",
    "notices",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "portal.sessions.SessionLimitsMiddleware",
    "portal.sessions.SecondFactorMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "portal.middleware.ResponsePolicyMiddleware",
]

ROOT_URLCONF = "portal.urls"
ASGI_APPLICATION = "portal.asgi.application"
TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "builtins": ["django.templatetags.i18n", "portal.templatetags.portal"],
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "portal.context.portal",
            ],
        },
    }
]


def database(url_variable: str) -> dict[str, Any]:
    """Return Django's settings for the PostgreSQL at the variable's URL, with a pool of connections.

    Transactions of the portal are short, and one that stands still holds locks that everybody needs (the trail's among
    them): the server ends it after DATABASE_IDLE_SECONDS, and who waits for its locks waits a little longer than that.
    """
    required(url_variable)
    settings: dict[str, Any] = env.db_url(url_variable)
    # A unix socket directory arrives as ?host=/dir; Django wants it as HOST.
    options = settings.setdefault("OPTIONS", {})
    settings["HOST"] = options.pop("host", settings.get("HOST", ""))
    settings["CONN_MAX_AGE"] = 0
    idle = env.float("DATABASE_IDLE_SECONDS", default=20.0)
    if idle:
        limits = {"idle_in_transaction_session_timeout": idle, "lock_timeout": idle + 5}
        set_at_start = " ".join(f"-c {name}={seconds * 1000:.0f}" for name, seconds in limits.items())
        options["options"] = f"{set_at_start} {options.get('options', '')}".strip()
    # A server that vanished without a word is noticed within a minute, and not after two hours.
    options.update(keepalives_idle=30, keepalives_interval=10, keepalives_count=3, tcp_user_timeout=60_000)
    size = env.int("DATABASE_POOL_SIZE", default=8)
    if size:
        options["pool"] = {"min_size": 0, "max_size": size, "timeout": 10}
    return settings


DATABASES = {"default": database("DATABASE_URL")}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Who has to sign what; without a file of the operator's own it is the runbook.
POLICY_FILE = env.str("POLICY_FILE", default=str(BASE_DIR / "approvals" / "runbook.toml"))

# Sign-in: allauth, by user name; no open sign-up. Limits of attempts are allauth's own, in the shared cache.
AUTHENTICATION_BACKENDS = ["portal.accounts.Backend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
ACCOUNT_ADAPTER = "portal.accounts.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "email*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_REAUTHENTICATION_TIMEOUT = 300
# No box to tick: a session ends after eight hours and with the browser.
ACCOUNT_SESSION_REMEMBER = False
# Of a limit per address the address counts that the proxy in front saw, never one that a client wrote.
ALLAUTH_TRUSTED_PROXY_COUNT = env.int("TRUSTED_PROXY_COUNT", default=int(env.bool("BEHIND_TLS_PROXY", default=False)))
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
# The demo keeps its mail in a folder, which its page “Sent mail” shows; the URL's path is what follows the third slash.
DEMO_MAIL = Path(env.str("PORTAL_STATE", default=str(BASE_DIR / "var" / "embedded"))).absolute() / "mail"
EMAIL_CONFIG: dict[str, Any] = env.email_url(
    "EMAIL_URL", default=f"filemail:///{DEMO_MAIL}" if DEMO else "consolemail://"
)
vars().update(EMAIL_CONFIG)
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="rollback-portal@localhost")

# MFA: second factors (portal.factors says how they are kept, portal.sessions who has to have one).
MFA_ADAPTER = "portal.factors.FactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_WEBAUTHN_USER_VERIFICATION = "required"
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_ISSUER = "Rollback portal"
# A code is good for its own 30 seconds: allauth remembers used codes just as long, so no step beside it is safe.
MFA_TOTP_TOLERANCE = 0
MFA_RECOVERY_CODES_SHOW_ONCE = True
# Addresses come from an administrator or an identity provider; there is no page on which one could be verified.
MFA_ALLOW_UNVERIFIED_EMAIL = True

# Single sign-on (portal.sso): off unless its client is configured.
SOCIALACCOUNT_ADAPTER = "portal.sso.SingleSignOnAdapter"
SOCIALACCOUNT_STORE_TOKENS = False
SOCIALACCOUNT_EMAIL_AUTHENTICATION = False
SOCIALACCOUNT_EMAIL_REQUIRED = False
SOCIALACCOUNT_QUERY_EMAIL = True
OIDC_PROVIDER_ID = "oidc"
OIDC_CLIENT_ID = env.str("OIDC_CLIENT_ID", default="")
OIDC_SERVER_URL = env.str("OIDC_SERVER_URL", default="")
OIDC_GROUPS_CLAIM = env.str("OIDC_GROUPS_CLAIM", default="groups")
try:
    SSO_ROLES: dict[str, list[str]] = json.loads(env.str("SSO_ROLES", default="") or "{}")
except ValueError as error:
    raise ImproperlyConfigured(f"SSO_ROLES is not JSON ({error}); docs/deployment.md shows its shape.") from error
GITHUB_CLIENT_ID = env.str("GITHUB_CLIENT_ID", default="")
GITHUB_URL = env.str("GITHUB_URL", default="https://github.com")
SOCIALACCOUNT_PROVIDERS: dict[str, Any] = {}
if OIDC_CLIENT_ID:
    SOCIALACCOUNT_PROVIDERS["openid_connect"] = {
        "OAUTH_PKCE_ENABLED": True,
        "SCOPE": env.list("OIDC_SCOPES", default=["openid", "profile", "email"]),
        "APPS": [
            {
                "provider_id": OIDC_PROVIDER_ID,
                "name": env.str("OIDC_NAME", default="single sign-on"),
                "client_id": OIDC_CLIENT_ID,
                "secret": env.str("OIDC_CLIENT_SECRET", default=""),
                "settings": {"server_url": required("OIDC_SERVER_URL")},
            }
        ],
    }
if GITHUB_CLIENT_ID:
    SOCIALACCOUNT_PROVIDERS["github"] = {
        "GITHUB_URL": GITHUB_URL,
        "APPS": [
            {"name": "GitHub", "client_id": GITHUB_CLIENT_ID, "secret": env.str("GITHUB_CLIENT_SECRET", default="")}
        ],
    }
# Browsers hold form-action against every redirect that follows a form, and signing in by SSO is one.
SSO_ORIGINS = [
    *([origin_of(OIDC_SERVER_URL)] if OIDC_CLIENT_ID else []),
    *([origin_of(GITHUB_URL)] if GITHUB_CLIENT_ID else []),
    *env.list("SSO_ORIGINS", default=[]),
]

# Sessions and transport. HTTPS is assumed unless the operator says that the portal is served on loopback only.
# Eight hours from the sign-in, whatever happens, and a quarter of an hour without a click (portal.sessions).
SESSION_COOKIE_AGE = 8 * 3600
SESSION_IDLE_SECONDS = 15 * 60
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
INSECURE_LOOPBACK = env.bool("INSECURE_LOOPBACK", default=DEMO)
SESSION_COOKIE_SECURE = not INSECURE_LOOPBACK
CSRF_COOKIE_SECURE = not INSECURE_LOOPBACK
SESSION_COOKIE_NAME = "sessionid" if INSECURE_LOOPBACK else "__Host-sessionid"
CSRF_COOKIE_NAME = "csrftoken" if INSECURE_LOOPBACK else "__Host-csrftoken"
SECURE_SSL_REDIRECT = not INSECURE_LOOPBACK
SECURE_REDIRECT_EXEMPT = [r"^livez$", r"^readyz$"]
SECURE_HSTS_SECONDS = 0 if INSECURE_LOOPBACK else 365 * 24 * 3600
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
SECURE_HSTS_PRELOAD = True
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if env.bool("BEHIND_TLS_PROXY", default=False) else None
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF, NONCE],
        "style-src": [SELF, NONCE],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF, *SSO_ORIGINS],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
        "object-src": [NONE],
    }
}

LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = "UTC"
USE_TZ = True

STATIC_URL = "static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
# The demo and the tests serve straight from static/, without a collectstatic step.
WHITENOISE_USE_FINDERS = DEMO or DEBUG
STATIC_ROOT = None if WHITENOISE_USE_FINDERS else BASE_DIR / "var" / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedStaticFilesStorage"},
}
# Evidence files live in the database; nothing is ever written to a media folder.
DATA_UPLOAD_MAX_MEMORY_SIZE = 4 * 1024 * 1024
FILE_UPLOAD_MAX_MEMORY_SIZE = 4 * 1024 * 1024

REDIS_URL = required("REDIS_URL")
CACHES = {
    "default": {
        # Rate limits must be shared by all web processes, so never the in-memory cache.
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL.replace("redis+socket://", "unix://").replace("?virtual_host=", "?db="),
        "KEY_PREFIX": "portal",
    }
}

# The broker only rings: the truth about an execution is its row (design: "Redis only rings").
SWEEP_SECONDS = env.float("SWEEP_SECONDS", default=30.0)
INVENTORY_SECONDS = env.float("INVENTORY_SECONDS", default=300.0)
CELERY_BROKER_URL = REDIS_URL
CELERY_RESULT_BACKEND = None
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_ACKS_LATE = False
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 6 * 3600,
    "unacked_restore_interval": 5,
    "unacked_restore_throttle": 1,
    # A request must not hang because the broker does: ringing is best effort and the sweep repeats it.
    "socket_connect_timeout": 3,
    "socket_timeout": 30,
}
CELERY_BROKER_CONNECTION_TIMEOUT = 3
CELERY_TASK_PUBLISH_RETRY = False
CELERY_TASK_DEFAULT_QUEUE = env.str("CELERY_QUEUE", default="rollbacks")
# target=queue, comma-separated: these are worked on by a worker that was started with --queues of that name, and by no other.
TARGET_QUEUES: dict[str, str] = env.dict("TARGET_QUEUES", default={})
CELERY_BEAT_SCHEDULE = {
    "sweep": {"task": "rollbacks.tasks.sweep", "schedule": SWEEP_SECONDS},
    "sweep-scratch": {"task": "rollbacks.tasks.sweep_scratch", "schedule": 3600.0},
    "sweep-backups": {"task": "rollbacks.tasks.sweep_backups", "schedule": 3600.0},
    "read-inventories": {"task": "rollbacks.tasks.read_inventories", "schedule": INVENTORY_SECONDS},
}

# Each token, and each person with a session, may ask the API this often; counted in the shared cache.
API_REQUESTS_PER_MINUTE = env.int("API_REQUESTS_PER_MINUTE", default=300)
# Notices. Seconds, unless the name says otherwise. NOTIFY_URLS is read by the worker alone (notices.channels.addresses).
NOTICE_SECONDS = env.float("NOTICE_SECONDS", default=5.0)
NOTICE_ATTEMPTS = env.int("NOTICE_ATTEMPTS", default=8)
NOTICE_RETRY_SECONDS = env.float("NOTICE_RETRY_SECONDS", default=30.0)
NOTICE_LEASE_SECONDS = env.float("NOTICE_LEASE_SECONDS", default=60.0)
NOTICE_DAILY_HOUR = env.int("NOTICE_DAILY_HOUR", default=7)
# What links in e-mails begin with: the portal's address as people type it.
PORTAL_URL: str = env.str("PORTAL_URL", default=(*CSRF_TRUSTED_ORIGINS, "http://127.0.0.1:8000")[0])
EMAIL_TIMEOUT = 5
# A message that waited longer than the next one is of no use.
CELERY_BEAT_SCHEDULE["recoveries"] = {"task": "recoveries.tasks.sweep", "schedule": SWEEP_SECONDS}
CELERY_BEAT_SCHEDULE["notices"] = {
    "task": "notices.tasks.work", "schedule": NOTICE_SECONDS, "options": {"expires": NOTICE_SECONDS},
}  # fmt: skip

# Engine. Seconds, unless the name says otherwise.
LEASE_SECONDS = env.float("LEASE_SECONDS", default=60.0)
HEARTBEAT_SECONDS = env.float("HEARTBEAT_SECONDS", default=LEASE_SECONDS / 4)
RETRY_SECONDS = env.float("RETRY_SECONDS", default=2.0)
STEP_ATTEMPTS = env.int("STEP_ATTEMPTS", default=6)
LOCK_TIMEOUT_MS = env.int("LOCK_TIMEOUT_MS", default=5_000)
STATEMENT_TIMEOUT_MS = env.int("STATEMENT_TIMEOUT_MS", default=600_000)
# How long backups are kept, and how long a file that belongs to none may lie in the store. A dump takes 6 hours at most.
BACKUP_DAYS = env.int("BACKUP_DAYS", default=90)
BACKUP_STRAY_HOURS = max(12, env.int("BACKUP_STRAY_HOURS", default=72))

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", default="INFO")},
    "loggers": {
        "httpx": {"level": "WARNING"},
        "celery.beat": {"level": "WARNING"},
        "fido2": {"level": "WARNING"},
        "azure": {"level": "WARNING"},
    },
}
