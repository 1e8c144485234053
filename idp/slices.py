# SPDX-License-Identifier: Apache-2.0
"""Options of the rooms around the corridor: learning, review, the status page.

:mod:`idp.settings` has the others and puts them together; it is what everybody imports.
"""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, model_validator


class Slice(BaseModel):
    """One room's options."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class GateSettings(Slice):
    """How far a challenger may fall behind. Shares, not points: .005 is half a point."""

    max_drop: float = Field(
        0.005, ge=0, le=1, description="Most that F1 or precision may drop over the whole set."
    )
    max_layout_drop: float = Field(
        0.05, ge=0, le=1, description="Most that F1 may drop on one layout with enough documents."
    )
    layout_documents: int = Field(
        5, ge=1, description="A layout with so many documents in the set is judged by itself."
    )
    max_field_drop: float = Field(
        0.05, ge=0, le=1, description="Most that F1 may drop on one field with enough documents."
    )
    field_documents: int = Field(
        20, ge=1, description="A field that so many documents of the set have is judged by itself."
    )
    min_documents: int = Field(
        20, ge=1, description="A set with fewer documents proves nothing: promotion is refused."
    )
    draws: int = Field(2000, ge=200, le=100_000, description="Draws of the bootstrap.")


class LearningSettings(Slice):
    """How corrections become better models."""

    locked_share: float = Field(
        0.25, ge=0, le=1, description="Share of layout families that no training ever sees."
    )
    locked_set: Path | None = Field(
        None,
        description="Folder that every challenger must be evaluated on before it is promoted; "
        "`idp models evaluate` takes it when no other is named.",
    )
    gate: GateSettings = GateSettings()
    drift_threshold: float = Field(
        0.25, gt=0, description="A population stability index above it is a warning."
    )
    drift_reference_weeks: int = Field(
        4, ge=1, le=52, description="Each week is compared with so many before it."
    )
    drift_documents: int = Field(
        30, ge=1, description="Weeks and references with fewer documents are not judged."
    )


class ReviewSettings(Slice):
    """Reviews in Label Studio (community edition), which the appliance guards and feeds."""

    label_studio: Literal["none", "own", "existing"] = Field(
        "none",
        description="none: documents wait on the status page. own: `idp run` starts the Label "
        "Studio of review.environment on loopback. existing: one at review.url.",
    )
    environment: Path | None = Field(
        None,
        description="Virtual environment that holds label-studio and its SDK; by default "
        ".venv-review beside the program (`scripts/review` makes it).",
    )
    port: int = Field(8601, ge=0, le=65535, description="Own Label Studio, on loopback only.")
    url: str | None = Field(None, description="Address of an existing Label Studio.")
    token_file: Path | None = Field(
        None, description="File whose first line is its access token; own: made by itself."
    )
    gate_port: int = Field(
        8602,
        ge=0,
        le=65535,
        description="Where reviewers come in: sign-on, then the screen.",
    )
    gate_host: str = Field("127.0.0.1", description="Address the gate listens on.")
    address: str | None = Field(
        None,
        pattern=r"^https?://[A-Za-z0-9.\[\]:_-]+$",
        description="Where reviewers' browsers and a Label Studio elsewhere reach the gate, as "
        "https://review.example.org. With an existing Label Studio page images are then links "
        "with a signature that expires, and its webhook comes here.",
    )
    page_days: float = Field(
        7.0,
        ge=0.01,
        le=90,
        description="How long such a link to a page is good at most; what still waits gets new "
        "ones at half time.",
    )
    poll_seconds: float = Field(
        5.0,
        gt=0,
        le=600,
        description="How often finished reviews are fetched; a webhook hints.",
    )
    batch: int = Field(200, ge=1, le=250, description="Most documents sent in one call.")
    retain_days: float = Field(
        1.0,
        ge=0,
        le=30,
        description="How long an answered document stays in Label Studio, so that its reviewer can "
        "open it again and mend a slip; then task and page images are removed. 0: at once.",
    )
    request_seconds: float = Field(30.0, gt=0, description="Longest wait for one answer.")
    four_eyes: dict[str, Annotated[float, Field(ge=0, le=1)]] = Field(
        default_factory=dict,
        description="Document type or subtype -> share of its documents (1: all) that two "
        "different people look at before they leave; where they differ a lead decides.",
    )
    second_look: Literal["independent", "checking"] = Field(
        "independent",
        description="independent: the second person sees the document as it was read, and does "
        "not know of the first. checking: with what the first one corrected.",
    )
    figures_documents: int = Field(
        30, ge=10, description="One person's figures are shown from so many documents on."
    )
    figures_people: int = Field(
        3,
        ge=1,
        description="Times of a group are shown when so many people worked in it: those of "
        "fewer would be one person's.",
    )

    @model_validator(mode="after")
    def _reachable(self) -> Self:
        if self.label_studio == "existing" and (self.url is None or self.token_file is None):
            raise ValueError(
                "review.label_studio = existing needs review.url and review.token_file"
            )
        if self.address is not None:
            at = urlsplit(self.address)
            if at.scheme != "https" and at.hostname not in {"localhost", "127.0.0.1", "::1"}:
                raise ValueError("review.address: pages would cross the network in clear")
        return self


class OdooSettings(Slice):
    """An Odoo server and how documents are put there."""

    url: str | None = Field(None, description="Address of the server, as https://odoo.example.org.")
    database: str | None = Field(None, description="Name of its database.")
    user: str | None = Field(None, description="Sign-in name of the bot user.")
    key_file: Path | None = Field(None, description="File whose first line is the bot's API key.")
    ca: Path | None = Field(
        None, description="Certificates (PEM) to trust instead of the system's."
    )
    protocol: Literal["auto", "jsonrpc", "json2"] = Field(
        "auto", description="auto: JSON-2 where the server has it (19 and later), else JSON-RPC."
    )
    place: Literal["auto", "documents", "dms", "attachment"] = Field(
        "auto",
        description="auto: Documents, else OCA dms, else an attachment, by what the server has and "
        "the bot may write.",
    )
    connect_seconds: float = Field(10.0, gt=0, le=120, description="Longest wait for a connection.")
    request_seconds: float = Field(120.0, gt=0, le=1800, description="Longest wait for an answer.")
    batch: int = Field(
        20, ge=1, le=100, description="Most documents handed over together; 1 hands over singly."
    )
    batch_megabytes: int = Field(
        32, ge=1, le=96, description="Most megabytes of files in one call."
    )
    max_megabytes: int = Field(
        90, ge=1, le=1024, description="A larger file is refused; Odoo takes about 96 by default."
    )
    look_up_seconds: float = Field(
        300.0,
        ge=0,
        le=86_400,
        description="How long what was found there (partners, folders, users) is believed.",
    )
    read_back_seconds: float = Field(
        60.0, ge=0, le=86_400, description="How often work items are looked at; 0 never."
    )


class DeliverSettings(Slice):
    """Where finished documents go."""

    to: Literal["outbox", "odoo"] = Field(
        "outbox", description="outbox: a folder each. odoo: the server of deliver.odoo."
    )
    odoo: OdooSettings = OdooSettings()

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.to == "odoo":
            for name in ("url", "database", "user", "key_file"):
                if getattr(self.odoo, name) is None:
                    raise ValueError(f"deliver.to = odoo needs deliver.odoo.{name}")
        return self


class AccessSettings(Slice):
    """How people come in: sessions, locks, TLS, a proxy that vouches for them."""

    names: tuple[str, ...] = Field(
        (), description="Host names the gate answers to, besides loopback and review.gate_host."
    )
    certificate: Path | None = Field(
        None, description="TLS certificate (PEM, with its chain) of the gate."
    )
    key: Path | None = Field(None, description="Its private key (PEM).")
    behind_tls: bool = Field(
        default=False,
        description="A reverse proxy before the gate speaks TLS; the gate itself need not.",
    )
    idle_minutes: int = Field(
        20, ge=1, le=720, description="A session unused for so long has ended."
    )
    session_hours: int = Field(10, ge=1, le=24, description="A session ends after it in any case.")
    lock_after: int = Field(
        5, ge=3, le=20, description="So many wrong passwords in a row lock an account."
    )
    lock_minutes: int = Field(15, ge=1, le=1440, description="How long it stays locked.")
    password_characters: int = Field(
        12, ge=8, le=64, description="Fewest characters of a password."
    )
    header: str | None = Field(
        None,
        pattern=r"^[A-Za-z0-9-]+$",
        description="Header in which a trusted proxy names who has signed on with it.",
    )
    trusted_proxies: tuple[str, ...] = Field(
        (), description="Addresses or networks whose header and X-Forwarded-For are believed."
    )

    @property
    def trusted_networks(self) -> tuple[IPv4Network | IPv6Network, ...]:
        return tuple(ip_network(each) for each in self.trusted_proxies)

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.certificate is None) != (self.key is None):
            raise ValueError("access.certificate and access.key belong together")
        for each in self.trusted_proxies:
            if ip_network(each).prefixlen == 0:
                raise ValueError(f"access.trusted_proxies: {each} is everybody")
        if self.header is not None and not self.trusted_proxies:
            raise ValueError("access.header needs access.trusted_proxies")
        return self


class ServeSettings(Slice):
    """The status page."""

    host: str = Field("127.0.0.1", description="Address to listen on; loopback by default.")
    port: int = Field(8600, ge=0, le=65535, description="Port of the status page; 0 picks one.")
    names: tuple[str, ...] = Field(
        (), description="Host names it answers to, besides loopback and `host`."
    )
    sign_on: bool = Field(
        default=False,
        description="Only leads and administrators who sign in see it; /healthz and /metrics stay "
        "open.",
    )
