# SPDX-License-Identifier: Apache-2.0
"""What holds in every place: filed once in its folder, corrected there, never made again."""

from __future__ import annotations

from pathlib import Path

from idp.deliver.odoo.parcel import Cell, Parcel, Place, Row
from idp.deliver.odoo.port import Odoo
from idp.deliver.odoo.server import folder as folder_of
from tests.odoo.handing import House
from tests.odoo.server import Admin

SIZES = {"dms.file": "size"}


def filed(
    house: House, document_id: str, place: Place, cells: dict[str, Cell], *, version: int, word: str
) -> Parcel:
    """Two files of a document in a place."""
    rows = tuple(
        Row(
            role,
            place.model,
            {
                "name": f"{role} {document_id}.pdf",
                place.binary_of(place.model): house.content((word * n).encode()),
                **cells,
            },
            kept=frozenset(cells),
        )
        for role, n in (("document", 900), ("original", 400))
    )
    return Parcel(document_id, f"{document_id}-v{version}", version, rows)


def holds_what_every_place_holds(
    folder: Path, odoo: Odoo, admin: Admin, place: Place, path: str
) -> None:
    """File, correct, archive, delete; the files hang in the folder ``path``."""
    house = House(folder)
    courier = house.courier(odoo)
    column = "directory_id" if place.kind == "dms" else "folder_id"
    cells: dict[str, Cell] = {column: folder_of(place.folder_shape, path)}
    document_id = house.document()
    size = SIZES.get(place.model, "file_size")

    def there() -> list[dict[str, object]]:
        return admin.rows(
            place.model, [["name", "like", document_id]], column, "checksum", size, "active"
        )

    def hand_over(version: int, word: str) -> Parcel:
        parcel = filed(house, document_id, place, cells, version=version, word=word)
        (handed,) = courier.hand_over([parcel])
        assert handed.error is None, handed.error
        assert handed.location is not None
        assert handed.location.startswith(f"odoo:{place.model}/")
        return parcel

    def sent(parcel: Parcel) -> list[tuple[str, int]]:
        binary = place.binary_of(place.model)
        contents = [row.cells[binary] for row in parcel.rows]
        return [(each.sha1, each.size_bytes) for each in contents]

    first = hand_over(1, "first")
    rows = there()
    assert [(row["checksum"], int(row[size])) for row in rows] == sent(first)
    folders = {row[column][1].rpartition("/")[2].strip() for row in rows}
    assert folders == {path.rpartition("/")[2]}

    admin.call(place.model, "write", [rows[0]["id"]], vals={"active": False})
    second = hand_over(2, "corrected")
    again = there()
    assert [row["id"] for row in again] == [row["id"] for row in rows]
    assert [(row["checksum"], int(row[size])) for row in again] == sent(second)
    assert [row["active"] for row in again] == [False, True]

    admin.call(place.model, "unlink", [rows[1]["id"]])
    hand_over(3, "once more")
    assert [row["id"] for row in there()] == [rows[0]["id"]]
    known = {each.role: each for each in house.store.handovers_of(document_id)}
    assert {role: each.gone for role, each in known.items()} == {
        "document": False,
        "original": True,
    }
    house.close()
