# SPDX-License-Identifier: Apache-2.0
"""Relabelled forms: new questions where old labels stood, and every word knows what it is."""

from collections import defaultdict
from pathlib import Path

import pytest
from reportlab.lib.pagesizes import letter
from reportlab.pdfgen.canvas import Canvas

from idp.document import DocumentType
from idp.extract.crf_roles import ALL_ROLES, LABEL, NOT_VALUES, OUTSIDE, TITLE
from idp.forms.blank import label_widgets
from idp.forms.meaning import groups, meanings
from idp.forms.widgets import read_widgets
from idp.schemas import load_schemas
from training.forms import relabel
from training.forms.blanks import Blank, read_print
from training.forms.ground import Ground, ground, read_rules
from training.labelled import read_file, write_labelled
from training.synthesise.noise import Labelled, Noise

PRINTED = (
    ("Kestrel permit number", 50, 640, 150), ("Harbour of registry", 310, 640, 240),
    ("Length of the vessel over all", 50, 590, 160), ("Name of the mooring", 310, 590, 240),
    ("Draught when laden", 50, 540, 240), ("Berth requested for the season", 310, 540, 240),
    ("Owner of the vessel", 50, 490, 240), ("Colour of the hull", 310, 490, 240),
)  # fmt: skip
RULES_OF_THE_HARBOUR = "Vessels left aground are towed at the expense of whoever moored them there."
SEEDS = range(12)


def filled_form(path: Path) -> Path:
    """A fillable form that no payer would print: a harbour's, with a title and boxes."""
    canvas = Canvas(str(path), pagesize=letter)
    canvas.setFont("Helvetica-Bold", 11)
    canvas.drawString(50, 680, "SECTION 1 - THE VESSEL AND ITS OWNER")
    canvas.setFont("Helvetica", 9)
    for number, (text, x, y, wide) in enumerate(PRINTED):
        canvas.drawString(x, y + 22, text)
        canvas.rect(x, y, wide, 18, stroke=1, fill=0)
        canvas.acroForm.textfield(
            name=f"f{number}", tooltip=text, x=x, y=y, width=wide, height=18, borderWidth=0
        )
    for number in range(4):
        canvas.drawString(50, 380 - 14 * number, RULES_OF_THE_HARBOUR)
    canvas.save()
    return path


@pytest.fixture(scope="module")
def harbour(tmp_path_factory: pytest.TempPathFactory) -> Ground:
    path = filled_form(tmp_path_factory.mktemp("blank") / "harbour.pdf")
    pages, sizes = read_print(path)
    items = label_widgets(pages, read_widgets(path, 5))
    type_ = DocumentType.PRIOR_AUTH_REQUEST
    found = meanings(items, load_schemas()[type_])
    blank = Blank(path, "harbours", type_, pages, sizes, tuple(items), tuple(found),
                  tuple(groups(items, found)))  # fmt: skip
    return ground(blank, pages[0], *read_rules(path, 1, pages[0].words))


@pytest.fixture
def well_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader that makes no mistakes."""
    monkeypatch.setattr(relabel, "draw_noise", lambda _: Noise(jitter=0.0))


def values(one: Labelled) -> dict[int, list[int]]:
    """The words of each value, by its number."""
    found = defaultdict(list)
    for index, (role, span) in enumerate(zip(one.roles, one.spans, strict=True)):
        if role not in NOT_VALUES:
            found[span].append(index)
    return found


def test_every_word_has_a_role_that_taggers_know(harbour: Ground) -> None:
    for seed in SEEDS:
        one = relabel.relabelled(harbour, seed)
        assert len(one.page.words) == len(one.roles) == len(one.parties) == len(one.spans)
        assert set(one.roles) <= ALL_ROLES


@pytest.mark.usefixtures("well_read")
def test_a_value_has_one_role_and_one_party_and_stands_in_one_place(harbour: Ground) -> None:
    boxes = [item.widget.box for item in harbour.blank.items]
    made = 0
    for seed in SEEDS:
        one = relabel.relabelled(harbour, seed, share=1.0)
        below_head = {i for i, w in enumerate(one.page.words) if w.box.y0 > 0.15}
        for span, words in values(one).items():
            assert len({(one.roles[i], one.parties[i]) for i in words}) == 1, (seed, span)
            if not below_head.issuperset(words):
                continue  # the payer's head is drawn over the form
            inside = [
                {n for n, b in enumerate(boxes)
                 if b.contains(one.page.words[i].box.cx, one.page.words[i].box.cy)}
                for i in words
            ]  # fmt: skip
            assert set.intersection(*inside), (seed, [one.page.words[i].text for i in words])
            made += 1
    assert made > 4 * len(SEEDS)


@pytest.mark.usefixtures("well_read")
def test_a_new_label_stands_where_the_old_one_stood(harbour: Ground) -> None:
    old = {word for text, *_ in PRINTED for word in text.split()}
    new = 0
    for seed in SEEDS:
        one = relabel.relabelled(harbour, seed, share=1.0)
        for word, role in zip(one.page.words, one.roles, strict=True):
            if role != LABEL or word.text in old or word.box.y0 < 0.15:
                continue
            new += 1
            places = [
                harbour.words[i].box
                for item in harbour.blank.items
                for i in item.label_words
                if harbour.words[i].box.y0 < word.box.cy < harbour.words[i].box.y1
            ]
            assert places, word.text
    assert new > 4 * len(SEEDS)


@pytest.mark.usefixtures("well_read")
def test_the_rest_of_the_print_stays_and_is_nothing(harbour: Ground) -> None:
    for seed in SEEDS:
        one = relabel.relabelled(harbour, seed)
        said = [(w.text, r) for w, r in zip(one.page.words, one.roles, strict=True)]
        assert said.count(("aground", OUTSIDE)) == 4
        assert TITLE in one.roles


@pytest.mark.usefixtures("well_read")
def test_without_a_share_every_label_stays(harbour: Ground) -> None:
    one = relabel.relabelled(harbour, 1, share=0.0)
    labels = {w.text for w, role in zip(one.page.words, one.roles, strict=True) if role == LABEL}
    assert labels >= {word for text, *_ in PRINTED for word in text.split()}


def test_the_same_seed_gives_the_same_page_and_another_one_another(harbour: Ground) -> None:
    assert relabel.relabelled(harbour, 3) == relabel.relabelled(harbour, 3)
    assert relabel.relabelled(harbour, 3) != relabel.relabelled(harbour, 4)


def test_pages_written_are_the_pages_read(harbour: Ground, tmp_path: Path) -> None:
    one = relabel.relabelled(harbour, 5)
    write_labelled(tmp_path / "one.json", [one])
    assert read_file(tmp_path / "one.json") == [one]


def test_pages_kept_apart_from_their_labels_are_found(harbour: Ground, tmp_path: Path) -> None:
    one = relabel.relabelled(harbour, 6)
    for folder in ("pages", "labels"):
        (tmp_path / folder).mkdir()
    (tmp_path / "pages" / "a.json").write_text(f"[{one.page.model_dump_json()}]")
    roles = str(list(one.roles)).replace("'", '"')
    (tmp_path / "labels" / "a.json").write_text(f'[{{"page": null, "roles": {roles}}}]')
    assert read_file(tmp_path / "labels" / "a.json")[0].roles == one.roles
    (tmp_path / "labels" / "a.json").write_text('[{"page": null, "roles": ["O"]}]')
    with pytest.raises(ValueError, match="role for each word"):
        read_file(tmp_path / "labels" / "a.json")
