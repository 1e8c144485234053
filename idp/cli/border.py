# SPDX-License-Identifier: Apache-2.0
"""The border to the shell: errors become codes, and stdout carries results only."""

from __future__ import annotations

import contextlib
import functools
import io
import json
import os
import sys
import traceback
from collections.abc import Callable, Iterator
from typing import Any, NoReturn, ParamSpec, TextIO, TypeVar

import typer
from rich.console import Console

from idp.errors import ExitCode, IdpError, MissingDependencyError, where

P = ParamSpec("P")
R = TypeVar("R")

_WIDTH_WITHOUT_TERMINAL = 120
TRACEBACK_VARIABLE = "IDP_TRACEBACK"


def messages() -> Console:
    """Where people read what is going on: stderr, also while stdout is a pipe."""
    return Console(stderr=True, highlight=False)


def tables() -> Console:
    """Where results for people go."""
    return printer(sys.stdout)


def printer(stream: TextIO) -> Console:
    """Tables to ``stream``: as wide as the terminal, or wide enough where there is none."""
    width = None if stream.isatty() or "COLUMNS" in os.environ else _WIDTH_WITHOUT_TERMINAL
    return Console(file=stream, highlight=False, width=width)


def print_json(value: object) -> None:
    """One JSON value on one line of stdout."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False) + "\n")
    sys.stdout.flush()


def fail(error: IdpError) -> NoReturn:
    """Say what is wrong and what to do about it, and leave with the code of its kind."""
    console = messages()
    console.print(f"[bold red]error[/] [bold]{error.code}[/]: ", end="")
    console.print(error.message, markup=False, soft_wrap=True)
    console.print(f"[dim]hint:[/] {error.operator_hint}", soft_wrap=True)
    raise typer.Exit(error.exit_code)


def guarded(verb: Callable[P, R]) -> Callable[P, R]:
    """The verb with our errors turned into exit codes; a second border stands in ``main``."""

    @functools.wraps(verb)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return verb(*args, **kwargs)
        except (typer.Exit, typer.Abort, typer.BadParameter):
            raise
        except IdpError as error:
            fail(error)
        except ModuleNotFoundError as error:
            if (error.name or "").split(".")[0] == "idp":
                raise
            fail(MissingDependencyError(f"Python package {error.name} is not installed"))
        except BrokenPipeError:
            # The reader of our output has enough (``idp process ... | head -1``).
            with contextlib.suppress(OSError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(ExitCode.OK) from None
        except KeyboardInterrupt:
            messages().print("[dim]interrupted[/]")
            raise typer.Exit(ExitCode.INTERRUPTED) from None
        except Exception as error:
            fail(_internal(error))

    return run


def _internal(error: Exception) -> IdpError:
    """A fault of ours: its class and place, not its text, which may name a patient."""
    if os.environ.get(TRACEBACK_VARIABLE):
        traceback.print_exception(error)
    return IdpError(
        where(error),
        hint=f"This is a fault in idp: please report it. {TRACEBACK_VARIABLE}=1 shows all of it, "
        "which may include what stands on a page.",
    )


@contextlib.contextmanager
def results_only() -> Iterator[TextIO]:
    """Keep stdout for results while libraries and child processes may print what they like.

    File descriptor 1 points to stderr inside, for this process and the children it starts; the
    stream that is handed out is the real stdout.
    """
    sys.stdout.flush()
    try:
        real = os.dup(sys.stdout.fileno())
    except (io.UnsupportedOperation, AttributeError, OSError):
        # No descriptor of its own (a captured run): keep Python's prints out of it at least.
        captured = sys.stdout
        with contextlib.redirect_stdout(sys.stderr):
            yield captured
        return
    old = sys.stdout
    number = old.fileno()
    stream = os.fdopen(real, "w", encoding="utf-8", errors="replace")
    os.dup2(sys.stderr.fileno(), number)
    try:
        with contextlib.redirect_stdout(sys.stderr):
            yield stream
    finally:
        with contextlib.suppress(BrokenPipeError):
            stream.flush()
        os.dup2(real, number)
        with contextlib.suppress(BrokenPipeError):
            stream.close()


def one_line(value: dict[str, Any], stream: TextIO) -> None:
    """One JSON object on one line, handed on at once."""
    stream.write(json.dumps(value, ensure_ascii=False) + "\n")
    stream.flush()
