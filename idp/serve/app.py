# SPDX-License-Identifier: Apache-2.0
"""The addresses of the status page."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Annotated, Any

from fastapi import FastAPI, Query, Request, Response
from fastapi.responses import (
    FileResponse,
    HTMLResponse,
    JSONResponse,
    PlainTextResponse,
    RedirectResponse,
)
from fastapi.staticfiles import StaticFiles
from jinja2 import Environment, PackageLoader, StrictUndefined
from sqlalchemy.exc import SQLAlchemyError

from idp import __version__
from idp.channels import channel_rows
from idp.contract import to_contract
from idp.document import DocumentType
from idp.errors import ExitCode, IdpError, NotFoundError, WrongStateError
from idp.gate import Guard, actor_of, require_sign_on, role_of
from idp.letters import as_pdf, draft_for
from idp.outgoing import HandoverFigures, linked
from idp.quality import Remembered
from idp.retraining import Trainer
from idp.schemas import DocumentSchema, load_schemas
from idp.serve.deliveries import DELIVERY_TONES, FiguresAtMost, ages, steps, tiles, types
from idp.serve.layers import page_layers
from idp.serve.metrics import METRICS_TYPE, exposition, of_handovers
from idp.serve.pictures import as_png
from idp.serve.view import (
    TONES,
    ago,
    document_view,
    due_tone,
    moment,
    money,
    overdue_banner,
    state_groups,
    type_title,
    until,
    with_code,
)
from idp.settings import Settings
from idp.store import Role, State, Store

_ACTOR = "status page"
_MOST_ROWS = 200
_MOST_WAITING = 25
_STATUS = {ExitCode.NOT_FOUND: 404, ExitCode.USAGE: 409, ExitCode.ALREADY_RUNNING: 409}
_BACK = {"quarantine": "/quarantine", "overview": "/", "deliveries": "/deliveries"}


def create_app(
    settings: Settings,
    store: Store,
    problems: Callable[[], tuple[str, ...]] = tuple,
    reading: Callable[[], Mapping[str, int]] = dict,
    trainer: Trainer | None = None,
) -> FastAPI:
    """The status page over a store.

    Args:
        settings: Thresholds to show, names to answer to.
        store: Where the documents are; it is read, and asked to release or requeue.
        problems: What an operator should look at now (drop folders, disk), a line each.
        reading: Counts of the reading processes and remembered pages.
        trainer: Retrains the models when an administrator asks; without it nobody can.
    """
    app = FastAPI(title="idp", version=__version__, openapi_url=None, docs_url=None, redoc_url=None)
    if settings.serve.sign_on:
        require_sign_on(app, settings, store, settings.serve.host)
    app.middleware("http")(Guard(settings.serve.host, settings.serve.names))
    app.mount("/assets", StaticFiles(directory=Path(__file__).parent / "assets"), name="assets")
    schemas = load_schemas(settings.schemas_folder)
    pages = _templates(schemas)

    def page(template: str, status: int = 200, **values: Any) -> HTMLResponse:
        text = pages.get_template(template).render(now=dt.datetime.now(dt.UTC), **values)
        return HTMLResponse(text, status_code=status)

    @app.exception_handler(IdpError)
    def _refused(_: Request, error: Exception) -> Response:
        assert isinstance(error, IdpError)
        status = _STATUS.get(error.exit_code, 500)
        return page("error.html", status, error=error)

    @app.exception_handler(404)
    def _unknown(request: Request, error: Exception) -> Response:
        del request, error
        lost = NotFoundError("There is no such page.", hint="The overview lists all documents.")
        return page("error.html", 404, error=lost)

    sample = Remembered(store.quality, settings.decision.accuracy_target)
    handed_over = FiguresAtMost(store.handover_figures)

    @app.get("/")
    def _overview(
        request: Request,
        state: Annotated[State | None, Query()] = None,
        limit: Annotated[int, Query(ge=1, le=_MOST_ROWS)] = 50,
    ) -> Response:
        return page(
            "overview.html",
            groups=state_groups(store.counts()),
            queue=store.queue(10),
            waiting=store.waiting(_MOST_WAITING) if state is None else (),
            overdue=overdue_banner(store.overdue()),
            recent=store.recent(limit, states=None if state is None else {state}),
            state=state,
            inbox=settings.inbox_folder.absolute(),
            channels=channel_rows(settings, store.ledger_counts()),
            problems=problems(),
            quality=sample.lines(),
            verdict=sample.verdict(),
            training=trainer.offered(store)
            if trainer is not None and _may_train(request)
            else None,
        )

    @app.get("/quarantine")
    def _quarantine() -> Response:
        return page("quarantine.html", lying=store.quarantine(_MOST_ROWS))

    @app.get("/documents/{document_id}")
    def _document(document_id: str) -> Response:
        found = store.show(document_id)
        read = store.pages(document_id) if found.document is not None else ()
        schema = schemas.get(found.document.type) if found.document else None
        return page(
            "document.html",
            found=found,
            placed=linked(store.placed(document_id), settings.deliver.odoo.url),
            dead=any(not each.done and each.trouble for each in found.deliveries),
            view=document_view(found.document, read, schema, settings.decision)
            if found.document is not None
            else None,
        )

    @app.get("/documents/{document_id}/document.json")
    def _record(document_id: str) -> Response:
        document = store.document(document_id)
        if document is None:
            raise NotFoundError(f"{document_id} has not been read yet")
        return JSONResponse(to_contract(document))

    @app.get("/documents/{document_id}/pages/{number}")
    def _picture(document_id: str, number: int, *, large: bool = False) -> Response:
        path = store.page_image(document_id, number)
        return Response(as_png(path, large=large), media_type="image/png")

    @app.get("/documents/{document_id}/pages/{number}/layers")
    def _layers(document_id: str, number: int) -> Response:
        """Words, marks, rules and blocks of one page, for the viewer."""
        page = next((p for p in store.pages(document_id) if p.number == number), None)
        if page is None:
            raise NotFoundError(f"document {document_id!r} has no page {number}")
        return JSONResponse(page_layers(page))

    @app.get("/documents/{document_id}/original")
    def _original(document_id: str) -> Response:
        """The bytes as received: always a download, a browser must not interpret them."""
        found = store.show(document_id)
        suffix = Path(found.arrival.name).suffix.lower()
        safe = suffix if suffix[1:].isalnum() and suffix.isascii() else ".bin"
        return FileResponse(
            store.original(document_id),
            media_type="application/octet-stream",
            filename=f"{document_id}{safe}",
        )

    _add_watch(app, store, problems, reading, handed_over)
    _add_deliveries(app, store, page, handed_over)
    _add_actions(app, settings, store, trainer)
    return app


def _may_train(request: Request) -> bool:
    """Whether the models are this visitor's: an administrator's, where people sign on."""
    role = role_of(request)
    return role is None or role is Role.ADMINISTRATOR


def _add_watch(
    app: FastAPI,
    store: Store,
    problems: Callable[[], tuple[str, ...]],
    reading: Callable[[], Mapping[str, int]],
    handed_over: Callable[[], HandoverFigures],
) -> None:
    """The addresses that monitoring asks."""

    @app.get("/healthz")
    def _health() -> Response:
        """Whether the store answers, and how much lies where. No patient's data."""
        try:
            counts, clocks = store.counts(), store.clock_counts()
        except (SQLAlchemyError, IdpError) as error:
            return JSONResponse({"status": "failing", "error": type(error).__name__}, 503)
        return JSONResponse(
            {
                "status": "ok",
                "version": __version__,
                "problems": len(problems()),
                "reading": dict(reading()),
                "documents": {str(state): number for state, number in counts.items()},
                "clocks": clocks.by_state,
            }
        )

    @app.get("/metrics")
    def _metrics() -> Response:
        """The same counts for Prometheus. No patient's data."""
        documents = {str(state): number for state, number in store.counts().items()}
        clocks = store.clock_counts().by_state
        handovers = of_handovers(store.outgoing_counts(), handed_over())
        text = exposition(documents, reading(), clocks, handovers)
        return Response(text, media_type=METRICS_TYPE)


