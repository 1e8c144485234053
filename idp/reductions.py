# SPDX-License-Identifier: Apache-2.0
"""Why a remittance pays less than billed: categories of reason codes, remarks that name amounts.

Both are data (``rules/remittance/*.yaml``); files of the same name in the appliance's own rules
folder are read first and win code by code. Only codes stand in them: the texts of CARC and RARC
are X12's and licensed.
"""

from __future__ import annotations

import hashlib
from decimal import Decimal
from pathlib import Path
from typing import Literal, NamedTuple, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from idp.errors import RulesError
from idp.settings import SHIPPED_RULES

FOLDER = "remittance"
MOST_BYTES = 1_000_000
"""Of one file."""

Level = Literal["line", "claim", "payment"]


class _Written(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Category(_Written):
    """A kind of reason; ``denial`` is money that can be asked for again."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]{0,31}$")
    title: str = Field(min_length=1, max_length=80)
    denial: bool
    queue: str | None = Field(default=None, pattern=r"^[a-z][a-z0-9_]{0,31}$")
    groups: tuple[Literal["CO", "PR", "OA", "PI"], ...] = ()
    """Only under these adjustment groups; none: under any."""
    reasons: tuple[str, ...] = Field(default=(), max_length=500)

    def fits(self, group: str, reason: str) -> bool:
        """Whether the code belongs here; one printed without its group fits any."""
        return reason in self.reasons and (not self.groups or not group or group in self.groups)


class Remark(_Written):
    """A kind of remark that explains why a balance is off by the amount that it names."""

    kind: str = Field(pattern=r"^[a-z][a-z0-9_]{0,31}$")
    title: str = Field(min_length=1, max_length=80)
    words: tuple[str, ...] = Field(min_length=1, max_length=50)
    where: tuple[Level, ...] = Field(min_length=1)
    rate: Decimal | None = Field(default=None, gt=0, lt=1)
    raises: bool = False


class _Denials(_Written):
    categories: tuple[Category, ...] = Field(max_length=200)
    other: Category | None = None


class _Remarks(_Written):
    remarks: tuple[Remark, ...] = Field(max_length=200)


_Model = TypeVar("_Model", _Denials, _Remarks)


UNKNOWN = Category(name="other", title="Other reason", denial=True)


class Reductions(NamedTuple):
    """All categories and remarks, the appliance's own first; empty where none were read."""

    categories: tuple[Category, ...] = ()
    other: Category = UNKNOWN
    remarks: tuple[Remark, ...] = ()
    version: str = ""

    def category(self, group: str, reason: str) -> Category:
        """Which category a code belongs to."""
        return next((c for c in self.categories if c.fits(group, reason)), self.other)


def load_reductions(own: Path | None = None) -> Reductions:
    """The categories and remarks that come with the program, after those of ``own``.

    Args:
        own: The appliance's rules folder; it need not be there.

    Raises:
        RulesError: A file is not well formed; the message names it and what is wrong.
    """
    folders = [folder / FOLDER for folder in (own, SHIPPED_RULES) if folder is not None]
    denials = [_read(folder / "denials.yaml", _Denials) for folder in folders]
    remarks = [_read(folder / "remarks.yaml", _Remarks) for folder in folders]
    found = Reductions(
        categories=tuple(c for each in denials if each for c in each.categories),
        other=next((each.other for each in denials if each and each.other), UNKNOWN),
        remarks=tuple(r for each in remarks if each for r in each.remarks),
    )
    said = repr((found.categories, found.other, found.remarks))
    return found._replace(version=hashlib.sha256(said.encode()).hexdigest()[:16])


def _read(path: Path, model: type[_Model]) -> _Model | None:
    """One file, checked strictly; none where there is no such file."""
    try:
        if not path.is_file():
            return None
        if path.stat().st_size > MOST_BYTES:
            raise RulesError(f"{path}: larger than {MOST_BYTES} bytes")
        return model.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise RulesError(f"{path}: {where}: {first['msg']}") from None
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise RulesError(f"{path}: {error}") from None
