"""The provider's addresses: its own sign-in and what OpenID asks for."""

from __future__ import annotations

from django.urls import include, path

urlpatterns = [path("accounts/", include("allauth.account.urls")), path("", include("allauth.idp.urls"))]
