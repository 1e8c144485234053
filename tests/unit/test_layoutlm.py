# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from idp.document import Box, Cell, DocumentType, Mark, Page, Word
from idp.errors import ModelError
from idp.extract import Extractor
from idp.extract.crf_roles import ALL_ROLES, label_roles
from idp.extract.features import SHAPES, LabelTable, PageView, shape_of
from idp.extract.layoutlm import MODEL_NAME, LayoutLmSource, layoutlm_if_named
from idp.extract.layoutlm_inputs import (
    END,
    HINTS,
    INPUTS_VERSION,
    PAD,
    PIECES,
    POSITIONS,
    START,
    UNKNOWN,
    PageEncoder,
    WordPieces,
    hint_names,
    owners,
    pattern_names,
    spans_of_windows,
)
from idp.extract.tagged import Chances, TaggedSource, likeliest
from idp.extract.taggers import TogetherSource
from idp.schemas import load_lexicon, load_schemas
from training.layoutlm.data import (
    IGNORED,
    ForgetfulTable,
    Stream,
    examples_at,
    labelled_at,
    read_form,
)
from training.layoutlm.data import LABELS as ROLES
from training.layoutlm.vocabulary import pieces_seen, pruned
from training.synthesise import make_one
from training.train_crf import tags_of

VOCABULARY = (PAD, UNKNOWN, START, END, "name", "patient", "##ring", "refer", "0", "##0", "m", ":")
LABELS = ("O", "LABEL", "NAME", "DOB")
WIDTH = 24


@pytest.fixture(scope="module")
def table() -> LabelTable:
    return LabelTable(label_roles(load_schemas()))


def page_of(*texts: tuple[float, float, str], cells: tuple[Box, ...] = ()) -> Page:
    words: list[Word] = []
    for left, y, text in texts:
        x = left
        for part in text.split():
            box = Box(x, y, x + 0.0065 * len(part), y + 0.012)
            words.append(Word(id=len(words), text=part, confidence=1, box=box, line=int(y * 100)))
            x = box.x1 + 0.0065
    return Page(
        number=1,
        width_px=1700,
        height_px=2200,
        dpi=200,
        words=tuple(words),
        cells=tuple(Cell(box=b) for b in cells),
    )


class Tables:
    """Random weights of a network that looks at each position by itself."""

    def __init__(self, seed: int = 7) -> None:
        rng = np.random.default_rng(seed)
        self.pieces = rng.normal(size=(len(VOCABULARY), WIDTH)).astype(np.float32)
        self.patterns = rng.normal(size=(len(pattern_names()), WIDTH)).astype(np.float32)
        self.hints = rng.normal(size=(len(hint_names()), WIDTH)).astype(np.float32)
        self.places = rng.normal(size=(4, WIDTH)).astype(np.float32) / 1000
        self.out = rng.normal(size=(WIDTH, len(LABELS))).astype(np.float32)

    def chances(self, encoder: PageEncoder, view: PageView, table: LabelTable) -> np.ndarray:
        page = encoder.encode(view, table)
        seen = self.pieces[page.pieces].sum(1) + self.patterns[page.patterns]
        seen = seen + self.hints[page.hints].sum(1) + page.boxes @ self.places
        chances = np.exp(seen @ self.out / 2)
        return np.asarray(chances / chances.sum(1, keepdims=True))

    def graph(self) -> onnx.ModelProto:
        def node(op: str, *names: str, **attributes: int) -> onnx.NodeProto:
            return helper.make_node(op, list(names[1:]), [names[0]], **attributes)

        nodes = [
            node("Gather", "p", "P", "pieces"),
            node("ReduceSum", "ps", "p", "two", keepdims=0),
            node("Gather", "t", "T", "patterns"),
            node("Gather", "h", "H", "hints"),
            node("ReduceSum", "hs", "h", "two", keepdims=0),
            node("Cast", "b", "boxes", to=TensorProto.FLOAT),
            node("MatMul", "bs", "b", "B"),
            node("Sum", "all", "ps", "t", "hs", "bs"),
            node("MatMul", "logits", "all", "O"),
        ]
        arrays = {
            "P": self.pieces,
            "T": self.patterns,
            "H": self.hints,
            "B": self.places,
            "O": self.out,
            "two": np.array([2], np.int64),
        }
        shapes: dict[str, list[int | str]] = {
            "pieces": [1, "n", PIECES],
            "boxes": [1, "n", 4],
            "patterns": [1, "n"],
            "hints": [1, "n", HINTS],
        }
        inputs = [helper.make_tensor_value_info(n, TensorProto.INT64, s) for n, s in shapes.items()]
        logits = helper.make_tensor_value_info("logits", TensorProto.FLOAT, [1, "n", len(LABELS)])
        weights = [numpy_helper.from_array(a, n) for n, a in arrays.items()]
        model = helper.make_model(
            helper.make_graph(nodes, "tiny", inputs, [logits], weights),
            opset_imports=[helper.make_opsetid("", 17)],
            ir_version=8,
        )
        lists = {
            "vocabulary": VOCABULARY,
            "patterns": pattern_names(),
            "hints": hint_names(),
            "labels": LABELS,
        }
        said = {name: "\n".join(own) for name, own in lists.items()}
        helper.set_model_props(model, {**said, "temperature": "2.0"})
        return model


