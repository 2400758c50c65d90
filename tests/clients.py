"""Browsers of people who are signed in, and who have the second factor that their roles need."""

from __future__ import annotations

import time
from typing import Any

from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import generate_totp_secret
from allauth.mfa.utils import encrypt
from allauth.usersessions.models import UserSession
from django.contrib.auth import get_user_model
from django.test import Client

from approvals.factors import must_enrol


def until_a_code_lasts() -> None:
    """Wait for the next 30 seconds where these are nearly over: a code read now would be refused, rightly, when it arrives."""
    while time.time() % 30 > 27:
        time.sleep(0.1)


def client_of(person: Any, **more: Any) -> Client:
    """Return a browser in which the person is signed in; an app is enrolled first where their roles need one."""
    give_factor(person)
    client = Client(**{"headers": {"host": "localhost"}, **more})
    client.force_login(person)
    # As allauth's sign-in does, which this goes around.
    UserSession.objects.create(user=person, session_key=client.session.session_key, ip="127.0.0.1")
    return client


def give_factor(person: Any) -> None:
    """Enrol an app if the person could reach nothing without one; in bulk, so that no fact tells of it."""
    if must_enrol(get_user_model().objects.get(pk=person.pk)):
        # One of their own: two people with one app would count as one.
        secret = {"secret": encrypt(generate_totp_secret())}
        app = Authenticator(user=person, type=Authenticator.Type.TOTP, data=secret)
        Authenticator.objects.bulk_create([app])
