# SPDX-License-Identifier: Apache-2.0
"""``idp models``: from corrections to better models in force, without stopping the service."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from idp.cli import training_options as options
from idp.cli.border import guarded

_EPILOG = """[bold]The loop[/]
  idp models retrain                            all up to the evaluation, in one go
  idp models dataset corrected/                 what people corrected, as a data set
  idp models train --dataset corrected/         a challenger; nothing in force is touched
  idp models evaluate VERSION --on corrected/locked
  idp models shadow --run VERSION --share 0.2   live, beside the champion, never delivered
  idp models promote VERSION                    refused when it does worse
  idp models rollback                           what was in force before

A VERSION may be cut to four or more characters of its hash; `champion` is the one in force.
"""

models_app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    epilog=_EPILOG,
    help="Field models: data sets of corrections, training, the gate, promotion, rollback, drift.",
)

Json = Annotated[bool, typer.Option("--json", help="JSON for scripts instead of tables.")]
Version = Annotated[
    str, typer.Argument(metavar="VERSION", help="As `idp models list` names it, or a part.")
]


@models_app.command("list")
@guarded
def list_(*, json: Json = False) -> None:
    """Every version there is, and which one is in force."""
    from idp.cli.models import list_models  # noqa: PLC0415

    list_models(as_json=json)


@models_app.command()
@guarded
def show(version: Version, *, json: Json = False) -> None:
    """The model card of a version: data, figures with what they were measured on, gaps."""
    from idp.cli.models import show_model  # noqa: PLC0415

    show_model(version, as_json=json)


@models_app.command()
@guarded
def dataset(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="A new folder, or an older data set.")],
    *,
    json: Json = False,
) -> None:
    """Write what people corrected as a data set, split by layout into train and locked.

    The same corrections give the same bytes. The files hold patients' data.
    """
    from idp.cli.models import write_dataset  # noqa: PLC0415

    write_dataset(out, as_json=json)


@models_app.command()
@guarded
def train(
    *,
    dataset: options.Datasets = None,
    labelled: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="DIR", help="Labelled pages: `idp forms teach` leaves teaching/taught/labelled."
        ),
    ] = None,
    tagger: options.Tagger = options.TaggerChoice.CRF,
    repeat: options.Repeat = 4,
    documents: options.Documents = 1800,
    families: options.Families = 360,
    iterations: options.Iterations = 45,
    shown: options.Shown = 1500,
    seed: options.Seed = 1,
    note: Annotated[str, typer.Option(help="A line for the model card.")] = "",
    json: Json = False,
) -> None:
    """Train a challenger and register it; the models in force stay in force.

    Needs the training package (it comes with a checkout; `make install-train`). One thread, low
    priority: the service goes on beside it. The CRF is trained anew, the LayoutLM tagger goes on
    from the weights in force; the same data and seed give the same version.

    [bold]Example[/]
      idp models train --dataset corrected/ --tagger both
    """
    from idp.cli.models import train_challenger  # noqa: PLC0415

    crf = {"documents": documents, "families": families, "iterations": iterations}
    wanted = options.wanted(tagger, crf, {"documents": shown}, {"seed": seed, "repeat": repeat})
    train_challenger(dataset or [], labelled or [], wanted, note=note, as_json=json)


@models_app.command()
@guarded
def retrain(
    *,
    status: Annotated[bool, typer.Option("--status", help="Only tell how far it is.")] = False,
    tagger: options.Tagger = options.TaggerChoice.CRF,
    documents: options.Documents = 1800,
    families: options.Families = 360,
    iterations: options.Iterations = 45,
    shown: options.Shown = 1500,
    repeat: options.Repeat = 4,
    by: Annotated[str | None, typer.Option(hidden=True)] = None,
    json: Json = False,
) -> None:
    """Collect what people corrected, train a challenger on it and evaluate it: minutes.

    One at a time, one thread, low priority; killed, it may be given again. Nothing is promoted:
    that is `idp models promote`, and it asks the gate. The button on the status page does the same.

    [bold]Example[/]
      idp models retrain
      idp models retrain --status --json
    """
    from idp.cli.models import retrain_models  # noqa: PLC0415

    crf = {"documents": documents, "families": families, "iterations": iterations}
    wanted = options.wanted(tagger, crf, {"documents": shown}, {"repeat": repeat})
    retrain_models(wanted, by=by, status=status, as_json=json)


@models_app.command()
@guarded
def register(
    folder: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="Holds manifest.json and the weights.")
    ],
    *,
    note: Annotated[str, typer.Option(help="A line for the model card.")] = "",
    json: Json = False,
) -> None:
    """Take a models folder made elsewhere into the registry; nothing changes in force."""
    from idp.cli.models import register_folder  # noqa: PLC0415

    register_folder(folder, note=note, as_json=json)


@models_app.command()
@guarded
def evaluate(
    version: Version,
    *,
    on: Annotated[
        list[Path] | None,
        typer.Option(
            "--on",
            metavar="DIR",
            help="Folder of truths with pages/: the locked share of a data set, or a corpus. "
            "By default the setting learning.locked_set.",
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Compare a version with the one in force, field by field and layout by layout.

    The comparison is kept with the version; `idp models promote` asks for it.
    """
    from idp.cli.models import evaluate_version  # noqa: PLC0415

    evaluate_version(version, on or [], as_json=json)


@models_app.command()
@guarded
def promote(
    version: Version,
    *,
    force: Annotated[
        str | None,
        typer.Option(metavar="REASON", help="Promote although the gate refuses; on the record."),
    ] = None,
    json: Json = False,
) -> None:
    """Put a version in force, unless it does worse than the one that is.

    The running service takes it up with the next document.
    """
    from idp.cli.models import promote_version  # noqa: PLC0415

    promote_version(version, force=force, as_json=json)


@models_app.command()
@guarded
def rollback(
    *,
    reason: Annotated[str | None, typer.Option(help="Why, for the record.")] = None,
    json: Json = False,
) -> None:
    """Put in force what was before the last promotion; at last the shipped models."""
    from idp.cli.models import roll_back  # noqa: PLC0415

    roll_back(reason=reason, as_json=json)


@models_app.command()
@guarded
def shadow(
    *,
    run: Annotated[
        str | None,
        typer.Option(metavar="VERSION", help="Let it run beside the one in force from now on."),
    ] = None,
    share: Annotated[
        float, typer.Option(min=0.0, max=1.0, help="Share of the documents that it sees.")
    ] = 0.1,
    end: Annotated[bool, typer.Option("--end", help="No version runs in the shadow.")] = False,
    json: Json = False,
) -> None:
    """How a challenger does on live traffic: where it agrees, and who was right. No values."""
    from idp.cli.models import shadow_report  # noqa: PLC0415

    shadow_report(run=run, share=share, end=end, as_json=json)


@models_app.command()
@guarded
def drift(
    *,
    weeks: Annotated[int, typer.Option(min=1, max=104, help="How many weeks back.")] = 4,
    json: Json = False,
) -> None:
    """Are the documents still like those of the weeks before? Per week and document type."""
    from idp.cli.models import drift_report  # noqa: PLC0415

    drift_report(weeks=weeks, as_json=json)
