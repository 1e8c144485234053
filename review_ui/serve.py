# SPDX-License-Identifier: Apache-2.0
"""Serves Label Studio on loopback until standard input ends; run by ``idp.review.server``.

It runs in the environment that ``scripts/review`` makes, and does what ``label-studio start`` does
(1.23.2: its `server.py`), but for five things: it dies with the program that started it, however
that ends; it never takes another port in silence; the account, password and token of the appliance
are set right at every start, not only at the first; nobody is asked anything; and no answer waits
for the other side to acknowledge its first half.

The first line of standard input is one JSON object: ``port``, ``user``, ``password``, ``token``,
``organisation``. Everything else comes from LABEL_STUDIO_* environment variables.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from pathlib import Path
from typing import Any

_HOST = "127.0.0.1"


def _end_with_parent() -> None:
    """End at once when standard input does. SQLite outlives that: its journal is rolled back."""
    # Not through sys.stdin: a thread that holds its lock would break an ordinary end.
    while os.read(0, 4096):
        pass
    os._exit(0)


def _set_up_account(asked: dict[str, Any]) -> None:
    """Our account exists in one organisation, with this password and this token."""
    from django.db import transaction  # noqa: PLC0415 - after django.setup()
    from organizations.models import Organization  # noqa: PLC0415
    from rest_framework.authtoken.models import Token  # noqa: PLC0415
    from users.models import User  # noqa: PLC0415

    with transaction.atomic():
        user = User.objects.filter(email=asked["user"]).first()
        if user is None:
            user = User.objects.create_user(email=asked["user"], password=asked["password"])
        if not user.check_password(asked["password"]):
            user.set_password(asked["password"])
        user.is_active = user.is_staff = user.is_superuser = True
        organisation = Organization.objects.order_by("id").first()
        if organisation is None:
            organisation = Organization.create_organization(
                created_by=user, title=asked["organisation"], legacy_api_tokens_enabled=True
            )
        else:
            organisation.add_user(user)
        user.active_organization = organisation
        user.save()
        if not organisation.jwt.legacy_api_tokens_enabled:
            organisation.jwt.legacy_api_tokens_enabled = True
            organisation.jwt.save()
        if not Token.objects.filter(user=user, key=asked["token"]).exists():
            Token.objects.filter(user=user).delete()
            Token.objects.create(user=user, key=asked["token"])


def main() -> None:
    """Bring the database up to date, set the account up, serve."""
    asked = json.loads(sys.stdin.buffer.readline())
    threading.Thread(target=_end_with_parent, name="parent", daemon=True).start()

    import label_studio  # noqa: PLC0415 - seconds; the parent is watched meanwhile

    sys.path.insert(0, str(Path(label_studio.__file__).parent))
    os.environ["DJANGO_SETTINGS_MODULE"] = "label_studio.core.settings.label_studio"

    import django  # noqa: PLC0415
    from django.conf import settings  # noqa: PLC0415
    from django.core.management import call_command  # noqa: PLC0415
    from django.core.servers.basehttp import WSGIRequestHandler  # noqa: PLC0415

    django.setup()
    call_command("migrate", "--no-color", interactive=False, verbosity=0)
    _set_up_account(asked)
    settings.INTERNAL_PORT = str(asked["port"])
    # It writes headers and body apart: on a connection that is used again the body would wait 40 ms
    # for the other side's delayed acknowledgement, at each of a dozen answers a screen.
    WSGIRequestHandler.disable_nagle_algorithm = True
    call_command("runserver", "--noreload", f"{_HOST}:{asked['port']}")


if __name__ == "__main__":
    main()
