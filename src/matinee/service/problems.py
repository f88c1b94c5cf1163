"""Every error as a problem (RFC 9457); of what was sent it names ids, fields and numbers alone."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.routing import compile_path

from matinee.errors import (
    ConfigError,
    ConflictError,
    MatineeError,
    ModelFileError,
    NotFoundError,
    StoreUnavailableError,
)

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_S = 1
# From a request, a status, a title and a detail.
PageOfError = Callable[[Request, int, str, str], Response]


class Place(BaseModel):
    """A place in a request that is wrong."""

    where: str = Field(description="For example query.n or body.history.0.stars.")
    message: str


class Problem(BaseModel):
    """What went wrong, as RFC 9457 describes it."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    request_id: str | None = None
    errors: list[Place] | None = None


class OverloadedError(MatineeError):
    """More waits than can be answered soon."""


class UnauthorizedError(MatineeError):
    """No key, or one that nobody was given."""


class ForbiddenError(MatineeError):
    """A key that does not allow this."""


_TITLES = {
    400: "Bad request",
    401: "A key is needed",
    403: "Not allowed",
    404: "Not found",
    405: "Method not allowed",
    408: "Too slow",
    409: "Conflict",
    413: "Too large",
    422: "Not valid",
    429: "Too many requests",
    500: "Internal error",
    503: "Unavailable",
}
# The first kind that fits counts.
_STATUSES: tuple[tuple[type[MatineeError], int], ...] = (
    (UnauthorizedError, 401),
    (ForbiddenError, 403),
    (OverloadedError, 503),
    (StoreUnavailableError, 503),
    (ConflictError, 409),
    (NotFoundError, 404),
    (ModelFileError, 409),
    (ConfigError, 422),
)


def problem_responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Problems that a route may answer with, for its OpenAPI description."""
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {
        status: {"description": _TITLES[status], "content": content}
        for status in (*statuses, 400, 413, 422, 429, 503)
    }


def problem(
    status: int,
    detail: str,
    request_id: str | None = None,
    *,
    errors: list[Place] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """A problem as a response."""
    described = Problem(
        title=title_of(status),
        status=status,
        detail=detail,
        request_id=request_id,
        errors=errors,
    )
    extra = dict(headers or {})
    if status in (429, 503):
        extra.setdefault("Retry-After", str(RETRY_AFTER_S))
    if status == 401:
        extra["WWW-Authenticate"] = "Bearer"
    body = described.model_dump_json(exclude_none=True)
    return Response(body, status, extra, MEDIA_TYPE)


def told_of(request: Request, error: MatineeError) -> str:
    """What whoever asked is told of an error; why the store fails is for the log alone."""
    if not isinstance(error, StoreUnavailableError):
        return str(error)
    request.scope["why"] = str(error)
    return "the store cannot be read or written now; try again in a moment"


def title_of(status: int) -> str:
    """A status in words."""
    return _TITLES.get(status, "Error")


def status_of(error: MatineeError) -> int:
    """The status that an error is answered with."""
    return next((status for kind, status in _STATUSES if isinstance(error, kind)), 500)


def install(app: FastAPI, page: PageOfError | None = None) -> None:
    """Let an application answer every error as a problem.

    Args:
        app: the application.
        page: how to show a path that is none, outside the API, to somebody with a browser.
    """

    async def of_matinee(request: Request, error: Exception) -> Response:
        assert isinstance(error, MatineeError)  # noqa: S101 - it is registered for no other
        status = status_of(error)
        if status == 500:
            raise error
        return problem(status, told_of(request, error), _id_of(request))

    async def of_http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)  # noqa: S101 - it is registered for no other
        if page is not None and is_browsing(request):
            title = title_of(error.status_code)
            return await run_in_threadpool(
                page, request, error.status_code, title, str(error.detail)
            )
        headers = dict(error.headers or {})
        if error.status_code == 405 and (methods := _methods(app.openapi(), request.url.path)):
            headers["Allow"] = ", ".join(sorted(methods))
        return problem(error.status_code, str(error.detail), _id_of(request), headers=headers)

    async def of_validation(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)  # noqa: S101 - as above
        found: list[dict[str, Any]] = list(error.errors())
        errors = [
            Place(where=".".join(map(str, one["loc"]))[:200], message=str(one["msg"])[:200])
            for one in found[:10]
        ]
        unread = any(one["type"] == "json_invalid" for one in found)
        detail = "the body is not JSON" if unread else "correct the places named in errors"
        return problem(400 if unread else 422, detail, _id_of(request), errors=errors)

    app.add_exception_handler(MatineeError, of_matinee)
    app.add_exception_handler(HTTPException, of_http)
    app.add_exception_handler(RequestValidationError, of_validation)


def schema_of_problem() -> dict[str, Any]:
    """The JSON Schemas of `Problem` and what it refers to, as OpenAPI's components."""
    schema = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    return {**schema.pop("$defs"), "Problem": json.loads(json.dumps(schema))}


def _methods(document: Mapping[str, Any], path: str) -> set[str]:
    """The methods of a path, which several routes may share; each knows its own alone."""
    return {
        method.upper()
        for template, operations in document["paths"].items()
        if compile_path(template)[0].match(path)
        for method in operations
    }


def is_browsing(request: Request) -> bool:
    """Whether a person with a browser asks, rather than a program for the API."""
    return not request.url.path.startswith("/v1/") and "text/html" in request.headers.get(
        "accept", ""
    )


def _id_of(request: Request) -> str | None:
    return request.scope.get("request_id")
