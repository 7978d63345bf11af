"""Access: every route of every view asks here first; what is not declared is refused."""

from collections.abc import Mapping
from typing import Any, ClassVar

from flask.typing import ResponseReturnValue
from flask_admin import BaseView

from adminsite import auth
from adminsite.permissions import Permission, may, require


class UndeclaredError(RuntimeError):
    """A view cannot start: something it must say is missing; the text names what."""


def check_routes(view: Any, known: Mapping[str, Any]) -> None:
    """Refuse to start a view that exposes a route nobody declared a permission for.

    Raises:
        UndeclaredError: naming the view and the route's method.
    """
    for _url, name, _methods in view._urls:  # noqa: SLF001 - Flask-Admin's only list of routes
        if name not in known:
            message = (
                f"{type(view).__name__}.{name} is exposed without a permission. "
                f"Add {name!r} to its route_permissions."
            )
            raise UndeclaredError(message)


class PageView(BaseView):
    """A page of its own in the panel, closed by default.

    Attributes:
        permission: who may open it.
        route_permissions: by method name, where a route needs another permission.
    """

    permission: ClassVar[Permission | None] = None
    route_permissions: ClassVar[Mapping[str, Permission]] = {}
    section: ClassVar[str] = ""
    icon: ClassVar[str] = "circle"
    _urls: list[tuple[str, str, Any]]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.permission is None:
            message = f"{type(self).__name__} declares no permission."
            raise UndeclaredError(message)
        names = {name for _url, name, _methods in self._urls}
        self._permissions = dict.fromkeys(names, self.permission) | dict(self.route_permissions)
        self._urls = both_slashes(self._urls)

    def is_accessible(self) -> bool:
        """Whether the menu shows it to the person."""
        person = auth.current_actor()
        return person is not None and self.permission is not None and may(person, self.permission)

    def _handle_view(self, name: str, **_kwargs: Any) -> ResponseReturnValue | None:
        turned_away = auth.turn_away()
        if turned_away is not None:
            return turned_away
        require(auth.current_person(), self._permissions[name])
        return None

    def _run_view(self, fn: Any, *args: Any, **kwargs: Any) -> Any:
        """Call the route; Flask-Admin's own would hide a TypeError in it (#2358)."""
        return fn(self, *args, **kwargs)


def both_slashes(urls: list[tuple[str, str, Any]]) -> list[tuple[str, str, Any]]:
    """Every rule with and without the slash at its end, so that neither redirects."""
    rules = []
    for url, name, methods in urls:
        bare = url.rstrip("/")
        rules.append((bare, name, methods))
        rules.append((f"{bare}/", name, methods))
    return list(dict.fromkeys((url, name, tuple(methods)) for url, name, methods in rules))
