# SPDX-License-Identifier: Apache-2.0
"""Reading the YAML files of rules: strictly, and with the file's name in every complaint."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from idp.errors import RulesError

_MOST_BYTES = 1_000_000


class Strict(BaseModel):
    """Refuses keys it does not know, so that a typo in a YAML file is an error at start."""

    model_config = ConfigDict(frozen=True, extra="forbid")


Model = TypeVar("Model", bound=BaseModel)


class _NoDoubles(yaml.SafeLoader):
    """Refuses a key that is written twice: YAML would silently take the last one."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[object, object]:  # noqa: FBT001, FBT002 - as the base
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        for key in keys:
            if keys.count(key) > 1:
                raise yaml.constructor.ConstructorError(
                    None, None, f"{key!r} is written twice", node.start_mark
                )
        return super().construct_mapping(node, deep=deep)


def read_yaml(path: Path, model: type[Model]) -> Model:
    """One file as a model; raises :class:`RulesError` naming the file and what is wrong in it."""
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise RulesError(f"{path}: larger than {_MOST_BYTES} bytes")
        written = yaml.load(path.read_text(encoding="utf-8"), Loader=_NoDoubles)  # noqa: S506 - safe
        return model.model_validate(written)
    except (OSError, UnicodeDecodeError, yaml.YAMLError, RecursionError) as error:
        raise RulesError(f"{path}: {error}") from error
    except ValidationError as error:
        raise RulesError(f"{path}: {_said(error)}") from error
    except (ValueError, TypeError) as error:  # YAML's own dates: the thirteenth month
        raise RulesError(f"{path}: {error}") from error


def _said(error: ValidationError) -> str:
    """What is wrong, by place, without repeating whole values."""
    told = []
    for each in error.errors(include_url=False, include_input=False)[:8]:
        place = ".".join(str(part) for part in each["loc"])
        told.append(f"{place}: {each['msg']}" if place else each["msg"])
    return "; ".join(told)
