# SPDX-License-Identifier: Apache-2.0
"""From a correction to better models in force, with a real store, real training, a real service."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from idp.cli import app
from idp.document import Document, DocumentType, Page
from idp.errors import ExitCode, ModelError, NotFoundError, WrongStateError
from idp.extract import Extractor
from idp.forms import FormLibrary
from idp.in_force import MODELS, ModelsInForce
from idp.learning import SHIPPED, Compared, Counts, FieldPair, Registry, evaluate, set_sha256
from idp.pipeline import Pipeline
from idp.samples import samples
from idp.schemas import load_lexicon, load_schemas
from idp.settings import load_settings
from idp.signals import Correction
from idp.store import Results, Store
from idp.values import parse
from tests.fabricate import NOW, Shelf, page_image
from tests.fabricate import document as fabricated
from training.synthesise import Made, make_one
from training.train_crf import Sample, train

pytestmark = pytest.mark.component

TYPE = DocumentType.PRIOR_AUTH_REQUEST
TINY = ("--documents", "12", "--families", "3", "--iterations", "8")
FAMILIES, COPIES = 6, 2


def extractor(models: Path) -> Extractor:
    return Extractor(models, load_schemas(), load_lexicon())


def corrections_of(made: Made, found: Document) -> list[Correction]:
    """What a reviewer would say who knows the truth of a generated document."""
    schema = load_schemas()[TYPE]
    said = []
    for name, entry in made.truth["fields"].items():
        field = schema.field(name)
        if field is None:
            continue
        values = entry["value"] if isinstance(entry["value"], list) else [entry["value"]]
        for value in values:
            if value is None:
                said.append(Correction(name=name, answer="not_on_form"))
                continue
            right = parse(field.kind, value, options=field.options or None).value
            seen = next((f for f in found.fields if (f.name, f.value) == (name, right)), None)
            said.append(
                Correction(
                    name=name,
                    before=seen.value if seen else None,
                    after=right,
                    page=seen.page if seen else None,
                    box=seen.box if seen else None,
                    origin="prediction" if seen else "manual",
                )
            )
    return said


class Installation:
    """A data folder in which documents of a few generated layouts were processed."""

    def __init__(self, data: Path) -> None:
        data.mkdir()
        self.data = data
        self.settings = load_settings(data=data)
        self.registry = Registry(data / "models", self.settings.models_folder)
        self.shelf = Shelf(data)
        self.store: Store = self.shelf.store
        self.in_force = ModelsInForce(self.registry, extractor)
        self.image = page_image(data / "page.png", (80, 100))
        self.made: dict[str, Made] = {}

    def process(self, made: Made) -> str:
        """A generated document through the models in force, into the store."""
        pages = [p.page.model_copy(update={"image": str(self.image)}) for p in made.pages]
        champion = self.in_force.champion()
        document = fabricated(
            type=TYPE,
            fields=champion.extractor.extract(pages, TYPE).fields,
            pages=tuple(page.number for page in pages),
            model_versions=champion.versions,
        )
        self.shelf.arrive(made.name.encode(), f"{made.name}.tif")
        waiting: list[tuple[str, str]] = []
        self.store.start_due(lambda c, s, target, job, p: waiting.append((target, job)))
        job = self.store.begin_processing(*waiting[0], attempts=3)
        assert job is not None
        document = document.model_copy(update={"sha256": job.arrival.sha256})
        seen = self.in_force.observe(champion, document, pages)
        assert self.store.finish_processing(job, Results((document,), tuple(pages), (seen,)))
        document_id = self.store.recent(1)[0].id
        self.made[document_id] = made
        return document_id

    def correct(self, document_id: str, key: str = "") -> Any:
        found = self.store.document(document_id)
        assert found is not None
        return self.store.record_corrections(
            document_id,
            corrections_of(self.made[document_id], found),
            key=key or f"first look at {document_id}",
            reviewer="Dana Whitlock",
            made_at=NOW,
            seconds=41.5,
        )


@pytest.fixture(scope="module")
def corrected(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """Made once: documents of six layouts, each corrected."""
    installation = Installation(tmp_path_factory.mktemp("loop") / "data")
    for family in range(FAMILIES):
        for copy in range(COPIES):
            made = make_one(TYPE, "heldout", family, 100 + copy)
            installation.correct(installation.process(made))
    yield installation
    installation.store.close()


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A models folder that a few documents trained: much worse than what is shipped."""
    folder = tmp_path_factory.mktemp("tiny")
    train(folder, Sample("train", 6, 2, 3), iterations=4)
    return folder


