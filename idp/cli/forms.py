# SPDX-License-Identifier: Apache-2.0
"""Verbs about registered blank forms: add, list, show, remove, teach."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from rich.table import Table
from rich.text import Text

from idp.cli.border import messages, print_json, tables
from idp.errors import AccessError, MissingDependencyError, NotFoundError
from idp.forms import BlankForm, FormLibrary
from idp.schemas import load_schemas
from idp.settings import Settings, load_settings


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
    if overlay is not None and not (library.path(name) / "blank.pdf").is_file():
        raise NotFoundError(
            f"{name} was learnt from corrected copies: there is no blank to draw on",
            hint="Without --overlay its places are listed.",
        )
    if overlay is not None:
        _draw(form, library.path(name) / "blank.pdf", overlay)
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


def teach(*, copies: int, out: Path | None, limit: int) -> None:
    """Fill the registered forms and train on them, beside what the tagger is trained on anyway."""
    settings, library = _library()
    if not library.forms:
        raise NotFoundError(
            f"no form is registered in {settings.forms_folder}",
            hint="`idp forms add FILE.pdf` registers one; every form teaches, five are a start.",
        )
    for package, hint in (
        ("training", "Run it from a checkout of the source, where the training package lies."),
        ("pycrfsuite", "Run `make install` again."),
    ):
        if importlib.util.find_spec(package) is None:
            raise MissingDependencyError(f"the package {package} is not installed", hint=hint)
    target = out or settings.data / "teaching"
    command = [sys.executable, "-m", "training.forms", "--library", str(settings.forms_folder),
               "--out", str(target), "--variants", "clean,fine", "--copies", str(copies),
               "--limit", str(limit), "--models", str(settings.models_folder),
               "--schemas", str(settings.schemas_folder)]  # fmt: skip
    done = subprocess.run(command, check=False)  # noqa: S603 - our own program, no shell
    if done.returncode:
        raise NotFoundError(
            "no registered form could be filled",
            hint="`idp forms show NAME`: at least one place must name a field.",
        )
    models = settings.data / "taught"
    command = [sys.executable, "-m", "training.forms.teach", "--filled", str(target),
               "--models", str(settings.models_folder), "--out", str(models)]  # fmt: skip
    done = subprocess.run(command, check=False)  # noqa: S603 - our own program, no shell
    if done.returncode:
        raise MissingDependencyError("training ended with a fault; its message stands above")
    messages().print(
        f"a tagger that knows these forms lies in {models}; it is not in force: compare it with "
        "`python -m training.evaluate --models` before",
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
    unknown = sum(not place.field for place in form.places)
    tables().print(table)
    tables().print(Text(f"{unknown} other places that no field of {form.type} asks for", "dim"))


def _draw(form: BlankForm, pdf: Path, folder: Path) -> None:
    """Each page with places, drawn with them: ``NAME-pN.png``; green asks for a field."""
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
                colour = (0, 130, 60) if place.field else (150, 150, 150)
                box = place.box
                corners = (box.x0 * picture.width, box.y0 * picture.height,
                           box.x1 * picture.width, box.y1 * picture.height)  # fmt: skip
                pen.rectangle(corners, outline=colour, width=2)
                text = f"{number} {place.field} {place.part or place.option}".strip()
                pen.text(corners[:2], text if place.field else str(number), fill=colour, font=font)
            if places:
                picture.save(folder / f"{form.name}-p{raw.number}.png")