def shipped(folder: Path, content: bytes) -> Path:
    """A models folder that holds this file as the LayoutLM tagger."""
    entry = {
        "file": "tiny.onnx",
        "sha256": hashlib.sha256(content).hexdigest(),
        "version": "tiny-1",
        "features": INPUTS_VERSION,
    }
    (folder / "tiny.onnx").write_bytes(content)
    (folder / "manifest.json").write_text(json.dumps({"models": {MODEL_NAME: entry}}))
    return folder


@pytest.mark.parametrize("count", [1, 509, 510, 511, 638, 900, 2000])
def test_windows_cover_every_token_and_each_is_judged_once_away_from_edges(count: int) -> None:
    windows = spans_of_windows(count)
    judge = owners(windows, count)
    assert all(len(w) <= POSITIONS - 2 for w in windows)
    assert all(place in windows[number] for place, number in enumerate(judge))
    for place, number in enumerate(judge):
        window = windows[number]
        assert window.start == 0 or place - window.start >= 60
        assert window.stop == count or window.stop - 1 - place >= 60


def test_a_word_has_the_pieces_of_the_vocabulary_and_digits_are_alike() -> None:
    words = WordPieces(VOCABULARY)
    assert [VOCABULARY[i] for i in words.of("Referring")] == ["refer", "##ring"]
    assert words.of("94") == words.of("00") == words.of("17")
    assert words.of("☐☐") == (VOCABULARY.index(UNKNOWN),)
    assert len(words.of("12345678901234")) < len(words.of("m:m:m:m:m:m:m")) == PIECES


def test_tokens_and_their_rows_stand_in_the_same_order(table: LabelTable) -> None:
    page = page_of(
        (0.1, 0.10, "Patient Name: Ana"), (0.1, 0.13, "refer"), (0.6, 0.10, "07/22/1968")
    )
    view = PageView(page)
    encoder = PageEncoder(VOCABULARY, pattern_names(), hint_names())
    rows = encoder.encode(view, table)
    assert len(rows) == len(view.order)
    for place, index in enumerate(view.order):
        token = view.tokens[index]
        own = encoder.words.of(token.text)
        assert tuple(rows.pieces[place, : len(own)]) == own
        assert pattern_names()[rows.patterns[place]] == shape_of(token.text)
        assert abs(int(rows.boxes[place, 0]) - 1000 * token.box.x0) <= 2
        assert (rows.boxes[place, 2:] >= rows.boxes[place, :2]).all()


def test_the_label_of_a_value_is_among_its_hints(table: LabelTable) -> None:
    view = PageView(page_of((0.1, 0.1, "Date of Birth: 07/22/1968")))
    rows = PageEncoder(VOCABULARY, pattern_names(), hint_names()).encode(view, table)
    value = [view.tokens[i].text for i in view.order].index("07/22/1968")
    told = {hint_names()[n] for n in rows.hints[value]}
    assert {"c=DOB", "best=DOB", "colon=1"} <= told


def test_a_mark_in_front_of_a_word_is_among_its_hints(table: LabelTable) -> None:
    page = page_of((0.1, 0.1, "Urgent request"))
    mark = Mark(state="checked", box=Box(0.085, 0.1, 0.098, 0.112), confidence=1)
    view = PageView(page.model_copy(update={"marks": (mark,)}))
    rows = PageEncoder(VOCABULARY, pattern_names(), hint_names()).encode(view, table)
    told = [{hint_names()[n] for n in row} for row in rows.hints]
    assert "mark=checked0" in told[0]
    assert "mark=checked1" in told[1]


def test_every_shape_and_role_has_a_number_of_its_own() -> None:
    assert len(set(pattern_names())) == len(pattern_names()) == len(SHAPES) + 1
    assert len(set(hint_names())) == len(hint_names())
    assert {f"best={role}" for role in ALL_ROLES} <= set(hint_names())
    assert {shape_of(text) for text in ("MD", "TX", "a", "May", ":", "Name:", "x9")} <= set(SHAPES)


