# SPDX-License-Identifier: Apache-2.0
"""What the product makes of filled forms: as forms nobody has registered, and once they are.

    python -m training.forms.judge --forms DIR --corpus OUT [--errors]

OUT was made by ``python -m training.forms``. The forms it was filled from are registered in
``OUT/library``, as ``idp forms add`` would do it and with nothing corrected by hand, and once more
with what people have checked (``checked.yaml``), as an operator corrects a form. The type is given:
what is judged is extraction.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from pydantic import TypeAdapter

from idp.document import Page
from idp.forms import BlankForm, FormLibrary, sha256_of, slug
from idp.forms.blank import place_of
from idp.schemas import load_schemas
from training import evaluate
from training.forms.blanks import SCHEMAS, Blank, load

_PAGES = TypeAdapter(list[Page])


def registered(blank: Blank, *, corrected: bool) -> BlankForm:
    """The form as `idp forms add` keeps it, or as an operator who looked at every place."""
    return BlankForm(
        name=slug(blank.stem),
        title=blank.stem,
        type=blank.type,
        sha256=sha256_of(blank.path.read_bytes()),
        pages=blank.pages,
        places=tuple(
            place_of(item, meaning, group, guessed=not corrected)
            for item, meaning, group in zip(blank.items, blank.meanings, blank.groups, strict=True)
        ),
    )


def register_all(forms: Path, corpus: Path, library: FormLibrary, *, corrected: bool) -> int:
    """Registers the forms that a corpus was filled from; returns how many.

    ``corrected`` registers them with what ``checked.yaml`` says, as an operator would correct them.
    """
    truths = [json.loads(path.read_text("utf-8")) for path in sorted(corpus.glob("*.json"))]
    names = {f"{t['family']}/{t['form']}" for t in truths if "form" in t}
    count = 0
    for blank in load([forms / f"{name}.pdf" for name in sorted(names)], guessed=not corrected):
        form = registered(blank, corrected=corrected)
        if form.name in {known.name for known in library.forms}:
            library.remove(form.name)
        library.add(form, blank.path.read_bytes())
        count += 1
    return count


def recognition(corpus: Path, library: FormLibrary) -> str:
    """How many pages were taken for the form and page that they are, and how many for others."""
    right = wrong = missed = 0
    scores: list[float] = []
    for path in sorted((corpus / "pages").glob("*.json")):
        truth_path = corpus / f"{path.stem.split('__')[0]}.json"
        if not truth_path.exists():
            continue
        truth = json.loads(truth_path.read_text("utf-8"))
        pages = library.recognised(_PAGES.validate_json(path.read_bytes()))
        for page, number in zip(pages, truth["form_pages"], strict=True):
            if page.form is None:
                missed += 1
            elif (page.form.name, page.form.page) == (slug(truth["form"]), number):
                right += 1
                scores.append(page.form.score)
            else:
                wrong += 1
    low = min(scores, default=0.0)
    return f"RECOGNISED {right} pages right, {wrong} wrong, {missed} missed; least score {low:.2f}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--forms", type=Path, required=True, help="the blank forms")
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--models", type=Path, default=Path(__file__).parents[2] / "models")
    parser.add_argument("--errors", action="store_true")
    options = parser.parse_args(arguments)
    common = ["--corpus", str(options.corpus), "--pages", str(options.corpus / "pages")]
    common += ["--true-type", "--models", str(options.models)]
    common += ["--schemas", str(SCHEMAS)]
    common += ["--errors"] if options.errors else []
    sys.stdout.write("AS UNKNOWN FORMS\n")
    evaluate.main(common)
    for name, corrected in (("REGISTERED", False), ("REGISTERED AND CORRECTED", True)):
        folder = options.corpus / ("library_corrected" if corrected else "library")
        library = FormLibrary(folder, load_schemas(SCHEMAS))
        count = register_all(options.forms, options.corpus, library, corrected=corrected)
        sys.stdout.write(f"\n{name} ({count} forms)\n{recognition(options.corpus, library)}\n")
        evaluate.main([*common, "--forms", str(folder)])
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
