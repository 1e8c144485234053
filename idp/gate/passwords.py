# SPDX-License-Identifier: Apache-2.0
"""Passwords: what is accepted as one, and how it is kept.

Argon2id by the ``argon2-cffi`` library with its defaults (RFC 9106, the second recommended
parameters: 64 MiB, 3 passes, 4 lanes). Rules follow NIST SP 800-63B: a length, no composition, no
forced change, nothing that is easily guessed from the name.
"""

from __future__ import annotations

import threading

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from idp.errors import SettingsError

MOST_CHARACTERS = 256
_FEWEST_DIFFERENT = 5
_AT_A_TIME = 2

_hasher = PasswordHasher()
# Each verification takes 64 MiB: a burst of guesses waits instead of filling the memory.
_turn = threading.BoundedSemaphore(_AT_A_TIME)
_DUMMY = _hasher.hash("nobody has this password")


def hashed(password: str, *, name: str, fewest: int) -> str:
    """The password as it is kept, if it may be one.

    Args:
        password: As typed.
        name: Whose it is; it may not be in the password.
        fewest: Characters that it needs at least.

    Raises:
        SettingsError: It is too short, too long, or too easily guessed. Its text is not quoted.
    """
    if not fewest <= len(password) <= MOST_CHARACTERS:
        raise SettingsError(
            f"a password has {fewest} to {MOST_CHARACTERS} characters",
            hint="Several words that do not belong together are easy to keep in mind.",
        )
    plain = password.casefold()
    if name.casefold() in plain or len(set(plain)) < _FEWEST_DIFFERENT:
        raise SettingsError(
            "the password is too easily guessed: it holds the name, or the same few characters",
            hint="Several words that do not belong together are easy to keep in mind.",
        )
    with _turn:
        return _hasher.hash(password)


def fits(password: str, kept: str | None) -> bool:
    """Whether a password is the one that was kept; as slow for ``None`` as for any other."""
    if len(password) > MOST_CHARACTERS:
        return False
    with _turn:
        try:
            return _hasher.verify(kept or _DUMMY, password) and kept is not None
        except (Argon2Error, InvalidHashError):
            return False


def is_dated(kept: str) -> bool:
    """Whether it was hashed with other parameters than today's."""
    return _hasher.check_needs_rehash(kept)