def test_the_runtime_answers_what_the_network_says_on_a_page_of_several_windows(
    tmp_path: Path, table: LabelTable
) -> None:
    weights = Tables()
    content = weights.graph().SerializeToString()
    source = LayoutLmSource(shipped(tmp_path, content), load_schemas())
    lines = [
        (0.05, 0.01 + 0.012 * n, "Patient Name: referring m 07/22/1968 name") for n in range(80)
    ]
    view = PageView(page_of(*lines, *((0.6, y, "MD m: name 94 TX") for _, y, _ in lines)))
    assert len(view.order) > 2 * POSITIONS - 300
    encoder = PageEncoder(VOCABULARY, pattern_names(), hint_names())
    wanted = weights.chances(encoder, view, table)
    found = source.probabilities(view)
    np.testing.assert_allclose(found, wanted, atol=2e-4)
    tags, sure = source.tag(view)
    assert set(tags) == set(view.order)
    assert tags[view.order[700]] == LABELS[wanted[700].argmax()]
    assert sure[view.order[700]] == pytest.approx(wanted[700].max(), abs=2e-4)


def test_an_empty_page_has_no_tags(tmp_path: Path) -> None:
    content = Tables().graph().SerializeToString()
    source = LayoutLmSource(shipped(tmp_path, content), load_schemas())
    assert source.tag(PageView(page_of())) == ({}, {})


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    content = Tables().graph().SerializeToString()
    shipped(tmp_path, content)
    (tmp_path / "tiny.onnx").write_bytes(content[:-1] + b"x")
    with pytest.raises(ModelError, match="not the file"):
        LayoutLmSource(tmp_path, load_schemas())


