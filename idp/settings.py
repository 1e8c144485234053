# SPDX-License-Identifier: Apache-2.0
"""Every option once: ``idp.toml``, then ``IDP_*`` environment variables, then the defaults here.

No room reads this module's global state: the pipeline hands each room its own slice.
``docs/settings.md`` is generated from the descriptions below (``make docs``); a test compares.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    AfterValidator,
    Field,
    StringConstraints,
    ValidationError,
    model_validator,
)
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from idp.document import Release
from idp.errors import SettingsError
from idp.slices import (
    AccessSettings,
    DeliverSettings,
    LearningSettings,
    ReviewSettings,
    ServeSettings,
    Slice,
)

SHIPPED_RULES = Path(__file__).parent.parent / "rules"
"""The rules that come with the program."""


DuplicatePolicy = Literal["warn", "hold", "skip"]
ChannelName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9 _.-]{0,63}$")]
"""It becomes the name of a folder."""


def _known_zone(name: str) -> str:
    try:
        return ZoneInfo(name).key
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"{name!r} is no IANA time zone") from error


ZoneName = Annotated[str, AfterValidator(_known_zone)]
SiteName = Annotated[str, StringConstraints(min_length=1, max_length=64)]
QueueName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,31}$")]
_OUR_QUEUES = frozenset({"process", "deliver"})


class ChannelSettings(Slice):
    """One drop folder."""

    folder: Path | None = Field(
        None, description="Where it lies; by default <inbox>/<channel>. May be a mounted share."
    )
    site: str | None = Field(
        None,
        max_length=64,
        description="Practice, clinic or payer it belongs to; on each document.",
    )
    queue: str = Field(
        "process",
        pattern=r"^[a-z][a-z0-9_]{0,31}$",
        description="Queue its files are worked in; others than `process` stand in engine.queues.",
    )
    priority: int = Field(5, ge=1, le=9, description="1 is worked first, 9 last.")
    settle_seconds: float = Field(
        2.0, ge=0, le=600, description="A file is taken once it has not changed for this long."
    )
    watch: Literal["events", "poll"] = Field(
        "events",
        description="`poll` for network shares (SMB, NFS), which tell of no events: scans only.",
    )
    keep_files: bool = Field(
        default=False,
        description="Read-only share: files stay where they are and a ledger remembers them.",
    )
    done_suffix: str = Field(
        "",
        pattern=r"^(\.[A-Za-z0-9]{1,16})?$",
        description="A file is taken only once another of its name and this suffix is there.",
    )
    sidecar: Literal["none", "optional", "required"] = Field(
        "optional",
        description="Whether a .xml, .json or .txt file of the same name describes the document.",
    )
    sidecar_seconds: float = Field(
        30.0,
        ge=0,
        le=3600,
        description="How long a required sidecar, or the document of a sidecar, is waited for.",
    )
    exact_duplicates: DuplicatePolicy = Field(
        "skip",
        description="The same bytes again. warn: worked and marked; hold: goes to review; skip: "
        "recorded and not worked.",
    )
    near_duplicates: DuplicatePolicy = Field(
        "hold",
        description="The same document sent or scanned again. warn: marked; hold: goes to review; "
        "skip: kept and shown, not delivered.",
    )
    release: Release | None = Field(
        None,
        description="When its documents leave by themselves, where it is stricter than what "
        "decision.types says.",
    )


class MailboxSettings(Slice):
    """One IMAP mailbox; what is in it goes through a drop folder."""

    host: str = Field(description="Name or address of the IMAP server.")
    port: int = Field(993, ge=1, le=65535, description="Port.")
    security: Literal["tls", "starttls", "none"] = Field(
        "tls", description="`none` only for a server on this machine."
    )
    ca_file: Path | None = Field(None, description="Own certificate authority, PEM.")
    user: str = Field(description="Account.")
    password_file: Path = Field(description="File whose first line is the password.")
    folder: str = Field("INBOX", description="Mail folder that is emptied.")
    channel: str = Field("email", description="Drop folder that the mails go to.")
    after: Literal["seen", "move", "delete"] = Field(
        "seen", description="What happens to a mail once it is on the record here."
    )
    move_to: str = Field("idp", description="Mail folder for `after = move`.")
    poll_seconds: float = Field(60.0, ge=1, le=3600, description="How often it is looked into.")

    @model_validator(mode="after")
    def _guarded(self) -> Self:
        if self.security == "none" and self.host not in ("localhost", "127.0.0.1", "::1"):
            raise ValueError(
                "security = none sends the password in the clear: on this machine only"
            )
        return self


class IngestSettings(Slice):
    """What is taken from the drop folders, and the limits of what is unpacked."""

    channels: dict[ChannelName, ChannelSettings] = Field(
        default_factory=lambda: {n: ChannelSettings() for n in ("fax", "email", "scan")},
        description="Drop folders below the inbox; the folder's name is the channel.",
    )
    rescan_seconds: float = Field(
        5.0, gt=0, le=3600, description="Events are a hint; a full scan this often is the truth."
    )
    keep_done_days: int = Field(
        7, ge=0, description="How long taken files stay in .done before they are removed."
    )
    max_bytes: int = Field(200_000_000, gt=0, description="Largest file that is unpacked.")
    max_pages: int = Field(500, gt=0, description="Most pages of one file.")
    max_pixels: int = Field(60_000_000, gt=0, description="Most pixels of one page.")
    unpack_seconds: float = Field(120.0, gt=0, description="Longest time to unpack one file.")
    unpack_memory_mb: int = Field(2048, gt=0, description="Memory of the unpacking child process.")
    render_dpi: int = Field(200, ge=100, le=600, description="Resolution at which PDFs are drawn.")
    max_depth: int = Field(
        5, ge=0, le=20, description="How deep mails, archives and attachments may be nested."
    )
    max_parts: int = Field(200, ge=1, description="Most attachments and members of one file.")
    max_expanded_bytes: int = Field(
        1_000_000_000, gt=0, description="Most bytes that all parts of one file unpack to."
    )
    passwords_file: Path | None = Field(
        None, description="Passwords tried on encrypted PDFs and archives, one a line."
    )
    office_seconds: float = Field(
        60.0, gt=0, description="Longest time for LibreOffice to convert one file."
    )
    clamd: str | None = Field(
        None,
        description="Virus scanner: a socket's path or HOST:PORT of clamd. While it is down, files "
        "wait.",
    )
    timezone: ZoneName | None = Field(
        None, description="IANA zone of fax header times; by default this machine's."
    )
    mailboxes: dict[str, MailboxSettings] = Field(
        default_factory=dict, description="IMAP mailboxes that are emptied into drop folders."
    )

    @model_validator(mode="after")
    def _mailboxes_have_channels(self) -> Self:
        for name, mailbox in self.mailboxes.items():
            channel = self.channels.get(mailbox.channel)
            if not re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,31}", name):
                raise ValueError(f"mailboxes: {name!r} is no name: small letters, digits, - and _")
            if channel is None:
                raise ValueError(f"mailboxes.{name}: there is no channel {mailbox.channel!r}")
            if channel.keep_files or channel.done_suffix or channel.sidecar == "required":
                raise ValueError(
                    f"mailboxes.{name}: channel {mailbox.channel!r} has keep_files, done_suffix or "
                    "a required sidecar, so a mail put there would not be taken"
                )
        return self


class ReadSettings(Slice):
    """How pages are read."""

    engine: Literal["onnxruntime", "openvino"] = Field(
        "onnxruntime", description="What runs the networks; openvino is an extra to be installed."
    )
    device: str = Field("cpu", pattern=r"^(cpu|gpu(:\d+)?)$", description="cpu, gpu or gpu:N.")
    gpu_pages: int = Field(
        4, ge=1, le=64, description="Pages that a worker on a GPU reads at a time; on a CPU one."
    )
    workers: int = Field(2, ge=1, le=64, description="Reading child processes, one thread each.")
    recycle_pages: int = Field(200, ge=1, description="A worker is replaced after so many pages.")
    recycle_memory_mb: int = Field(
        1000, ge=0, description="A worker larger than this after a page is replaced; 0 is never."
    )
    cache_bytes: int = Field(
        1_000_000_000,
        ge=0,
        description="Pages as read are kept below <data>/cache up to this size, so that the same "
        "page costs nothing again; 0 keeps none.",
    )
    cache_days: float = Field(
        7.0, gt=0, description="How long a page as read is kept after its last use."
    )
    page_seconds: float = Field(120.0, gt=0, description="Longest time to read one page.")
    page_memory_mb: int = Field(
        4096, ge=512, description="Memory of one reading child process, in megabytes."
    )
    detection: Literal["tiny", "small"] = Field("tiny", description="Text detection model.")
    detection_side: int = Field(960, ge=640, le=4096, description="Longest side for detection.")
    thorough: bool = Field(
        default=False,
        description="Both recognisers read every line; off: the thorough one only reads what is "
        "doubtful to the quick one.",
    )
    second_look_below: float = Field(
        0.75,
        ge=0,
        le=1,
        description="A word is doubtful of which a letter scores less to the quick recogniser.",
    )
    second_look_at_faxes_below: float = Field(
        0.9, ge=0, le=1, description="The same on 1-bit pages, where it errs more surely."
    )
    blur_sigma: float = Field(0.9, ge=0, le=3, description="Blur of 1-bit pages, in pixels.")
    layout_model: str | None = Field(
        None,
        description="A layoutparser model that names the page's blocks: `lp://BACKEND/DATASET` or "
        "`package.module:Class`; by default geometry does.",
    )


class ExtractSettings(Slice):
    """How values are found."""

    layoutlm: bool = Field(
        default=True,
        description="The LayoutLM tagger speaks with the CRF where models/manifest.json names one; "
        "it costs about .1 CPU seconds a page.",
    )


class DecisionSettings(Slice):
    """When a document may leave without a person."""

    automatic: bool = Field(default=True, description="Off: everything goes to review.")
    types: dict[str, Release] = Field(
        default_factory=dict,
        description="Document type or subtype -> never, confident or always; by default confident. "
        "`always` lets doubtful values pass, never a finding that blocks.",
    )
    accuracy_target: float = Field(
        0.99,
        ge=0,
        lt=1,
        description="Share of the values that leave by themselves which must be right (.99: at "
        "most 1 % wrong). The thresholds of what models read follow from what was measured of "
        "them; where no threshold is proved to keep it, nothing of that kind leaves by itself. "
        "Values of registered forms and interchanges keep to field_threshold. "
        "0: all keep to field_threshold.",
    )
    shown_target: float = Field(
        0.975,
        ge=0,
        lt=1,
        description="Share of the values which stay closed on a reviewer's screen that must be "
        "right, proved in the same way; doubtful ones are opened. Never stricter than "
        "accuracy_target.",
    )
    quality_sample: float = Field(
        0.02,
        ge=0,
        le=1,
        description="Share of what would leave by itself that a person checks first, so that the "
        "true error rate is measured.",
    )
    field_threshold: float = Field(
        0.9, ge=0, le=1, description="A field below this confidence goes to review."
    )
    unseen_threshold: float = Field(
        0.95,
        ge=0,
        le=1,
        description="The same on pages of fair quality, and on layouts that are neither a "
        "registered form nor were ever corrected here; the higher of both holds.",
    )
    type_threshold: float = Field(
        0.8, ge=0, le=1, description="A document type below this confidence goes to review."
    )
    cut_threshold: float = Field(
        0.8,
        ge=0,
        le=1,
        description="Documents of one file go to review where the cut between them is less sure.",
    )


class SiteSettings(Slice):
    """Whose paperwork it is: it says which clocks run, and when people work there."""

    role: Literal["provider", "payer"] = Field(
        "provider", description="What it is to the documents: it asks payers, or it is one."
    )
    timezone: ZoneName | None = Field(
        None, description="IANA zone of its working day; by default this machine's."
    )
    calendar: str = Field(
        "us_federal",
        pattern=r"^[a-z][a-z0-9_]{0,63}$",
        description="Working days and hours: a file of this name in rules/calendars.",
    )
    line_of_business: str | None = Field(
        None,
        pattern=r"^[a-z][a-z0-9_]{0,63}$",
        description="Where all of it is of one line (medicare_advantage, medicaid, qhp_ffe ...: "
        "lines_of_business of rules/clocks.yaml); by default what the payer's name says.",
    )


class EngineSettings(Slice):
    """Durable execution."""

    concurrency: int = Field(4, ge=1, le=64, description="Documents worked on at a time.")
    queues: dict[QueueName, Annotated[int, Field(ge=1, le=64)]] = Field(
        default_factory=dict,
        description="Further queues for channels, and how many documents each works on at a time.",
    )
    attempts: int = Field(3, ge=1, le=20, description="Tries before a document is quarantined.")
    reconcile_seconds: float = Field(30.0, gt=0, description="How often lost work is looked for.")


class LetterSettings(Slice):
    """Draft letters back to senders; none is ever sent by itself."""

    organisation: str = Field("", max_length=200, description="Who writes, on top of the letter.")
    reply_to: str = Field(
        "", max_length=200, description="Where answers go: a fax number or an address."
    )
    patient: Literal["initials", "name", "none"] = Field(
        "initials", description="How the patient is named: no more than the sender needs."
    )


class Settings(BaseSettings):
    """All options of the appliance."""

    model_config = SettingsConfigDict(
        env_prefix="IDP_",
        env_nested_delimiter="__",
        toml_file="idp.toml",
        extra="forbid",
        frozen=True,
    )

    data: Path = Field(
        Path("data"), description="Everything the appliance keeps: database, content store, logs."
    )
    inbox: Path | None = Field(None, description="Drop folders; by default <data>/inbox.")
    outbox: Path | None = Field(None, description="Delivered documents; by default <data>/outbox.")
    database_url: str | None = Field(
        None, description="SQLAlchemy URL; by default SQLite at <data>/idp.sqlite."
    )
    models: Path | None = Field(None, description="Shipped weights; by default those in models/.")
    schemas: Path | None = Field(
        None,
        description="Document types of your own, one YAML file each; by default <data>/schemas.",
    )
    rules: Path | None = Field(
        None,
        description="Rules of your own that change without code (payer requirements, clocks, "
        "calendars, letters): laid over those of the program; by default <data>/rules.",
    )
    sites: dict[SiteName, SiteSettings] = Field(
        default_factory=dict,
        description="What is known of the sites that channels name; others are provider sites.",
    )
    ingest: IngestSettings = IngestSettings()
    read: ReadSettings = ReadSettings()
    extract: ExtractSettings = ExtractSettings()
    decision: DecisionSettings = DecisionSettings()
    engine: EngineSettings = EngineSettings()
    learning: LearningSettings = LearningSettings()
    review: ReviewSettings = ReviewSettings()
    access: AccessSettings = AccessSettings()
    serve: ServeSettings = ServeSettings()
    letters: LetterSettings = LetterSettings()
    deliver: DeliverSettings = DeliverSettings()

    @model_validator(mode="after")
    def _channels_and_queues_fit(self) -> Self:
        """Each channel has a folder for itself and a queue that is worked."""
        for name in self.engine.queues:
            if name in _OUR_QUEUES:
                raise ValueError(f"engine.queues.{name}: the name is taken")
        folders: dict[str, Path] = {}
        for name, channel in self.ingest.channels.items():
            if channel.queue != "process" and channel.queue not in self.engine.queues:
                raise ValueError(
                    f"ingest.channels.{name}.queue: {channel.queue} is not in engine.queues"
                )
            folder = self.channel_folder(name).absolute()
            for other, there in folders.items():
                if folder.is_relative_to(there) or there.is_relative_to(folder):
                    raise ValueError(
                        f"ingest.channels.{name}.folder lies in or around that of {other}"
                    )
            folders[name] = folder
        return self

    def channel_folder(self, name: str) -> Path:
        """Where a channel's files are dropped."""
        return self.ingest.channels[name].folder or self.inbox_folder / name

    @property
    def inbox_folder(self) -> Path:
        return self.inbox or self.data / "inbox"

    @property
    def outbox_folder(self) -> Path:
        return self.outbox or self.data / "outbox"

    @property
    def cache_folder(self) -> Path:
        return self.data / "cache"

    @property
    def forms_folder(self) -> Path:
        """The registered blank forms (``idp forms``)."""
        return self.data / "forms"

    @property
    def counts_file(self) -> Path:
        """What became of the running service's reading processes; counts only."""
        return self.data / "reading.json"

    @property
    def models_folder(self) -> Path:
        return self.models or Path(__file__).parent.parent / "models"

    @property
    def registry_folder(self) -> Path:
        """Models made or registered here; those of `models_folder` are the program's."""
        return self.data / "models"

    @property
    def rules_folder(self) -> Path:
        """Rules of this appliance's people; those of the program lie in :data:`SHIPPED_RULES`."""
        return self.rules or self.data / "rules"

    @property
    def reference_folder(self) -> Path:
        """Imported code lists and registers (``idp reference``)."""
        return self.data / "reference"

    @property
    def masters_folder(self) -> Path:
        """Imported directories of members, providers and payers (``idp masters``)."""
        return self.data / "masters"

    @property
    def review_folder(self) -> Path:
        """What Label Studio keeps and sees: its database, our token, the pages under review."""
        return self.data / "review"

    @property
    def schemas_folder(self) -> Path:
        return self.schemas or self.data / "schemas"

    @property
    def resolved_database_url(self) -> str:
        return self.database_url or f"sqlite:///{(self.data / 'idp.sqlite').absolute()}"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments, then environment, then ``idp.toml`` in the current folder."""
        return (init_settings, env_settings, TomlConfigSettingsSource(settings_cls))


def load_settings(**overrides: object) -> Settings:
    """The settings in force; raises :class:`SettingsError` naming the option at fault."""
    try:
        return Settings(**overrides)  # type: ignore[arg-type]
    except (ValidationError, ValueError) as error:
        raise SettingsError(str(error)) from error
