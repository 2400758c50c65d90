"""The provider's process: makes its database, people and client, says that it is ready, serves until it is ended."""

from __future__ import annotations

import json
import os
import sys
from wsgiref.simple_server import make_server

import django


def main() -> None:
    django.setup()
    from allauth.account.models import EmailAddress
    from allauth.idp.oidc.models import Client
    from django.contrib.auth import get_user_model
    from django.core.management import call_command
    from django.core.wsgi import get_wsgi_application

    call_command("migrate", verbosity=0)
    for person in json.loads(os.environ["PROVIDER_PEOPLE"]):
        user = get_user_model().objects.create_user(person["username"], person["email"], "provider")
        EmailAddress.objects.create(user=user, email=person["email"], verified=True, primary=True)
    client = Client(id="portal", name="Portal", scopes="openid\nprofile\nemail", skip_consent=True)
    client.redirect_uris = os.environ["PROVIDER_CALLBACK"]
    client.set_secret("secret of the portal")
    client.save()
    server = make_server("127.0.0.1", int(sys.argv[1]), get_wsgi_application())
    print("ready", flush=True)
    server.serve_forever()


main()
