# SPDX-License-Identifier: Apache-2.0
"""One tree of errors: a stable code, an exit code, and a hint for the operator.

Codes and exit codes are part of the contract (``docs/errors.md`` lists them, a test holds the two
together). Messages never carry a patient's data: they name files, pages and limits.
"""

from __future__ import annotations

import traceback
from enum import IntEnum
from pathlib import PurePath
from typing import ClassVar


class ExitCode(IntEnum):
    """What the shell sees. Anything but ``OK`` means the call or the installation is at fault."""

    OK = 0
    INTERNAL = 1
    USAGE = 2
    MISSING_DEPENDENCY = 3
    BAD_SETTINGS = 4
    NO_ACCESS = 5
    NOT_FOUND = 6
    BROKEN_INSTALLATION = 7
    ALREADY_RUNNING = 8
    INTERRUPTED = 130


class IdpError(Exception):
    """Base of all our errors."""

    code: ClassVar[str] = "internal"
    exit_code: ClassVar[ExitCode] = ExitCode.INTERNAL
    hint: ClassVar[str] = "This is a fault in idp. Please report it with the log around it."

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.operator_hint = hint or type(self).hint


class SettingsError(IdpError):
    """The settings contradict themselves or name something that is not there."""

    code = "bad_settings"
    exit_code = ExitCode.BAD_SETTINGS
    hint = "Correct idp.toml or the IDP_* variable that the message names; `idp doctor` checks it."


class SchemaError(IdpError):
    """A document schema is not well formed."""

    code = "bad_schema"
    exit_code = ExitCode.BROKEN_INSTALLATION
    hint = "Correct the YAML file that the message names; `idp doctor` checks all of them."


class RulesError(IdpError):
    """A file of rules (requirements, clocks, calendars, letters) is not well formed."""

    code = "bad_rules"
    exit_code = ExitCode.BROKEN_INSTALLATION
    hint = "Correct the YAML file that the message names; `idp doctor` checks all of them."


class ImportedDataError(IdpError):
    """A code list, register or directory can't be imported, or what was imported is damaged."""

    code = "bad_reference"
    exit_code = ExitCode.USAGE
    hint = "Correct the file, or name its columns; what was imported before stays in force."


class MissingDependencyError(IdpError):
    """Something the appliance needs is not installed."""

    code = "missing_dependency"
    exit_code = ExitCode.MISSING_DEPENDENCY
    hint = "Run `make install` again; `idp doctor` lists what is missing."


class ModelError(IdpError):
    """Weights are missing, damaged or do not fit the code."""

    code = "bad_model"
    exit_code = ExitCode.BROKEN_INSTALLATION
    hint = "Reinstall, or train again with `make train`; `idp doctor` checks the manifest."


class TrainingError(IdpError):
    """Training or evaluating models came to nothing; the models in force are untouched."""

    code = "training_failed"
    hint = "The lines above tell why. Mend it and call again: nothing was registered."


class RefusedError(IdpError):
    """The gate refuses to put models in force that do worse than those that are."""

    code = "gate_refused"
    exit_code = ExitCode.USAGE
    hint = "`idp models show VERSION` tells more; `--force REASON` overrides, on the record."


class NotFoundError(IdpError):
    """No such document, arrival or file."""

    code = "not_found"
    exit_code = ExitCode.NOT_FOUND
    hint = "`idp status` lists what there is."


class AccessError(IdpError):
    """A folder or file can't be read or written."""

    code = "no_access"
    exit_code = ExitCode.NO_ACCESS
    hint = "Check owner and mode of the path, and that its disk is mounted and not full."


class WrongStateError(IdpError):
    """The verb does not apply to a document in its present state."""

    code = "wrong_state"
    exit_code = ExitCode.USAGE
    hint = "`idp show ID` tells the document's state and how it came there."


class FormError(IdpError):
    """A registered form can't be used: its files are damaged, or its name belongs to another."""

    code = "bad_form"
    exit_code = ExitCode.USAGE
    hint = "`idp forms list` shows what is registered; correct its fields.yaml or add it anew."


class DamagedStoreError(IdpError):
    """A stored file is missing or its bytes no longer match their sha256."""

    code = "damaged_store"
    exit_code = ExitCode.BROKEN_INSTALLATION
    hint = "Check the disk and restore the data folder from a backup."


class ScannerDownError(IdpError):
    """The virus scanner that the settings ask for does not answer: files wait for it."""

    code = "scanner_down"
    exit_code = ExitCode.MISSING_DEPENDENCY
    hint = "Start clamd, or correct ingest.clamd in idp.toml; waiting files go on by themselves."


class ReviewError(IdpError):
    """Label Studio can't be installed, started, reached or set up; documents wait in review."""

    code = "review_failed"
    exit_code = ExitCode.NO_ACCESS
    hint = (
        "`idp doctor` tries it; run `scripts/review` for its environment, then `idp review setup`."
    )


class ReviewRefusedError(ReviewError):
    """Label Studio is there and says that a request is wrong: the same again is refused again."""

    code = "review_refused"
    hint = "`idp review setup` brings its projects up to date; `idp doctor` tries the connection."


class MailboxError(IdpError):
    """A mailbox can't be reached or refuses; its mails stay where they are."""

    code = "mailbox_failed"
    exit_code = ExitCode.NO_ACCESS
    hint = "Check host, user, password file and folder of the mailbox; `idp doctor` tries it."


class AlreadyRunningError(IdpError):
    """Another process works on the same data folder."""

    code = "already_running"
    exit_code = ExitCode.ALREADY_RUNNING
    hint = "Stop the other `idp run`, or give this one a data folder of its own."


