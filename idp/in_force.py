# SPDX-License-Identifier: Apache-2.0
"""The field models in force, and a challenger in the shadow; looked up between documents.

A promotion or a rollback is one rename in the registry; the next document that begins is read by
the new models, one at work is finished by the old ones. Models that can't be loaded never stop the
service: those in use stay in use, at a start the shipped ones are, and
:meth:`ModelsInForce.problems` says so.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from idp.document import Document, Page
from idp.errors import IdpError, where
from idp.extract import Extractor
from idp.learning import SHIPPED, Registry, compare, is_drawn, signature
from idp.signals import Observation, ShadowRun

_log = logging.getLogger(__name__)

MODELS = "models"
"""The name of the whole set among a document's ``model_versions``."""


class Champion(NamedTuple):
    """The models that a document is read by, from its first page to its last."""

    extractor: Extractor
    version: str

    @property
    def versions(self) -> dict[str, str]:
        return {**self.extractor.versions, MODELS: self.version}


class _Challenger(NamedTuple):
    extractor: Extractor
    version: str
    share: float


class ModelsInForce:
    """Hands out the models in force; safe for threads.

    Args:
        registry: Where promoted models are; its shipped ones are in force without a promotion.
        load: Makes an extractor from a models folder.

    Raises:
        ModelError: Not even the shipped models can be loaded.
    """

    def __init__(self, registry: Registry, load: Callable[[Path], Extractor]) -> None:
        self._registry = registry
        self._load = load
        self._lock = threading.Lock()
        self._stamp: tuple[object, ...] | None = None
        self._champion: Champion | None = None
        self._in_force = ""
        self._challenger: _Challenger | None = None
        self._problems: tuple[str, ...] = ()
        self.champion()

    def problems(self) -> tuple[str, ...]:
        """What an operator should look at; empty when all is well."""
        return self._problems

    def champion(self) -> Champion:
        """The models for the next document; costs two looks at the folder when nothing changed."""
        with self._lock:
            stamp = self._registry.stamp()
            if self._champion is None or stamp != self._stamp:
                self._renew()
                self._stamp = stamp
            assert self._champion is not None
            return self._champion

    def observe(self, champion: Champion, document: Document, pages: Sequence[Page]) -> Observation:
        """What the models did with a document; lets the challenger read it too if it is drawn.

        Whatever the challenger does, the document stays as it is.
        """
        confidences: dict[str, float] = {}
        for field in document.fields:
            confidences[field.name] = min(field.confidence, confidences.get(field.name, 1.0))
        return Observation(
            models=champion.version,
            layout=signature(pages),
            confidences=confidences,
            missing=document.missing,
            shadow=self._in_the_shadow(document, pages),
        )

    def _in_the_shadow(self, document: Document, pages: Sequence[Page]) -> ShadowRun | None:
        challenger = self._challenger
        if challenger is None or not is_drawn(document.sha256, challenger.share):
            return None
        try:
            found = challenger.extractor.extract(pages, document.type).fields
        except Exception as error:
            _log.warning("challenger %s: %s", challenger.version, where(error))
            return ShadowRun(challenger=challenger.version, error=type(error).__name__)
        return ShadowRun(
            challenger=challenger.version,
            agreement=compare(document.fields, found),
            fields=found,
        )

    def _renew(self) -> None:
        problems: list[str] = []
        try:
            version = self._registry.current().version
            if self._champion is None or version != self._in_force:
                self._champion = self._open(version)
                self._in_force = version
                _log.info("models %s are in force", self._champion.version)
        except IdpError as error:
            problems.append(f"the promoted models can't be used: {error.message}")
            _log.error("the promoted models can't be used: %s", error.message)
            if self._champion is None:
                self._champion = self._open(SHIPPED)
                self._in_force = SHIPPED
        try:
            shadow = self._registry.shadow()
            if shadow is None:
                self._challenger = None
            elif self._challenger is None or self._challenger.version != shadow.version:
                folder = self._registry.folder(shadow.version)
                self._challenger = _Challenger(self._load(folder), shadow.version, shadow.share)
            else:
                self._challenger = self._challenger._replace(share=shadow.share)
        except IdpError as error:
            self._challenger = None
            problems.append(f"the challenger can't be used: {error.message}")
            _log.error("the challenger can't be used: %s", error.message)
        self._problems = tuple(problems)

    def _open(self, version: str) -> Champion:
        return Champion(
            self._load(self._registry.folder(version)), self._registry.identity(version)
        )
