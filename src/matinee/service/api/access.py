"""Which caller may do what; as dependencies of routes.

They are coroutines: FastAPI hands plain functions to a thread, where they would wait for Python's
lock longer than they take.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from matinee.service.keys import Caller
from matinee.service.problems import ForbiddenError, UnauthorizedError

_bearer = HTTPBearer(auto_error=False, scheme_name="key", description="An API key.")


async def caller(
    request: Request,
    _described: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
) -> Caller:
    """Whoever calls with a key; the gate has looked it up.

    Raises:
        UnauthorizedError: no key, or one that nobody was given.
    """
    found: Caller | None = request.scope["caller"]
    if found is None:
        raise UnauthorizedError(
            "expected Authorization: Bearer KEY with a key of this service; "
            "make one: matinee serve --new-key"
        )
    return found


async def admin(found: Annotated[Caller, Depends(caller)]) -> Caller:
    """A caller who may do everything.

    Raises:
        ForbiddenError: any other.
    """
    if found.role != "admin":
        raise ForbiddenError("this needs a key of the role admin")
    return found


def check_for(found: Caller, user_id: str) -> None:
    """Refuse a caller who may not act for a person.

    Raises:
        ForbiddenError: they may not.
    """
    if not found.may_act_for(user_id):
        raise ForbiddenError("this key does not allow to act for that user")


AnyCaller = Annotated[Caller, Depends(caller)]
Admin = Annotated[Caller, Depends(admin)]