@pytest.mark.parametrize("content", [b"", b"no graph", onnx.ModelProto().SerializeToString()])
def test_a_file_that_is_no_tagger_is_refused(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(ModelError, match="no LayoutLM tagger"):
        LayoutLmSource(shipped(tmp_path, content), load_schemas())


def test_a_graph_without_its_vocabulary_is_refused(tmp_path: Path) -> None:
    model = Tables().graph()
    del model.metadata_props[:]
    with pytest.raises(ModelError, match="no LayoutLM tagger"):
        LayoutLmSource(shipped(tmp_path, model.SerializeToString()), load_schemas())


def test_a_model_of_other_inputs_is_refused(tmp_path: Path) -> None:
    path = shipped(tmp_path, Tables().graph().SerializeToString()) / "manifest.json"
    manifest = json.loads(path.read_text())
    manifest["models"][MODEL_NAME]["features"] = INPUTS_VERSION + 1
    path.write_text(json.dumps(manifest))
    with pytest.raises(ModelError, match="features"):
        LayoutLmSource(tmp_path, load_schemas())


def test_without_an_entry_in_the_manifest_there_is_no_such_source(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text('{"models": {}}')
    assert layoutlm_if_named(tmp_path, load_schemas()) is None


def test_the_versions_name_the_tagger_that_votes(tmp_path: Path) -> None:
    models = Path(__file__).parents[2] / "models"
    content = Tables().graph().SerializeToString()
    manifest = json.loads((models / "manifest.json").read_text())
    for entry in manifest["models"].values():
        (tmp_path / entry["file"]).write_bytes((models / entry["file"]).read_bytes())
    own = json.loads((shipped(tmp_path, content) / "manifest.json").read_text())["models"]
    (tmp_path / "manifest.json").write_text(json.dumps({"models": {**manifest["models"], **own}}))
    schemas, lexicon = load_schemas(), load_lexicon()
    both = Extractor(tmp_path, schemas, lexicon)
    assert both.versions["crf+layoutlm"].endswith("+tiny-1")
    alone = Extractor(tmp_path, schemas, lexicon, layoutlm=False)
    assert "crf" in alone.versions
    assert "crf+layoutlm" not in alone.versions
    page = make_one("referral", "train", 1, 1).pages[0].page
    assert both.extract([page], DocumentType.REFERRAL).fields


def test_pruning_keeps_the_words_of_the_pages_whole_and_pieces_for_all_others() -> None:
    letters = list("abcdefghijklmnopqrstuvwxyz0")
    full = [PAD, UNKNOWN, START, END, "[unused1]", "the", "authorization", "zebra", "1990"]
    full += [*letters, *(f"##{c}" for c in letters)]
    rows = pruned(full, pieces_seen(["Prior Authorization"], full), common=6)
    kept = [full[row] for row in rows]
    assert {PAD, UNKNOWN, START, END, "the", "authorization"} <= set(kept)
    assert {"zebra", "1990", "[unused1]"}.isdisjoint(kept)
    words = WordPieces(kept)
    assert [kept[i] for i in words.of("Authorization")] == ["authorization"]
    assert [kept[i] for i in words.of("Zeb")] == ["z", "##e", "##b"]
    assert words.of("1990")[0] == kept.index("0")


def test_an_example_pairs_each_token_with_its_label_and_comes_out_the_same_again(
    table: LabelTable,
) -> None:
    stream = Stream("train", 50, 3)
    encoder = PageEncoder(VOCABULARY, pattern_names(), hint_names())
    one, two = (list(examples_at(stream, 6, encoder, table, forget=True)) for _ in range(2))
    labelled, *_ = labelled_at(stream, 6)
    view = PageView(labelled.page)
    tags = tags_of(view, labelled)
    assert [ROLES[n] for n in one[0].goals[1:-1]] == tags
    assert one[0].goals[0] == one[0].goals[-1] == IGNORED
    for a, b in zip(one, two, strict=True):
        assert (a.goals == b.goals).all()
        assert (a.window.hints == b.window.hints).all()


def test_a_forgetful_table_forgets_a_share_of_the_labels_and_always_the_same(
    table: LabelTable,
) -> None:
    forgetful = ForgetfulTable(table, 0.5, 4)
    known = [p for p in table.phrases if forgetful.role(p)]
    assert 0.4 < len(known) / len(table.phrases) < 0.6
    assert known == [p for p in table.phrases if ForgetfulTable(table, 0.5, 4).role(p)]
    assert all(forgetful.role(p) == table.role(p) for p in known)


def test_labelled_pages_of_real_forms_are_read_and_wrong_ones_named(tmp_path: Path) -> None:
    page = page_of((0.1, 0.1, "Name: Ana"))
    path = tmp_path / "form.json"
    entry = {"page": page.model_dump(mode="json"), "roles": ["LABEL", "NAME"]}
    path.write_text(json.dumps(entry))
    assert read_form(path)[0].roles == ("LABEL", "NAME")
    path.write_text(json.dumps({"pages": [entry, entry]}))
    assert len(read_form(path)) == 2
    (tmp_path / "pages").mkdir()
    (tmp_path / "pages" / "form.json").write_text(json.dumps([entry["page"]]))
    beside = tmp_path / "labels" / "form.json"
    beside.parent.mkdir()
    beside.write_text(json.dumps([{**entry, "page": None}]))
    assert read_form(beside) == read_form(path)[:1]
    path.write_text(json.dumps({**entry, "roles": ["LABEL"]}))
    with pytest.raises(ValueError, match=r"form\.json"):
        read_form(path)
    path.write_text(json.dumps({**entry, "roles": ["LABEL", "SOMETHING"]}))
    with pytest.raises(ValueError, match=r"form\.json"):
        read_form(path)


class Says(TaggedSource):
    """A tagger that answers one row for every token."""

    def __init__(self, name: str, labels: tuple[str, ...], row: tuple[float, ...]) -> None:
        super().__init__(f"{name}-1", LabelTable({}))
        self.name, self.labels, self._row = name, labels, row

    def probabilities(self, view: PageView) -> Chances:
        return np.array([self._row] * len(view.order), np.float32)

    def tag(self, view: PageView) -> tuple[dict[int, str], dict[int, float]]:
        return likeliest(view, self.labels, self.probabilities(view))


def test_two_taggers_together_are_sure_where_they_agree_and_doubt_where_they_differ() -> None:
    view = PageView(page_of((0.1, 0.1, "Ana")))
    crf = Says("crf", ("O", "NAME"), (0.1, 0.9))
    alike = Says("layoutlm", ("NAME", "O", "DOB"), (0.9, 0.05, 0.05))
    different = Says("layoutlm", ("NAME", "O", "DOB"), (0.02, 0.96, 0.02))
    tags, sure = TogetherSource((crf, alike), (1, 1), LabelTable({})).tag(view)
    assert (tags[0], round(sure[0], 2)) == ("NAME", 0.93)
    together = TogetherSource((crf, different), (1, 1), LabelTable({}))
    tags, sure = together.tag(view)
    assert tags[0] == "O"
    assert sure[0] < 0.7
    assert (together.name, together.version) == ("crf+layoutlm", "crf-1+layoutlm-1")
    tags, _ = TogetherSource((crf, different), (3, 1), LabelTable({})).tag(view)
    assert tags[0] == "NAME"


def test_a_label_that_one_tagger_does_not_know_needs_the_other_to_be_sure() -> None:
    view = PageView(page_of((0.1, 0.1, "Ana")))
    crf = Says("crf", ("O", "NAME"), (0.6, 0.4))
    other = Says("layoutlm", ("O", "DOB"), (0.1, 0.9))
    tags, _ = TogetherSource((crf, other), (1, 1), LabelTable({})).tag(view)
    assert tags[0] == "O"