class DeliveryError(IdpError):
    """A document could not be handed over whole; nothing was published."""

    code = "delivery_failed"
    hint = "Check the outbox disk and the stored original (`idp doctor`), then `idp requeue ID`."


class OdooError(DeliveryError):
    """Odoo can't be used as it is: documents wait, nothing is lost."""

    code = "odoo_failed"
    exit_code = ExitCode.NO_ACCESS
    hint = "`idp doctor` tries the connection and the bot's rights; documents wait meanwhile."


class OdooUnreachableError(OdooError):
    """Odoo does not answer: nothing was written."""

    code = "odoo_unreachable"
    hint = "Check deliver.odoo.url, the network and the certificate; it is tried again by itself."


class OdooUncertainError(OdooError):
    """An answer of Odoo never came: whether it did what was asked, nobody knows."""

    code = "odoo_uncertain"
    hint = (
        "It is tried again by itself, under the same external id; look at Odoo's log if it stays."
    )


class OdooBusyError(OdooError):
    """Another writer was at the same record at the same time: nobody's fault."""

    code = "odoo_busy"
    hint = "It is tried again by itself; nothing was written."


class OdooRightsError(OdooError):
    """The bot user lacks a right; the message names it."""

    code = "odoo_rights"
    hint = "Give the bot user the right (docs/odoo.md lists what it needs), nothing else waits."


class OdooRefusedError(OdooError):
    """Odoo says that what was to be written is wrong: the same again is refused again."""

    code = "odoo_refused"
    hint = "Compare rules/odoo with the server by `idp doctor`, then `idp deliver retry`."


class InputError(IdpError):
    """The file itself is at fault: it goes to quarantine, the original is kept."""

    code = "bad_input"
    hint = "Open the original to see what arrived and ask the sender to send it again."


class EmptyFileError(InputError):
    """Zero bytes."""

    code = "empty_file"
    hint = "The sender's transfer was cut off before the first byte; ask for it again."


class UnsupportedFileError(InputError):
    """Not a format that idp reads."""

    code = "unsupported_file"
    hint = "`docs/arrival.md` lists what idp reads. Convert the file, or ask for a fax or scan."


class OfficeFileError(InputError):
    """A word processor's, spreadsheet's or presentation's file that can't be converted here."""

    code = "office_file"
    hint = "Install LibreOffice (`soffice`) and queue the file again, or ask for a PDF."


class PortfolioError(InputError):
    """A PDF portfolio or dynamic XFA form: what a person sees is not in its pages."""

    code = "pdf_portfolio"
    hint = "Open it in Adobe Reader and print it to a PDF, or ask the sender for a plain PDF."


class EmptyMessageError(InputError):
    """A message or archive with nothing in it that could be read."""

    code = "empty_message"
    hint = "The mail or archive holds no document; ask the sender what was meant to be in it."


class PartialMessageError(InputError):
    """One piece of a message that was sent in pieces (RFC 2046 message/partial)."""

    code = "partial_message"
    hint = "Drop all pieces as one mbox or in one archive, or ask for the message in one piece."


class NestedTooDeepError(InputError):
    """Mails in archives in mails, deeper than the limit."""

    code = "nested_too_deep"
    hint = "Unpack it by hand, or raise ingest.max_depth in idp.toml."


class BrokenInterchangeError(InputError):
    """An X12 interchange whose segments contradict the standard; the message names the segment."""

    code = "broken_x12"
    hint = "Send the message's segment number to the trading partner and ask for the file again."


class InfectedFileError(InputError):
    """The virus scanner knows the file."""

    code = "infected_file"
    hint = "Don't open the original. Tell the sender; `idp show ID` names what was found."


class DamagedFileError(InputError):
    """Broken or cut off."""

    code = "damaged_file"
    hint = "The file is broken or cut off; ask the sender to send it again."


class EncryptedFileError(InputError):
    """Needs a password."""

    code = "encrypted_file"
    hint = "Ask the sender for a copy without a password."


class NotAFormError(InputError):
    """A PDF without places to fill in, or without print to know it again by."""

    code = "not_a_form"
    hint = "Register the fillable PDF that the payer or agency publishes, not a scan or a print."


class TooLargeError(InputError):
    """Over a limit of bytes, pages or pixels."""

    code = "too_large"
    hint = "Split the file, or raise the limit that the message names in idp.toml."


class TooSlowError(InputError):
    """Unpacking or reading did not end in time."""

    code = "too_slow"
    hint = "The file keeps its parser busy without end; raise the time limit if it is genuine."


class ParserCrashedError(InputError):
    """The child process that parsed the file died."""

    code = "parser_crashed"
    hint = "The file crashes its parser (or needs more memory than allowed); treat it as hostile."


class RepeatedFailureError(InputError):
    """Processing failed again and again."""

    code = "repeated_failure"
    hint = "See the log for the cause, mend it, then `idp requeue ID`."


def all_errors() -> tuple[type[IdpError], ...]:
    """Every error class, base first; what the documentation table is generated from."""
    found: list[type[IdpError]] = []
    todo: list[type[IdpError]] = [IdpError]
    while todo:
        cls = todo.pop(0)
        found.append(cls)
        todo.extend(cls.__subclasses__())
    return tuple(found)


def where(error: BaseException) -> str:
    """An unexpected error for the log: its class and the places it came through.

    Not its text: that may quote what stands on a page.
    """
    frames = traceback.extract_tb(error.__traceback__)[-4:]
    places = " < ".join(f"{PurePath(f.filename).name}:{f.lineno}" for f in reversed(frames))
    return f"{type(error).__name__} at {places}"