@pytest.fixture
def data(
    corrected: Installation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Path]:
    """A copy of the installation for one test, in force for the command line."""
    data = tmp_path / "data"
    shutil.copytree(corrected.data, data)
    monkeypatch.setenv("IDP_DATA", str(data))
    monkeypatch.chdir(tmp_path)
    yield data


@pytest.fixture
def store(data: Path) -> Iterator[Store]:
    store = Store(f"sqlite:///{data / 'idp.sqlite'}", data / "store")
    yield store
    store.close()


def models_(*words: str | Path) -> Result:
    return CliRunner().invoke(app, ["models", *map(str, words)])


def models_json(*words: str | Path) -> dict[str, Any]:
    result = models_(*words, "--json")
    assert result.exit_code == ExitCode.OK, result.stderr
    answer: dict[str, Any] = json.loads(result.stdout)
    return answer


def test_a_layout_is_learnt_from_its_corrected_copies(tmp_path: Path) -> None:
    installation = Installation(tmp_path / "data")
    for copy in range(6):
        installation.correct(installation.process(make_one(TYPE, "heldout", 0, 100 + copy)))
    installation.store.close()
    environment = {"IDP_DATA": str(tmp_path / "data")}

    def learnt() -> list[dict[str, Any]]:
        result = CliRunner().invoke(app, ["forms", "learn", "--json"], env=environment)
        assert result.exit_code == ExitCode.OK, result.stderr
        layouts: list[dict[str, Any]] = json.loads(result.stdout)["layouts"]
        return layouts

    (first,) = learnt()
    assert first["copies"] == 6
    assert first["changed"]
    assert first["places"] >= 5
    (again,) = learnt()
    assert not again["changed"], "the same corrections teach the same"
    shelf = FormLibrary(load_settings(data=tmp_path / "data").forms_folder, load_schemas())
    (other,) = shelf.recognised([make_one(TYPE, "heldout", 0, 200).pages[0].page])
    assert other.form is not None
    (stranger,) = shelf.recognised([make_one(TYPE, "heldout", 9, 200).pages[0].page])
    assert stranger.form is None


