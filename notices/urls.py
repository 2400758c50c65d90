"""The addresses of the notices' pages."""

from __future__ import annotations

from django.urls import path

from notices import views

notice_patterns = [
    path("notices/", views.outbox, name="notices"),
    path("notices/<int:pk>/again/", views.again, name="notice-again"),
    path("notices/preferences/", views.preferences, name="notice-preferences"),
    path("notices/sent/", views.sent_mail, name="notice-sent-mail"),
    path("requests/<int:pk>/notify-on-call/", views.notify_on_call, name="request-notify"),
]
