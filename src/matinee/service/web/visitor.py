"""Who looks at the page: nobody signs up, a random cookie is all there is.

The cookie is a secret. What others may see of a visitor, the name under which ratings are stored,
and the token in their forms, are made from it with the store's own key, so neither gives it away.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from matinee.service.problems import ForbiddenError

COOKIE = "matinee_visitor"
_SECRET = re.compile(r"[A-Za-z0-9_-]{43}")
_YEAR_S = 365 * 24 * 3600


class StaleFormError(ForbiddenError):
    """A form that is not of this visitor's own page."""


@dataclass(frozen=True)
class Visitor:
    """Somebody at the page.

    Attributes:
        secret: the cookie.
        user_id: the name under which their ratings are stored.
        token: what their forms must bring back.
        new: whether the cookie has still to be set.
    """

    secret: str
    user_id: str
    token: str
    new: bool

    def check(self, token: str) -> None:
        """Refuse a form that another site may have sent in their name.

        Raises:
            StaleFormError: the token is not theirs.
        """
        if self.new or not hmac.compare_digest(token.encode(), self.token.encode()):
            raise StaleFormError(
                "this form is not from your own page, or your browser keeps no cookies; "
                "open the page again and repeat what you did"
            )


def visitor_of(request: Request, key: bytes) -> Visitor:
    """Whom a request's cookie names; somebody new if there is none."""
    found = request.cookies.get(COOKIE, "")
    known = _SECRET.fullmatch(found) is not None
    secret = found if known else secrets.token_urlsafe(32)
    return Visitor(
        secret, f"visitor-{_mac(key, 'user', secret)}", _mac(key, "form", secret), not known
    )


def remember(response: Response, visitor: Visitor, request: Request) -> None:
    """Set the cookie of somebody new, for a year."""
    if visitor.new:
        set_cookie(response, request, COOKIE, visitor.secret, _YEAR_S)


def set_cookie(
    response: Response, request: Request, name: str, value: str, max_age_s: int | None
) -> None:
    """A cookie for this site alone, out of reach of scripts."""
    secure = request.url.scheme == "https"
    response.set_cookie(name, value, max_age_s, secure=secure, httponly=True, samesite="lax")


def _mac(key: bytes, purpose: str, secret: str) -> str:
    return hmac.new(key, f"{purpose}:{secret}".encode(), hashlib.sha256).hexdigest()[:32]
