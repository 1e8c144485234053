# SPDX-License-Identifier: Apache-2.0
"""Verbs about registered blank forms: add, list, show, remove, teach."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.table import Table
from rich.text import Text

from idp.cli.border import messages, print_json, tables
from idp.cli.house import actor
from idp.cli.models import Teller, evaluate_version, open_registry
from idp.errors import AccessError, NotFoundError
from idp.forms import BlankForm, FormLibrary
from idp.forms.library import BLANK
from idp.schemas import load_schemas
from idp.settings import Settings, load_settings
from idp.training_runs import Wanted, check_installed, filled, trained, training_share


def _library() -> tuple[Settings, FormLibrary]:
    settings = load_settings()
    return settings, FormLibrary(settings.forms_folder, load_schemas(settings.schemas_folder))


def _record(form: BlankForm, library: FormLibrary) -> dict[str, Any]:
    asked = Counter(place.field for place in form.places if place.field)
    return {
        "name": form.name,
        "title": form.title,
        "type": form.type,
        "pages": len(form.pages),
        "places": len(form.places),
        "fields": dict(sorted(asked.items())),
        "folder": str(library.path(form.name).absolute()),
        "sha256": form.sha256,
    }


def add_form(path: Path, *, type: str | None, name: str | None, as_json: bool) -> None:
    """Register a blank form and say what was understood of it."""
    if not path.is_file():
        raise NotFoundError(f"{path} is not there", hint="Give the path of a fillable PDF.")
    try:
        path.open("rb").close()
    except OSError as error:
        raise AccessError(f"{path}: {error.strerror}") from error
    from idp.registration import register  # noqa: PLC0415 - heavy

    settings, library = _library()
    before = {form.name for form in library.forms}
    schemas = load_schemas(settings.schemas_folder)
    form = register(path, settings, schemas, library, type=type, name=name)
    record = _record(form, library) | {"added": form.name not in before}
    if as_json:
        print_json({"schema": "idp.form/1", **record})
        return
    say = messages()
    what = "registered" if record["added"] else "was registered before"
    say.print(f"{form.name} {what}: {form.type}, {len(form.pages)} pages, "
              f"{len(form.places)} places", markup=False)  # fmt: skip
    _fields(form)
    say.print(f"correct what is wrong in {record['folder']}/fields.yaml", markup=False)


def list_forms(*, as_json: bool) -> None:
    """All registered forms."""
    settings, library = _library()
    records = [_record(form, library) for form in library.forms]
    if as_json:
        print_json({"schema": "idp.forms/1", "forms": records})
        return
    if not records:
        folder = settings.forms_folder
        tables().print(Text(f"none yet in {folder}: idp forms add FILE.pdf", "dim"))
        return
    table = Table("name", "type", "pages", "places", "fields", box=None)
    for record in records:
        known = sum(record["fields"].values())
        table.add_row(
            record["name"],
            record["type"],
            str(record["pages"]),
            str(record["places"]),
            f"{len(record['fields'])} in {known} places",
        )
    tables().print(table)


def show_form(name: str, *, as_json: bool, overlay: Path | None) -> None:
    """What each place of a form asks for; with ``overlay`` also its pages with the places drawn."""
    _, library = _library()
    form = library.get(name)
    if overlay is not None and not (library.path(name) / BLANK).is_file():
        raise NotFoundError(
            f"{name} was learnt from corrected copies: there is no blank to draw on",
            hint="Without --overlay its places are listed.",
        )
    if overlay is not None:
        _draw(form, library.path(name) / BLANK, overlay)
    if as_json:
        places = [place.model_dump(mode="json") for place in form.places]
        print_json({"schema": "idp.form/1", **_record(form, library), "places": places})
        return
    _fields(form)
    messages().print(f"{library.path(name).absolute()}/fields.yaml", markup=False)


def remove_form(name: str) -> None:
    """Forget a form."""
    _, library = _library()
    library.remove(name)
    messages().print(f"{name} removed; documents read with it stay as they are", markup=False)


def learn_forms(*, as_json: bool) -> None:
    """Learn the places of layouts that people corrected, and say what was learnt."""
    from idp.cli.house import open_store  # noqa: PLC0415 - heavy
    from idp.registration import learn_from  # noqa: PLC0415 - heavy

    settings, library = _library()
    schemas = load_schemas(settings.schemas_folder)
    store = open_store(settings)
    found = learn_from(store.corrected_documents(), schemas, library, settings.registry_folder)
    store.close()
    if as_json:
        records = [
            {
                "layout": one.layout,
                "type": one.type,
                "copies": one.copies,
                "form": one.form.name if one.form else None,
                "places": len(one.form.places) if one.form else 0,
                "changed": one.changed,
            }
            for one in found
        ]
        print_json({"schema": "idp.forms.learnt/1", "layouts": records})
        return
    table = Table("layout", "type", "corrected copies", "learnt", box=None)
    for one in found:
        what = "too few copies, or they do not agree"
        if one.form:
            what = f"{len(one.form.places)} places{'' if one.changed else ', as before'}"
        table.add_row(one.layout, one.type, str(one.copies), what)
    tables().print(table if found else Text("nobody has corrected a document yet", "dim"))


def teach(
    wanted: Wanted, datasets: Sequence[Path], *, copies: int, out: Path | None, limit: int,
    as_json: bool,
) -> None:  # fmt: skip
    """Fill the registered forms, train a challenger on them, and compare it on other fillings."""
    settings, library = _library()
    if not library.forms:
        raise NotFoundError(
            f"no form is registered in {settings.forms_folder}",
            hint="`idp forms add FILE.pdf` registers one; every form teaches, five are a start.",
        )
    forms = [f for f in library.forms if (library.path(f.name) / BLANK).is_file()]
    able = sum(any(place.field for place in form.places) for form in forms)
    if not able:
        raise NotFoundError(
            "no registered form could be filled",
            hint="`idp forms show NAME`: at least one place must name a field.",
        )
    check_installed(wanted.tagger)
    shares = [training_share(folder) for folder in datasets]
    home = (out or settings.data / "teaching").absolute()
    tell = Teller().progress
    filled(settings, home / "taught", "train", copies=copies, limit=limit, tell=tell)
    # Enough copies that the gate has something to judge by, in two variants each.
    each = math.ceil(settings.learning.gate.min_documents / (2 * min(able, limit or able)))
    filled(settings, home / "judged", "heldout", copies=each, limit=limit, tell=tell)
    registry = open_registry(settings)
    record = trained(
        settings, registry, shares, wanted, by=actor(), note=f"taught by {able} registered forms",
        labelled=[home / "taught" / "labelled"], tell=tell,
    )  # fmt: skip
    evaluate_version(record.version, [home / "judged"], as_json=as_json)
    messages().print(
        f"{record.version}: judged on the same forms with other people and fonts, so this says "
        f"whether teaching took. `idp models evaluate {record.version} --on DIR` says what other "
        "documents gain or lose, `idp models promote` puts it in force",
        markup=False,
        soft_wrap=True,
    )


def _fields(form: BlankForm) -> None:
    table = Table("place", "page", "asks", "field", "part", box=None)
    for number, place in enumerate(form.places, 1):
        if place.field:
            asks = place.label or place.name.rsplit(".", 1)[-1]
            table.add_row(
                str(number),
                str(place.page),
                Text(asks[:50]),
                place.field,
                place.part or place.option,
            )
    open_ = sum(place.undecided for place in form.places)
    nobody_s = sum(not place.field for place in form.places) - open_
    tables().print(table)
    tables().print(Text(f"{nobody_s} other places that no field of {form.type} asks for", "dim"))
    if open_:
        tables().print(
            Text(
                f'{open_} places are undecided ("?" in fields.yaml): they are read as on a form '
                "that nobody registered. Give each its field, or null where nobody asks for it.",
                "yellow",
            ),
            soft_wrap=True,
        )


_GREEN, _ORANGE, _GREY = (0, 130, 60), (215, 120, 0), (150, 150, 150)


def _draw(form: BlankForm, pdf: Path, folder: Path) -> None:
    """Each page with places, drawn with them: ``NAME-pN.png``.

    Green asks for a field, orange is undecided.
    """
    import tempfile  # noqa: PLC0415 - only for pictures

    from PIL import Image, ImageDraw, ImageFont  # noqa: PLC0415

    from idp.ingest import unpack  # noqa: PLC0415

    settings = load_settings()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise AccessError(f"{folder}: {error.strerror}") from error
    with tempfile.TemporaryDirectory(prefix="idp-form-") as work:
        for raw in unpack(pdf, Path(work), settings.ingest).pages:
            picture = Image.open(raw.path).convert("RGB")
            pen = ImageDraw.Draw(picture)
            font = ImageFont.load_default(size=picture.height // 130)
            places = [(n, p) for n, p in enumerate(form.places, 1) if p.page == raw.number]
            for number, place in places:
                colour = _GREEN if place.field else _ORANGE if place.undecided else _GREY
                box = place.box
                corners = (box.x0 * picture.width, box.y0 * picture.height,
                           box.x1 * picture.width, box.y1 * picture.height)  # fmt: skip
                pen.rectangle(corners, outline=colour, width=2)
                text = f"{number} {place.field} {place.part or place.option}".strip()
                pen.text(corners[:2], text if place.field else str(number), fill=colour, font=font)
            if places:
                picture.save(folder / f"{form.name}-p{raw.number}.png")
