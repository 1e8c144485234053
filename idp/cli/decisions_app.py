# SPDX-License-Identifier: Apache-2.0
"""``idp decisions`` and ``idp quality``: what was decided, by what, and how often it is wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from idp.cli.border import guarded

decisions_app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    help="What was decided and by which rules; decide stored documents again under other ones.",
)

Json = Annotated[bool, typer.Option("--json", help="JSON for scripts instead of tables.")]
Since = Annotated[
    str | None,
    typer.Option(
        metavar="WHEN", help="Only what arrived since: 2026-11-01, 2026-11-01T08:00, or 30d, 12h."
    ),
]


@decisions_app.command("show")
@guarded
def show(
    document: Annotated[
        str, typer.Argument(metavar="ID", help="Document id, or its last 6 or more characters.")
    ],
    *,
    json: Json = False,
) -> None:
    """Every decision on a document: when, by whom, by which rules and models, what differed.

    Rule numbers and codes only; the reasons in words are in `idp show ID`.

    Example:  idp decisions show 7f3a91c2
    """
    from idp.cli.decisions import show_decisions  # noqa: PLC0415

    show_decisions(document, as_json=json)


@decisions_app.command("replay")
@guarded
def replay(
    *,
    since: Since = None,
    limit: Annotated[
        int | None, typer.Option(min=1, help="At most so many, the latest; by default all.")
    ] = None,
    type: Annotated[
        str | None, typer.Option(metavar="TYPE", help="Only this document type or subtype.")
    ] = None,
    with_: Annotated[
        Path | None,
        typer.Option(
            "--with", metavar="FILE.toml", help="Judge by these settings over those in force."
        ),
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="NAME=VALUE", help="One setting; may be given more than once."
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Decide stored documents again and say what would differ. Nothing is written.

    Without changed settings it proves that the record can be repeated, or shows what a change of
    rules, schemas, payer requirements, lists or settings since then does. The report names
    documents, rules and codes, never a value.

    Example:  idp decisions replay --since 30d
    Example:  idp decisions replay --set decision.type_threshold=.9
    Example:  idp decisions replay --set 'decision.types.referral="never"' --json
    """
    from idp.cli.decisions import replay_decisions  # noqa: PLC0415

    replay_decisions(
        since=since, limit=limit, type=type, file=with_, changes=set_ or [], as_json=json
    )


@guarded
def quality(*, since: Since = None, json: Json = False) -> None:
    """How often what leaves by itself is wrong, measured on the sample that people check.

    A share of what would leave by itself (decision.quality_sample) is checked by a person first.
    Nobody can tell which; what is found wrong in it stands for what left unseen.

    Example:  idp quality --since 90d
    """
    from idp.cli.decisions import show_quality  # noqa: PLC0415

    show_quality(since=since, as_json=json)
