# SPDX-License-Identifier: Apache-2.0
"""Whether the bytes that a server keeps are those that were sent: by its own checksum and size.

Servers differ in how they take bytes (``datas``, ``raw``), and one that is wrong about it stores
something else without a word. So each file is compared after each writing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from idp.deliver.odoo.loading import WITH_ARCHIVED, Line, Loader
from idp.deliver.odoo.parcel import Content
from idp.deliver.odoo.targets import ATTACHMENT
from idp.errors import OdooRefusedError

_SIZES = ("file_size", "size")


@dataclass(frozen=True, slots=True)
class Proof:
    """A file that was written into a column of a record."""

    model: str
    record_id: int
    column: str
    content: Content


class Prover:
    """Compares, and mends once."""

    def __init__(self, loader: Loader) -> None:
        self._loader = loader

    def differing(self, proofs: Sequence[Proof]) -> set[Proof]:
        """Those whose bytes there are others; one question per model.

        Raises:
            OdooRefusedError: A model tells no checksum of its files.
        """
        by_model: dict[str, list[Proof]] = defaultdict(list)
        for proof in proofs:
            by_model[proof.model].append(proof)
        wrong: set[Proof] = set()
        for model, those in by_model.items():
            there = self._told(model, [proof.record_id for proof in those])
            wrong |= {
                proof
                for proof in those
                if there.get(proof.record_id) != (proof.content.sha1, proof.content.size_bytes)
            }
        return wrong

    def mend(self, proof: Proof) -> None:
        """Write the bytes once more.

        Raises:
            OdooRefusedError: They are still not what was sent.
        """
        line = Line(
            proof.model,
            {".id": str(proof.record_id), proof.column: proof.content},
            archived=True,
        )
        self._loader.load_one(lambda: line)
        if self.differing([proof]):
            raise OdooRefusedError(
                f"{proof.model}/{proof.record_id}: the bytes there are not those that were sent"
            )

    def _told(self, model: str, ids: Sequence[int]) -> dict[int, tuple[str, int]]:
        """Checksum and size by number."""
        fields = self._loader.fields(model)
        size = next((name for name in _SIZES if name in fields), None)
        if "checksum" in fields and size is not None:
            return self._read(model, ids, size)
        if fields.get("attachment_id", {}).get("relation") != ATTACHMENT:
            raise OdooRefusedError(f"{model} tells no checksum of its files")
        rows = self._loader.odoo.call(
            model, "read", list(ids), fields=["attachment_id"], context=dict(WITH_ARCHIVED)
        )
        behind = {row["id"]: row["attachment_id"][0] for row in rows if row["attachment_id"]}
        told = self._read(ATTACHMENT, sorted(behind.values()), "file_size")
        return {number: told[other] for number, other in behind.items() if other in told}

    def _read(self, model: str, ids: Sequence[int], size: str) -> dict[int, tuple[str, int]]:
        # By their numbers: a search would leave out those that belong to a field of a record.
        rows = self._loader.odoo.call(
            model, "read", list(ids), fields=["checksum", size], context=dict(WITH_ARCHIVED)
        )
        return {row["id"]: (row["checksum"] or "", int(row[size] or 0)) for row in rows}
