"""Bodies that come in pieces, without saying how long they are (`Transfer-Encoding: chunked`)."""

from typing import Any

from flask import Flask, Request, request
from werkzeug.exceptions import RequestEntityTooLarge


def init_app(app: Flask) -> None:
    """Read such a body under the rules of every other: cut to no length, and no fault of ours."""

    @app.before_request
    def watch_the_pieces() -> None:
        if request.content_length is None and request.environ.get("wsgi.input_terminated"):
            request.environ["wsgi.input"] = _Pieces(request.environ["wsgi.input"], request)


class _Pieces:
    """The stream that the server gives.

    What Werkzeug wraps it in stops at the limit, as if the body ended there; and it knows the
    errors of a connection, but not those by which a server says that the pieces make no sense.
    """

    def __init__(self, stream: Any, of: Request) -> None:
        self._stream = stream
        self._of = of
        self._length = 0

    def read(self, size: int = -1) -> bytes:
        """The next piece.

        Raises:
            OSError: the pieces make no sense, or end too early.
            RequestEntityTooLarge: there is more than may be sent.
        """
        try:
            piece: bytes = self._stream.read(size)
            self._length += len(piece)
            more = self._length == self._of.max_content_length and self._stream.read(1)
        except Exception as error:  # each server has its own
            message = "the body cannot be read"
            raise OSError(message) from error
        if more:
            raise RequestEntityTooLarge
        return piece