def bytes_of(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def test_a_correction_recorded_twice_counts_once(store: Store, corrected: Installation) -> None:
    row = store.corrections()[0]
    said = next(
        c.corrections
        for c in store.corrected_documents()
        if c.document.document_id == row.document_id
    )
    again = {"key": row.key, "reviewer": row.reviewer, "made_at": row.made_at}
    found = store.document(row.document_id)
    assert found is not None
    events = len(store.events(row.document_id))
    same = corrections_of(corrected.made[row.document_id], found)
    assert store.record_corrections(row.document_id, same, **again).id == row.id
    assert len(store.corrections()) == FAMILIES * COPIES
    assert len(store.events(row.document_id)) == events
    with pytest.raises(WrongStateError, match="other content"):
        store.record_corrections(row.document_id, said[:1], **again)
    with pytest.raises(NotFoundError):
        store.record_corrections("nobody", same, key="x", reviewer="x", made_at=NOW)


def test_the_latest_word_on_a_field_counts_and_the_audit_has_no_value(store: Store) -> None:
    document_id = store.corrections()[0].document_id
    changed = Correction(name="member_id", before="wrong", after="QQZZ-8817")
    store.record_corrections(
        document_id,
        [changed],
        key="second look",
        reviewer="Dana Whitlock",
        made_at=NOW + dt.timedelta(hours=1),
    )
    whole = next(c for c in store.corrected_documents() if c.document.document_id == document_id)
    assert [c.after for c in whole.corrections if c.name == "member_id"] == ["QQZZ-8817"]
    assert len(whole.corrections) > 5, "the first look still counts for the rest"
    event = store.events(document_id)[-1]
    assert (event.action, event.detail["changed"]) == ("corrections_recorded", 1)
    assert "8817" not in json.dumps(event.detail)
    assert "8817" not in json.dumps(store.corrections(document_id)[-1].outcomes)
    assert store.verify_events() is None


def test_a_second_round_is_told_against_what_was_read(store: Store) -> None:
    """The first answer changed a value and came back, the second left it as it then was."""
    row = store.corrections()[0]
    document_id, second = row.document_id, NOW + dt.timedelta(hours=1)
    rounds = [
        Correction(name="member_id", before="QXK204417793", after="QQZZ-8817"),
        Correction(name="member_id", before="QQZZ-8817", after="QQZZ-8817", origin="prediction"),
    ]
    for number, said in enumerate(rounds):
        store.record_corrections(
            document_id,
            [said],
            key=f"round {number}",
            reviewer="Dana Whitlock",
            made_at=second + dt.timedelta(minutes=number),
        )
    whole = next(c for c in store.corrected_documents() if c.document.document_id == document_id)
    (found,) = [c for c in whole.corrections if c.name == "member_id"]
    assert (found.before, found.after, found.outcome) == ("QXK204417793", "QQZZ-8817", "changed")
    assert found.origin == "manual"


def test_a_data_set_made_twice_is_the_same_and_splits_by_layout(
    data: Path, tmp_path: Path, corrected: Installation
) -> None:
    manifest = models_json("dataset", tmp_path / "one")
    models_json("dataset", tmp_path / "two")
    models_json("dataset", tmp_path / "one")
    assert bytes_of(tmp_path / "one") == bytes_of(tmp_path / "two")
    assert len(manifest["documents"]) == FAMILIES * COPIES
    families: dict[str, set[str]] = {}
    shares: dict[str, set[str]] = {}
    for entry in manifest["documents"]:
        made = corrected.made[entry["document_id"]]
        families.setdefault(made.family, set()).add(entry["layout"])
        shares.setdefault(entry["layout"], set()).add(entry["share"])
        pages = (tmp_path / "one" / entry["share"] / "pages" / f"{entry['name']}.json").read_bytes()
        assert [p["image"] for p in json.loads(pages)] == [None] * len(made.pages)
        assert entry["model_versions"][MODELS].startswith("fields-")
    assert all(len(layouts) == 1 for layouts in families.values()), "copies of one form together"
    assert all(len(own) == 1 for own in shares.values()), "a layout is in one share"
    text = (tmp_path / "one" / "dataset.json").read_text()
    assert "Whitlock" not in text
    assert (tmp_path / "one").stat().st_mode & 0o077 == 0, "patients' data"
    for name, sha256 in manifest["files"].items():
        content = (tmp_path / "one" / name).read_bytes()
        assert hashlib.sha256(content).hexdigest() == sha256


def test_a_layout_keeps_its_share_when_more_is_corrected(data: Path, tmp_path: Path) -> None:
    before = {e["document_id"]: e for e in models_json("dataset", tmp_path / "one")["documents"]}
    more = Installation.__new__(Installation)
    more.settings = load_settings()
    more.registry = Registry(data / "models", more.settings.models_folder)
    more.shelf = Shelf(data)
    more.shelf._arrivals = 500
    more.store, more.image, more.made = more.shelf.store, data / "page.png", {}
    more.in_force = ModelsInForce(more.registry, extractor)
    more.correct(more.process(make_one(TYPE, "heldout", 0, 777)))
    after = models_json("dataset", tmp_path / "one")["documents"]
    assert len(after) == len(before) + 1
    for entry in after:
        old = before.get(entry["document_id"], entry)
        assert (entry["layout"], entry["share"]) == (old["layout"], old["share"])
    new = next(e for e in after if e["document_id"] not in before)
    assert new["layout"] in {e["layout"] for e in before.values()}
    more.store.close()


def test_a_folder_of_something_else_is_not_overwritten(data: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    assert models_("dataset", tmp_path / "mine").exit_code == ExitCode.NO_ACCESS
    assert (tmp_path / "mine" / "thesis.txt").read_text() == "years of work"


def test_a_challenger_is_trained_judged_refused_and_forced(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, store: Store
) -> None:
    monkeypatch.setenv("IDP_LEARNING__LOCKED_SHARE", "0.5")
    monkeypatch.setenv("IDP_LEARNING__GATE__MIN_DOCUMENTS", "2")
    counts = models_json("dataset", tmp_path / "ds")["counts"]
    assert min(counts[share]["documents"] for share in ("train", "locked")) >= 2
    made = models_json("train", "--dataset", tmp_path / "ds", *TINY)
    version = made["version"]
    trained_on = made["manifest"]["field_crf"]["data"]["corrected"]
    assert trained_on["documents"] == counts["train"]["documents"]
    assert not list((data / "models" / "staging").iterdir())
    assert models_json("list")["in_force"] == SHIPPED, "training changes nothing in force"

    refused = models_("promote", version)
    assert refused.exit_code == ExitCode.USAGE
    assert "never measured" in refused.stderr
    assert models_("evaluate", version, "--on", tmp_path / "ds" / "train").exit_code == 2
    answer = models_json("evaluate", version, "--on", tmp_path / "ds" / "locked")
    overall = answer["evaluations"][0]["overall"]
    assert overall["documents"] == counts["locked"]["documents"]
    assert overall["challenger"] < overall["champion"], "a dozen pages teach little"
    assert not answer["verdict"]["passed"]
    refused = models_("promote", version)
    assert refused.exit_code == ExitCode.USAGE
    assert "falls from" in refused.stderr
    assert models_json("list")["in_force"] == SHIPPED

    assert models_json("promote", version, "--force", "a trial")["in_force"] == version
    assert models_json("rollback")["change"]["version"] == SHIPPED
    noted = [e for e in store.events(limit=9) if e.action.startswith("model_")]
    assert [e.action for e in noted] == ["model_promoted", "model_rolled_back"]
    assert noted[0].detail["forced"] == "a trial"
    assert store.verify_events() is None
    card = models_("show", version).stdout
    for row in card.split("## Figures from training")[1].splitlines():
        if row.startswith("| field_crf"):
            assert "**synthetic**" in row
    assert "**real**, " in card
    assert "Not measured on" in card
    assert (data / "models" / "versions" / version / "card.md").read_text() == card


def test_without_corrections_there_is_nothing_to_train_on(data: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    result = models_("train", "--dataset", tmp_path / "empty", *TINY)
    assert result.exit_code == ExitCode.NOT_FOUND
    assert "models dataset" in result.stderr


def test_an_audit_line_that_a_kill_cut_off_is_written_once_later(
    data: Path, tiny: Path, store: Store
) -> None:
    registry = Registry(data / "models", load_settings().models_folder)
    version = registry.register(tiny, by="test").version
    registry.promote(version, by="test", verdict="passed")  # killed before the audit's line
    entries = [change.model_dump() for change in registry.current().history]
    assert store.note_models(entries) == 1
    assert store.note_models(entries) == 0
    assert store.events(limit=1)[0].detail["version"] == version


def test_models_that_can_not_be_loaded_never_stop_the_service(data: Path, tiny: Path) -> None:
    registry = Registry(data / "models", load_settings().models_folder)
    in_force = ModelsInForce(registry, extractor)
    shipped = in_force.champion()
    version = registry.register(tiny, by="test").version
    weights = next((registry.folder(version)).glob("*.crfsuite"))
    weights.write_bytes(weights.read_bytes()[:-1])
    registry.promote(version, by="test", verdict="passed")
    assert in_force.champion() is shipped
    assert "can't be used" in in_force.problems()[0]
    again = ModelsInForce(registry, extractor)
    assert again.champion().version == shipped.version
    assert again.problems()
    registry.roll_back(by="test")
    assert in_force.champion().version == shipped.version
    assert in_force.problems() == ()


def test_a_challenger_that_fails_leaves_the_document_as_it_is(data: Path, tiny: Path) -> None:
    registry = Registry(data / "models", load_settings().models_folder)
    registry.run_in_shadow(registry.register(tiny, by="test").version, 1.0)

    class Broken(Extractor):
        def extract(self, pages, type):
            raise ModelError("nothing works")

    def load(folder: Path) -> Extractor:
        kind = Extractor if folder == registry.shipped else Broken
        return kind(folder, load_schemas(), load_lexicon())

    in_force = ModelsInForce(registry, load)
    pages = [p.page for p in make_one(TYPE, "heldout", 1, 5).pages]
    seen = in_force.observe(in_force.champion(), fabricated(type=TYPE), pages)
    assert seen.shadow is not None
    assert seen.shadow.error == "ModelError"
    assert seen.confidences["member_id"] == 0.61


def test_drift_is_told_per_week_and_type(data: Path, store: Store) -> None:
    answer = models_json("drift", "--weeks", "2")
    (whole,) = [w for w in answer["weeks"] if w["type"] == "all" and w["documents"]]
    assert whole["documents"] == FAMILIES * COPIES
    assert 0 < whole["measures"]["corrected"]["now"] < 1
    assert 0 < whole["measures"]["confidence"]["now"] < 1
    assert not whole["enough"]
    assert not answer["warns"]
    assert "too few" in models_("drift").stdout


def test_a_running_pipeline_takes_up_a_promotion_and_shows_a_challenger_what_comes(
    data: Path, tiny: Path, tmp_path: Path, store: Store
) -> None:
    settings = load_settings(read={"workers": 1})
    registry = Registry(data / "models", settings.models_folder)
    (sample,) = samples(tmp_path, 7, dt.date(2026, 3, 2), {"02-referral-printed.pdf"})
    version = registry.register(tiny, by="test").version

    def once(pipeline: Pipeline, name: str) -> tuple[Any, tuple[Page, ...]]:
        work = tmp_path / name
        work.mkdir()
        found = pipeline.process(
            sample.path, workspace=work, channel="fax", received_at=NOW, source=name
        )
        return found, found.pages

    with Pipeline(settings, resident=True) as pipeline:
        first, _ = once(pipeline, "first")
        shipped = first.documents[0].model_versions
        assert first.observations[0].shadow is None
        assert models_("shadow", "--run", version, "--share", "1").exit_code == ExitCode.OK
        second, pages = once(pipeline, "second")
        assert second.documents[0].model_versions == shipped
        assert second.documents[0].fields == first.documents[0].fields, "a shadow changes nothing"
        shadow = second.observations[0].shadow
        assert shadow is not None
        assert shadow.challenger == version
        assert shadow.agreement
        registry.promote(version, by="test", verdict="passed")
        third, _ = once(pipeline, "third")
        assert third.documents[0].model_versions[MODELS] == version
        taken = third.documents[0].model_versions
        assert set(taken.items()) - set(shipped.items()) > {(MODELS, version)}
        registry.roll_back(by="test")
        fourth, _ = once(pipeline, "fourth")
        assert fourth.documents[0].model_versions == shipped

        document_id = _stored(store, second, pages)
    report = models_json("shadow")["report"]
    assert (report["documents"], report["failed"]) == (1, 0)
    found = store.document(document_id)
    assert found is not None
    sure = found.field("patient_name")
    assert sure is not None
    (right,) = sample.truth["patient_name"]
    truth = Correction(name="patient_name", before=sure.value, after=right)
    store.record_corrections(document_id, [truth], key="k", reviewer="Dana Whitlock", made_at=NOW)
    judged = models_json("shadow")["report"]["fields"]["patient_name"]
    assert judged["judged"] == 1
    assert judged["champion_right"] == int(sure.value == right)
    assert sure.value not in models_("shadow").stdout


def _stored(store: Store, result: Any, pages: tuple[Page, ...]) -> str:
    kept = store.content.put_bytes(b"a sample fax")
    store.record_arrival(
        "arrival-of-the-sample",
        channel="fax",
        name="sample.pdf",
        kept=kept,
        received_at=NOW,
        priority=5,
    )
    waiting: list[tuple[str, str]] = []
    store.start_due(lambda c, s, target, job, p: waiting.append((target, job)))
    job = store.begin_processing(*waiting[0], attempts=3)
    assert job is not None
    assert store.finish_processing(job, Results(result.documents, pages, result.observations))
    return store.recent(1)[0].id


def test_with_a_locked_set_only_an_evaluation_on_it_as_it_is_now_counts(
    data: Path, tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    version = models_json("register", tiny)["version"]
    locked = tmp_path / "locked"
    (locked / "pages").mkdir(parents=True)
    (locked / "d.json").write_text("{}")
    monkeypatch.setenv("IDP_LEARNING__LOCKED_SET", str(locked))
    registry = Registry(data / "models", load_settings().models_folder)

    def evaluated_on(folder: Path) -> None:
        right, wrong = Counts(right=1), Counts(many=1, few=1)
        pair = FieldPair(champion=wrong, challenger=right)
        documents = [
            Compared(name=f"{n}", layout=f"{n}", type="referral", fields={"npi": pair})
            for n in range(40)
        ]
        registry.keep_evaluation(
            version,
            evaluate(
                documents,
                challenger=version,
                champion=registry.identity(SHIPPED),
                set_name=str(folder),
                set_sha256=set_sha256(folder),
                kind="synthetic",
                at=NOW.isoformat(),
                draws=200,
            ),
        )

    easier = tmp_path / "easier"
    easier.mkdir()
    evaluated_on(easier)
    assert "not evaluated on" in models_("promote", version).stderr
    evaluated_on(locked)
    (locked / "another.json").write_text("{}")
    assert "not evaluated on" in models_("promote", version).stderr, "the set has grown"
    evaluated_on(locked)
    assert models_json("promote", version)["in_force"] == version
