# SPDX-License-Identifier: Apache-2.0
"""The verbs, their options and their help."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from idp.cli import training_options as options
from idp.cli.border import guarded
from idp.cli.decisions_app import decisions_app, quality
from idp.cli.deliver_app import deliver_app
from idp.cli.letter_app import letter
from idp.cli.masters_app import masters_app
from idp.cli.models_app import models_app
from idp.cli.reference_app import reference_app
from idp.cli.review_app import review_app
from idp.cli.rules_app import rules_app
from idp.cli.users_app import users_app
from idp.errors import ExitCode

_EPILOG = """[bold]Begin here[/]
  idp samples /tmp/faxes          sample faxes about people who do not exist
  idp process /tmp/faxes/*        what is on them, as tables
  idp process --json FILE...      the same for scripts, one object per document
  idp run                         drop folders in, outbox out, a status page
  idp doctor                      is everything installed and working?

[bold]Settings[/] come from idp.toml in the current folder, then IDP_* variables
(IDP_DATA names the data folder); [bold]idp settings[/] shows them.
[bold]Exit codes[/]: 0 done, 1 fault in idp, 2 wrong call, 3 something is missing,
4 wrong settings, 5 no access, 6 not found, 7 broken installation,
8 already running, 130 Ctrl-C. A bad file is no error: it is quarantined.
"""

_WORK, _LOOK, _CARE = "Work", "Look", "Look after"

app = typer.Typer(
    name="idp",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=_EPILOG,
    add_completion=False,
    help="Document-intelligence appliance for healthcare administration: faxes, scans and PDFs "
    "become typed, checked fields with evidence.",
)
quarantine_app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    help="What could not be processed: list it, and release it to review.",
)
app.add_typer(quarantine_app, name="quarantine", rich_help_panel=_LOOK)
app.add_typer(deliver_app, name="deliver", rich_help_panel=_LOOK)
app.add_typer(models_app, name="models", rich_help_panel=_CARE)
app.add_typer(decisions_app, name="decisions", rich_help_panel=_LOOK)
app.command(rich_help_panel=_LOOK)(quality)
app.add_typer(masters_app, name="masters", rich_help_panel=_CARE)
app.add_typer(rules_app, name="rules", rich_help_panel=_CARE)
app.add_typer(review_app, name="review", rich_help_panel=_CARE)
app.command("letter", rich_help_panel=_WORK)(letter)
app.add_typer(reference_app, name="reference", rich_help_panel=_CARE)
app.add_typer(users_app, name="users", rich_help_panel=_CARE)

forms_app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    help="Blank forms that are known: a filled copy is recognised by its print and read at its "
    "known places.",
)
app.add_typer(forms_app, name="forms", rich_help_panel=_CARE)

Files = Annotated[list[Path], typer.Argument(metavar="FILE", help="TIFF, PDF, PNG or JPEG.")]
Json = Annotated[bool, typer.Option("--json", help="JSON for scripts instead of tables.")]
Layers = Annotated[
    str | None,
    typer.Option(
        metavar="NAMES",
        help="What --overlay draws, by commas: blocks, rules, marks, words, fields; default all.",
    ),
]
Id = Annotated[
    str, typer.Argument(metavar="ID", help="Document id, or its last 6 or more characters.")
]


def _version(wanted: bool) -> None:  # noqa: FBT001 - typer's callback shape
    if wanted:
        from idp import __version__  # noqa: PLC0415

        typer.echo(f"idp {__version__}")
        raise typer.Exit


@app.callback()
def _base(
    *,
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Print the version."),
    ] = False,
) -> None:
    """Options before the verb."""
    # One thread per process: several documents at a time beat several threads on one page.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    del version


@app.command(rich_help_panel=_WORK)
@guarded
def process(
    files: Files,
    *,
    json: Json = False,
    channel: Annotated[
        str, typer.Option(help="Drop folder that the files are taken to have come from.")
    ] = "cli",
    letter: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="Draft a letter for each document that lacks something: DIR/*.pdf."
        ),
    ] = None,
) -> None:
    """Turn files into checked fields, without a server and without keeping anything.

    A file that can't be read gives one document with decision [bold]quarantine[/], an error code
    and a hint; the exit status is still 0.

    Example:  idp process --json fax.tif | jq '.fields[] | {name, value}'
    """
    from idp.cli.one_shot import process_files  # noqa: PLC0415

    process_files(files, channel=channel, as_json=json, letters=letter)


@app.command(rich_help_panel=_WORK)
@guarded
def read(
    files: Files,
    *,
    json: Json = False,
    overlay: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Draw what was seen on each page: DIR/FILE-pN.png."),
    ] = None,
    layout: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Write each page for layoutparser: DIR/FILE-pN.json, for lp.load_json.",
        ),
    ] = None,
    layers: Layers = None,
) -> None:
    """Only the eyes: words, check marks and blocks of each page, with boxes.

    With --json one object per page; without it the text.

    Example:  idp read fax.tif
    Example:  idp read --overlay pictures fax.tif     # look at pictures/fax.tif-p1.png
    """
    from idp.cli.one_shot import read_files  # noqa: PLC0415
    from idp.cli.pictures import layers_of  # noqa: PLC0415

    read_files(files, as_json=json, overlay=overlay, layout=layout, layers=layers_of(layers))


@app.command(rich_help_panel=_WORK)
@guarded
def run() -> None:
    """The appliance: watches the drop folders, works, delivers, shows a status page.

    Ctrl-C stops it; the next start goes on where it was, also after a crash.
    """
    from idp.cli.house import run_appliance  # noqa: PLC0415

    run_appliance()


@app.command(rich_help_panel=_LOOK)
@guarded
def status(
    *,
    json: Json = False,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="Most documents to list.")] = 15,
) -> None:
    """How many documents stand where, and the last ones."""
    from idp.cli.house import show_status  # noqa: PLC0415

    show_status(limit=limit, as_json=json)


@app.command(rich_help_panel=_LOOK)
@guarded
def show(
    document: Id,
    *,
    json: Json = False,
    overlay: Annotated[
        Path | None,
        typer.Option(
            metavar="PATH",
            help="Draw the pages: a folder (a PNG per page), a .png (all in one), or a .pdf "
            "(outlined fields and a legend).",
        ),
    ] = None,
    layers: Layers = None,
) -> None:
    """Everything about one document: fields, findings, reasons, what happened to it.

    Example:  idp show 7f3a91c2 --overlay pictures --layers fields,marks
    """
    from idp.cli.house import show_document  # noqa: PLC0415
    from idp.cli.pictures import layers_of  # noqa: PLC0415

    show_document(document, as_json=json, overlay=overlay, layers=layers_of(layers))


@app.command(rich_help_panel=_WORK)
@guarded
def requeue(document: Id) -> None:
    """Process a document's file again, from review or quarantine."""
    from idp.cli.house import requeue_document  # noqa: PLC0415

    requeue_document(document)


@quarantine_app.command("list")
@guarded
def quarantine_list(
    *,
    json: Json = False,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="Most documents to list.")] = 100,
) -> None:
    """What lies in quarantine, why, and what mends it."""
    from idp.cli.house import list_quarantine  # noqa: PLC0415

    list_quarantine(limit=limit, as_json=json)


@quarantine_app.command("release")
@guarded
def quarantine_release(document: Id) -> None:
    """Let a document go on to review as it was read; one never read is tried again."""
    from idp.cli.house import release_document  # noqa: PLC0415

    release_document(document)


FormName = Annotated[str, typer.Argument(metavar="NAME", help="As `idp forms list` shows it.")]


@forms_app.command("add")
@guarded
def forms_add(
    file: Annotated[Path, typer.Argument(metavar="FILE.pdf", help="A fillable blank PDF.")],
    *,
    type: Annotated[
        str | None,
        typer.Option(metavar="TYPE", help="Document type of filled copies; default: by its print."),
    ] = None,
    name: Annotated[
        str | None, typer.Option(metavar="NAME", help="What to call it; default: after the file.")
    ] = None,
    json: Json = False,
) -> None:
    """Register a blank form; the same file again changes nothing.

    What each place asks for is guessed from the file's field names and tooltips and the print
    beside them, and kept in a fields.yaml that you can correct. A running service takes it up
    with the next document.

    Example:  idp forms add prior-auth-2026.pdf --type prior_auth_request
    """
    from idp.cli.forms import add_form  # noqa: PLC0415

    add_form(file, type=type, name=name, as_json=json)


@forms_app.command("list")
@guarded
def forms_list(*, json: Json = False) -> None:
    """The registered forms."""
    from idp.cli.forms import list_forms  # noqa: PLC0415

    list_forms(as_json=json)


@forms_app.command("show")
@guarded
def forms_show(
    name: FormName,
    *,
    json: Json = False,
    overlay: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Draw the places on the pages: DIR/NAME-pN.png."),
    ] = None,
) -> None:
    """What each place of a form asks for, and where to correct it."""
    from idp.cli.forms import show_form  # noqa: PLC0415

    show_form(name, as_json=json, overlay=overlay)


@forms_app.command("remove")
@guarded
def forms_remove(name: FormName) -> None:
    """Forget a form; documents read with it stay as they are."""
    from idp.cli.forms import remove_form  # noqa: PLC0415

    remove_form(name)


@forms_app.command("learn")
@guarded
def forms_learn(*, json: Json = False) -> None:
    """Learn the places of a layout from what reviewers corrected, without any training.

    Three corrected copies of one layout are a beginning, twenty tell well. The next copy is
    recognised by its print and read at these places; `idp forms list` shows what was learnt and
    `idp forms remove NAME` forgets it. Give the command again when more was corrected.
    """
    from idp.cli.forms import learn_forms  # noqa: PLC0415

    learn_forms(as_json=json)


@forms_app.command("teach")
@guarded
def forms_teach(
    *,
    copies: Annotated[int, typer.Option(min=1, max=100, help="How often each is filled.")] = 3,
    limit: Annotated[int, typer.Option(min=0, help="Most forms; 0 is all.")] = 0,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Labelled pages; default <data>/teaching.")
    ] = None,
    dataset: options.Datasets = None,
    tagger: options.Tagger = options.TaggerChoice.CRF,
    shown: options.Shown = 1500,
    documents: options.Documents = 1800,
    families: options.Families = 360,
    iterations: options.Iterations = 45,
    seed: options.Seed = 1,
    json: Json = False,
) -> None:
    """Train a challenger on the registered forms: filled by program, faxed, read, labelled.

    It is registered and compared with what is in force on other fillings of the same forms;
    `idp models` shows, evaluates and promotes it like any other. Needs the training package of a
    source checkout. Reading costs seconds a page; what was read before is not read again.

    Example:  idp forms teach --copies 5 --dataset corrected/
    """
    from idp.cli.forms import teach  # noqa: PLC0415

    crf = {"documents": documents, "families": families, "iterations": iterations}
    wanted = options.wanted(tagger, crf, {"documents": shown}, {"seed": seed})
    teach(wanted, dataset or [], copies=copies, out=out, limit=limit, as_json=json)


@app.command(rich_help_panel=_CARE)
@guarded
def doctor(*, json: Json = False) -> None:
    """Is everything there and working? One line per dependency."""
    from idp.cli.doctor import examine  # noqa: PLC0415

    examine(as_json=json)


@app.command(rich_help_panel=_CARE)
@guarded
def schema() -> None:
    """The JSON Schema of what --json prints and the outbox holds."""
    from idp.cli.border import print_json  # noqa: PLC0415
    from idp.contract import json_schema  # noqa: PLC0415

    print_json(json_schema())


@app.command(rich_help_panel=_CARE)
@guarded
def settings(*, json: Json = False) -> None:
    """The settings in force."""
    from idp.cli.house import show_settings  # noqa: PLC0415

    show_settings(as_json=json)


@app.command(rich_help_panel=_CARE)
@guarded
def samples(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Made when it is not there.")],
    *,
    seed: Annotated[int, typer.Option(help="Another seed: other people, other numbers.")] = 7,
) -> None:
    """Write sample faxes and letters about people who do not exist."""
    from idp.cli.one_shot import write_samples  # noqa: PLC0415

    write_samples(folder, seed=seed)


@app.command(rich_help_panel=_CARE)
@guarded
def separators(
    file: Annotated[Path, typer.Argument(metavar="OUT.pdf", help="Written anew.")],
    *,
    a4: Annotated[bool, typer.Option("--a4", help="A4 paper instead of US letter.")] = False,
) -> None:
    """Write separator sheets to print and lay between documents that are scanned together.

    Page 1 is the PATCH-T sheet that scanners know, page 2 one with a QR code for rough faxes.

    Example:  idp separators separators.pdf
    """
    from idp.cli.one_shot import write_separators  # noqa: PLC0415

    write_separators(file, a4=a4)


def main() -> None:
    """Entry point of the ``idp`` command."""
    try:
        app()
    except KeyboardInterrupt:
        sys.exit(ExitCode.INTERRUPTED)