def _add_deliveries(
    app: FastAPI,
    store: Store,
    page: Callable[..., HTMLResponse],
    handed_over: Callable[[], HandoverFigures],
) -> None:
    """The page of what leaves."""

    @app.get("/deliveries")
    def _deliveries() -> Response:
        """What leaves, and what lies in Odoo. No patient's data."""
        figures = handed_over()
        return page(
            "deliveries.html",
            figures=figures,
            tiles=tiles(figures),
            types=types(figures),
            ages=ages(figures),
            steps=steps(figures),
            counts={str(state): number for state, number in store.outgoing_counts().items()},
            outgoing=store.outgoing(limit=_MOST_ROWS),
        )


def _add_actions(app: FastAPI, settings: Settings, store: Store, trainer: Trainer | None) -> None:
    """The addresses behind the buttons: each changes something, or puts something on record."""

    @app.post("/documents/{document_id}/letter")
    def _letter(request: Request, document_id: str) -> Response:
        """A draft to the sender as a download; that it was made is on the record."""
        found = store.show(document_id)
        letter = (
            draft_for(
                found.document,
                settings,
                reference=document_id,
                received_at=found.arrival.received_at,
            )
            if found.document is not None and found.document.error is None
            else None
        )
        if letter is None:
            raise WrongStateError(f"{document_id} lacks nothing that a sender could mend")
        store.note_letter(
            document_id, actor=actor_of(request, _ACTOR), form="pdf", items=letter.items
        )
        return Response(
            as_pdf(letter),
            media_type="application/pdf",
            headers={
                "Content-Disposition": f'attachment; filename="draft-letter-{document_id}.pdf"'
            },
        )

    @app.post("/documents/{document_id}/release")
    def _release(request: Request, document_id: str, back: str = "") -> Response:
        store.release(document_id, actor=actor_of(request, _ACTOR))
        return _return(document_id, back)

    @app.post("/documents/{document_id}/requeue")
    def _requeue(request: Request, document_id: str, back: str = "") -> Response:
        store.requeue(document_id, actor=actor_of(request, _ACTOR))
        return _return(document_id, back)

    @app.post("/models/retrain")
    def _retrain(request: Request) -> Response:
        """Start a retraining; it runs beside the service, and nothing is promoted."""
        if trainer is None or not _may_train(request):
            return PlainTextResponse("not for your role", status_code=403)
        trainer.start(actor_of(request, _ACTOR))
        return RedirectResponse("/", status_code=303)

    @app.post("/documents/{document_id}/retry")
    def _retry(request: Request, document_id: str, back: str = "") -> Response:
        store.retry_deliveries([document_id], actor=actor_of(request, _ACTOR))
        return _return(document_id, back)

    @app.post("/deliveries/retry")
    def _retry_all(request: Request) -> Response:
        store.retry_deliveries(actor=actor_of(request, _ACTOR))
        return RedirectResponse("/deliveries", status_code=303)


def _return(document_id: str, back: str) -> Response:
    """To the page whose button was pressed; only to pages of ours."""
    return RedirectResponse(_BACK.get(back, f"/documents/{document_id}"), status_code=303)


def _templates(schemas: Mapping[DocumentType, DocumentSchema]) -> Environment:
    """Templates that escape everything and fail on a name they do not know."""
    pages = Environment(
        loader=PackageLoader("idp.serve", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    pages.filters["ago"] = ago
    pages.filters["until"] = until
    pages.filters["due_tone"] = due_tone
    pages.filters["moment"] = moment
    pages.filters["type_title"] = partial(type_title, schemas=schemas)
    pages.filters["money"] = money
    pages.filters["with_code"] = with_code
    pages.globals["version"] = __version__
    pages.globals["tones"] = TONES
    pages.globals["delivery_tones"] = DELIVERY_TONES
    return pages
