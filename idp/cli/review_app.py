# SPDX-License-Identifier: Apache-2.0
"""``idp review``: the Label Studio in which people look at doubtful documents."""

from __future__ import annotations

from typing import Annotated

import typer

from idp.cli.border import guarded

_EPILOG = """[bold]Our own Label Studio[/] is started and set up by [bold]idp run[/] where
review.label_studio is own; docs/review.md tells the rest.

  scripts/review          its environment: about 1 GB, once
  idp review setup        projects, screens, views, page images, webhook
  idp review status       does it answer, and what waits in it?
  idp review sync         send and fetch now, not in a few seconds
  idp review figures      how long it takes, and how often two people agree
"""

review_app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    epilog=_EPILOG,
    help="Review in Label Studio: set its projects up, see how it is.",
)

Json = Annotated[bool, typer.Option("--json", help="JSON for scripts instead of tables.")]


@review_app.command("setup")
@guarded
def setup(*, json: Json = False) -> None:
    """Bring Label Studio's projects to what the document schemas say.

    One project for each document type: its screen, its views (nearest deadline first, least sure
    first), the folder of page images, the webhook. Only what differs is changed, so that it can be
    called again at any time; answers that are there are kept. Our own Label Studio is started for
    it where it does not run. Exit status 5 when Label Studio refused something.

    Example:  idp review setup
    """
    from idp.cli.review import set_up  # noqa: PLC0415

    set_up(as_json=json)


@review_app.command("status")
@guarded
def status(*, json: Json = False) -> None:
    """Does Label Studio answer, which release is it, and how many tasks stand in each project?

    Example:  idp review status --json | jq '.projects[] | {key, tasks}'
    """
    from idp.cli.review import show_review  # noqa: PLC0415

    show_review(as_json=json)


@review_app.command("sync")
@guarded
def sync(*, json: Json = False) -> None:
    """Bring Label Studio and our tables in step now: take answers, remove and send tasks.

    [bold]idp run[/] does it all the time; where it runs it is asked to do it at once. Nothing is
    ever sent or taken twice, so that it may be called at any time.

    Example:  idp review sync --json
    """
    from idp.cli.review_sync import sync_now  # noqa: PLC0415

    sync_now(as_json=json)


@review_app.command("figures")
@guarded
def figures(
    *,
    since: Annotated[
        str, typer.Option(help="A date (2026-11-01), a time, or how far back: 30d, 12h.")
    ] = "30d",
    type_: Annotated[
        str | None, typer.Option("--type", help="Documents of this type alone.")
    ] = None,
    person: Annotated[
        str | None, typer.Option(help="One person's, beside everybody's; it goes on the record.")
    ] = None,
    fields: Annotated[bool, typer.Option("--fields", help="By field instead of by type.")] = False,
    json: Json = False,
) -> None:
    """How long reviews take, how much is corrected, how often two people agree.

    Times are medians a document with their 95 % interval. What fewer than review.figures_people
    people stand for is left out, since it would be theirs, and so are the figures of one person
    below review.figures_documents documents. There is no list of people and no ranking: documents
    differ, and docs/review-figures.md says what else these figures do not tell.

    Example:  idp review figures --since 90d --type referral --fields
    """
    from idp.cli.figures import show_figures  # noqa: PLC0415

    show_figures(since=since, type_=type_, person=person, fields=fields, as_json=json)
