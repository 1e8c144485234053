# SPDX-License-Identifier: Apache-2.0
"""The registry of models: plain files that the running appliance reads, and nothing else.

    <data>/models/versions/VERSION/files/       a models folder: manifest.json and the weights
    <data>/models/versions/VERSION/record.json  what it is, where it came from
    <data>/models/versions/VERSION/evaluations/ how it did beside a champion, one file a comparison
    <data>/models/versions/VERSION/card.md      the same for people
    <data>/models/current.json                  which version is in force, and the way there
    <data>/models/shadow.json                   which one runs beside it

A version is named after the hash of its files, so the same files are the same version. A version
appears whole (made aside, synced, renamed), and the version in force changes by one rename of
``current.json``, which also holds the history: killed at any line, the pointer names a version that
is there. Without a pointer the shipped models are in force.

The registry is of the field models; the reading models of ``models/reading`` belong to the program.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import shutil
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from idp.errors import ModelError, NotFoundError, WrongStateError
from idp.learning.files import hash_of, locked, sha256_of, sync, write_atomically
from idp.learning.gate import Evaluation

T = TypeVar("T", bound=BaseModel)

SHIPPED = "shipped"
MANIFEST = "manifest.json"
_NOT_OURS = frozenset({"reading", "cache"})
_COSTS = frozenset({"cpu_seconds", "documents_per_cpu_second"})
"""What a manifest says of the machine and not of the models."""
_SHORT = 12
_LEAST_PREFIX = 4


class _Stored(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class ModelRecord(_Stored):
    """What a registered version is. ``files`` maps names to sha256."""

    version: str
    sha256: str
    files: dict[str, str]
    models: dict[str, str]
    """Name and version of each model in the set."""
    parent: str | None = None
    registered_at: str
    registered_by: str
    note: str = ""
    manifest: dict[str, Any] = {}


class Change(_Stored):
    """One change of the version in force; an event of the audit carries the same ``id``."""

    id: str
    action: Literal["model_promoted", "model_rolled_back"]
    version: str
    before: str
    at: str
    by: str
    forced: str | None = None
    verdict: str | None = None


class Current(_Stored):
    """The pointer: promoted versions, the last one in force, and every change so far."""

    stack: tuple[str, ...] = ()
    history: tuple[Change, ...] = ()

    @property
    def version(self) -> str:
        return self.stack[-1] if self.stack else SHIPPED


class Shadow(_Stored):
    """Which version runs beside the one in force, and on what share of documents."""

    version: str
    share: float
    since: str


def set_hash(folder: Path) -> tuple[str, dict[str, str]]:
    """The hash of a models folder and of each file in it, reading models left out.

    What a training cost and how quick its outcome was is left out of the folder's hash: the same
    data and seed give the same version, however busy the machine was.

    Raises:
        ModelError: There is no manifest, or a file is not the one that the manifest names.
    """
    files = {
        path.relative_to(folder).as_posix(): sha256_of(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.relative_to(folder).parts[0] not in _NOT_OURS
    }
    if MANIFEST not in files:
        raise ModelError(f"no {MANIFEST} in {folder}")
    for name, entry in _entries(folder).items():
        file, sha256 = entry.get("file"), entry.get("sha256")
        if file is not None and files.get(file) != sha256:
            raise ModelError(f"{name}: {file} is not the file of the manifest")
    told = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    lasting = json.dumps(_without_costs(told), sort_keys=True).encode()
    named = {**files, MANIFEST: hashlib.sha256(lasting).hexdigest()}
    return hash_of(list(named.items())), files


def _without_costs(told: Any) -> Any:
    if isinstance(told, dict):
        return {name: _without_costs(each) for name, each in told.items() if name not in _COSTS}
    return [_without_costs(each) for each in told] if isinstance(told, list) else told


def _entries(folder: Path) -> dict[str, dict[str, Any]]:
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        return {name: dict(entry) for name, entry in manifest["models"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelError(f"{folder / MANIFEST} is no manifest of models") from error


def version_name(sha256: str) -> str:
    """The name of a set of files."""
    return f"fields-{sha256[:_SHORT]}"


class Registry:
    """The versions of an installation; safe for several processes.

    Args:
        root: ``<data>/models``; made with the first version.
        shipped: The models folder that came with the program.
        clock: Tells the time (aware).
    """

    def __init__(
        self,
        root: Path,
        shipped: Path,
        *,
        clock: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.UTC),
    ) -> None:
        self.root = root
        self.shipped = shipped
        self._clock = clock

    @property
    def _current_file(self) -> Path:
        return self.root / "current.json"

    @property
    def _shadow_file(self) -> Path:
        return self.root / "shadow.json"

    def stamp(self) -> tuple[object, ...]:
        """Changes whenever a pointer does; costs two looks at the folder."""
        marks: list[object] = []
        for path in (self._current_file, self._shadow_file):
            try:
                seen = path.stat()
                marks.append((seen.st_ino, seen.st_mtime_ns, seen.st_size))
            except FileNotFoundError:
                marks.append(None)
        return tuple(marks)

    def current(self) -> Current:
        """The pointer; raises :class:`ModelError` when it can't be read."""
        return _load(self._current_file, Current) or Current()

    def shadow(self) -> Shadow | None:
        """The challenger that runs beside the champion, if any."""
        return _load(self._shadow_file, Shadow)

    def folder(self, version: str) -> Path:
        """The models folder of a version; raises :class:`NotFoundError`."""
        if version == SHIPPED:
            return self.shipped
        folder = self._home(version) / "files"
        if not folder.is_dir():
            raise NotFoundError(f"no model {version}", hint="`idp models list` names them.")
        return folder

    def resolve(self, text: str) -> str:
        """The version meant by a name or the beginning of its hash; ``current`` is the champion.

        Raises:
            NotFoundError: None or several are meant.
        """
        if text in (SHIPPED, "champion", "current"):
            return SHIPPED if text == SHIPPED else self.current().version
        wanted = text.removeprefix("fields-")
        names = [r.version for r in self.records()]
        found = [n for n in names if n.removeprefix("fields-").startswith(wanted)]
        if len(found) != 1 or len(wanted) < _LEAST_PREFIX:
            raise NotFoundError(
                f"{'more than one' if len(found) > 1 else 'no'} model {text!r}",
                hint="`idp models list` names them; four characters of a hash are enough.",
            )
        return found[0]

    def records(self) -> tuple[ModelRecord, ...]:
        """Every registered version, oldest first."""
        found = [
            record
            for path in (self.root / "versions").glob("*/record.json")
            if not path.parent.name.startswith(".")
            and (record := _load(path, ModelRecord)) is not None
        ]
        return tuple(sorted(found, key=lambda r: (r.registered_at, r.version)))

    def record(self, version: str) -> ModelRecord:
        """One version; the shipped one's is made on the spot."""
        if version != SHIPPED:
            self.folder(version)
            record = _load(self._home(version) / "record.json", ModelRecord)
            assert record is not None
            return record
        sha256, files = set_hash(self.shipped)
        return self._describe(self.shipped, SHIPPED, sha256, files, by="program")

    def identity(self, version: str) -> str:
        """The name of a version's files: for the shipped one the name that it would get."""
        return version_name(set_hash(self.shipped)[0]) if version == SHIPPED else version

    def register(
        self, folder: Path, *, by: str, parent: str | None = None, note: str = ""
    ) -> ModelRecord:
        """Copy a models folder into the registry; the same files again are the same version.

        Raises:
            ModelError: The folder is no models folder, or a file is not the manifest's.
        """
        sha256, files = set_hash(folder)
        version = version_name(sha256)
        home = self._home(version)
        with locked(self.root / ".lock"):
            self._remove_halves()
            if not home.is_dir():
                half = self.root / "versions" / f".new-{uuid.uuid4().hex}"
                for name, expected in files.items():
                    target = half / "files" / name
                    target.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copyfile(folder / name, target)
                    sync(target)
                    if sha256_of(target) != expected:
                        raise ModelError(f"{name} changed while it was copied")
                record = self._describe(folder, version, sha256, files, by=by)
                record = record.model_copy(update={"parent": parent, "note": note})
                write_atomically(half / "record.json", _dumped(record))
                for inner in sorted({p.parent for p in half.rglob("*")}, reverse=True):
                    sync(inner)
                half.rename(home)
                sync(home.parent)
        return self.record(version)

    def promote(
        self, version: str, *, by: str, verdict: str, forced: str | None = None
    ) -> Change | None:
        """Put a version in force; ``None`` when it is already. The gate is the caller's to ask."""
        self.folder(version)
        with locked(self.root / ".lock"):
            current = self.current()
            if current.version == version:
                return None
            change = self._change("model_promoted", version, current.version, by)
            change = change.model_copy(update={"verdict": verdict, "forced": forced})
            stack = (*current.stack, version)
            self._point(Current(stack=stack, history=(*current.history, change)))
            return change

    def roll_back(self, *, by: str, reason: str | None = None) -> Change:
        """Put in force what was before the last promotion.

        Raises:
            WrongStateError: Nothing was ever promoted, or all of it was taken back.
        """
        with locked(self.root / ".lock"):
            current = self.current()
            if not current.stack:
                raise WrongStateError(
                    "there is nothing to go back to", hint="The shipped models are in force."
                )
            stack = current.stack[:-1]
            before = Current(stack=stack).version
            self.folder(before)
            change = self._change("model_rolled_back", before, current.version, by)
            change = change.model_copy(update={"forced": reason})
            self._point(Current(stack=stack, history=(*current.history, change)))
            return change

    def run_in_shadow(self, version: str, share: float) -> Shadow:
        """Let a version run beside the champion on a share of the documents."""
        self.folder(version)
        shadow = Shadow(version=version, share=share, since=self._now())
        with locked(self.root / ".lock"):
            write_atomically(self._shadow_file, _dumped(shadow))
        return shadow

    def end_shadow(self) -> None:
        """No version runs beside the champion any more."""
        self._shadow_file.unlink(missing_ok=True)

    def keep_evaluation(self, version: str, evaluation: Evaluation) -> None:
        """Keep how a version did; the same set beside the same champion replaces the older one."""
        name = f"{evaluation.set_sha256[:_SHORT]}-{evaluation.champion}.json"
        write_atomically(self._home(version) / "evaluations" / name, _dumped(evaluation))

    def evaluations(self, version: str) -> tuple[Evaluation, ...]:
        """How a version did beside champions, oldest first."""
        folder = self._home(version) / "evaluations"
        found = [
            e for path in folder.glob("[!.]*.json") if (e := _load(path, Evaluation)) is not None
        ]
        return tuple(sorted(found, key=lambda e: (e.at, e.set_name)))

    def keep_card(self, version: str, text: str) -> Path:
        """Write the model card of a version; returns where it is."""
        path = self._home(version) / "card.md"
        write_atomically(path, text.encode())
        return path

    def _home(self, version: str) -> Path:
        return self.root / "versions" / version

    def _now(self) -> str:
        return self._clock().astimezone(dt.UTC).isoformat(timespec="microseconds")

    def _change(
        self,
        action: Literal["model_promoted", "model_rolled_back"],
        version: str,
        before: str,
        by: str,
    ) -> Change:
        return Change(
            id=uuid.uuid4().hex,
            action=action,
            version=version,
            before=before,
            at=self._now(),
            by=by,
        )

    def _point(self, current: Current) -> None:
        write_atomically(self._current_file, _dumped(current))

    def _remove_halves(self) -> None:
        """What a killed registration left; called under the lock."""
        for half in (self.root / "versions").glob(".new-*"):
            shutil.rmtree(half, ignore_errors=True)

    def _describe(
        self, folder: Path, version: str, sha256: str, files: dict[str, str], *, by: str
    ) -> ModelRecord:
        entries = _entries(folder)
        return ModelRecord(
            version=version,
            sha256=sha256,
            files=files,
            models={name: str(entry.get("version", "")) for name, entry in entries.items()},
            registered_at=self._now(),
            registered_by=by,
            manifest=entries,
        )


def _dumped(stored: BaseModel) -> bytes:
    return (stored.model_dump_json(indent=1) + "\n").encode()


def _load(path: Path, kind: type[T]) -> T | None:
    try:
        return kind.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValidationError) as error:
        raise ModelError(
            f"{path} can't be read", hint="Restore it from a backup, or remove it."
        ) from error
