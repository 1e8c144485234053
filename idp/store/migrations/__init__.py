# SPDX-License-Identifier: Apache-2.0
"""Alembic migrations of our tables, run by :func:`idp.store.database.migrate`."""
