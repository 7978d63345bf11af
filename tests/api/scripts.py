"""Scripts: they send a token with each request, and no cookie."""

from collections.abc import Callable
from typing import Any, cast

from werkzeug.test import TestResponse

from adminsite.db import db, transaction
from adminsite.models import Admin, User
from adminsite.operations import tokens
from tests.client import SiteClient, forget
from tests.factories import AdminFactory
from tests.people import acting
from tests.rows import person

ANN = {"email": "Ann@Example.com", "full_name": "Ann", "role": "support"}
API = "/api/admin"
Route = tuple[str, str, Any]
ROUTES: list[Route] = [  # every route, with a body it takes
    ("GET", "/admins", None),
    ("POST", "/admins", ANN),
    ("GET", "/admins/{id}", None),
    ("PUT", "/admins/{id}", {"full_name": "Changed"}),
    ("DELETE", "/admins/{id}", None),
    ("PUT", "/admins/{id}/role", {"role": "support"}),
    ("PUT", "/admins/{id}/status", {"status": "suspended"}),
]


class Script:
    """Asks one JSON family with one token."""

    def __init__(self, client: SiteClient, token: str, root: str = "/admin/api") -> None:
        self.client = client
        self.token = token
        self.root = root

    def ask(self, verb: str, path: str, body: Any = None, **how: Any) -> TestResponse:
        """The answer, which must be JSON and no fault of ours."""
        headers = {"Authorization": f"Bearer {self.token}", **how.pop("headers", {})}
        if body is not None:
            how["json"] = body
        answer = self.client.open(self.root + path, method=verb, headers=headers, **how)
        assert answer.status_code < 500, (answer.status_code, answer.text[:500])
        assert answer.is_json, (answer.status_code, answer.text[:500])
        return answer

    def data(self, verb: str, path: str, body: Any = None, status: int = 200) -> Any:
        """What an accepted request gives."""
        answer = self.ask(verb, path, body)
        assert answer.status_code == status, (answer.status_code, answer.text[:500])
        said = cast("dict[str, Any]", answer.json)
        assert said.keys() == {"success", "data"}
        assert said["success"] is True
        return said["data"]

    def error(self, verb: str, path: str, body: Any = None, status: int = 400) -> Any:
        """What a refused request is told, in the form of the family."""
        answer = self.ask(verb, path, body)
        assert answer.status_code == status, (answer.status_code, answer.text[:500])
        return coded(answer) if self.root == API else refusal(answer)


ScriptAs = Callable[..., Script]


def refusal(answer: TestResponse) -> Any:
    """The error of a refusal in the envelope of `/admin/api`."""
    said = cast("dict[str, Any]", answer.json)
    assert said["success"] is False
    assert said["error"].keys() == {"message", "fields"}
    assert said["error"]["message"].endswith(".")
    return said["error"]


def coded(answer: TestResponse) -> Any:
    """A refusal in the envelope of `/api/admin`."""
    said = cast("dict[str, Any]", answer.json)
    assert said.keys() == {"error", "code", "details"}
    assert isinstance(said["error"], str)
    assert said["error"]
    assert all(isinstance(text, str) for text in said["details"].values())
    return said


def make_token(user: User, **values: object) -> str:
    """A token of the person, made as they would make it themselves."""
    forget()
    user = db.session.get_one(User, user.id)
    with transaction():
        _row, secret = tokens.create(user, {"name": "A script", **values}, by=acting(user))
    return secret


def staff(role: str = "admin", name: str = "", **values: Any) -> Admin:
    """A saved member of staff."""
    return cast("Admin", AdminFactory(user=person(name, role="admin"), role=role, **values))
