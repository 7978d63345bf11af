"""Somebody else at the same time, in a thread with a transaction of its own."""

import contextvars
from collections.abc import Callable
from threading import Thread
from time import sleep

from flask import Flask

from adminsite.db import transaction

TURN_S = 0.4
LONGEST_S = 20


class Beside:
    """An act in a transaction of its own, in another thread, while the test does something."""

    def __init__(self, app: Flask, act: Callable[[], object]) -> None:
        self.app, self.act = app, act
        self.answer: object = "it never ended"
        run = contextvars.Context().run
        self.thread = Thread(target=run, args=(self._do,), daemon=True)
        self.thread.start()
        sleep(TURN_S)  # until it waits for us

    def _do(self) -> None:
        with self.app.app_context():
            try:
                with transaction():
                    self.act()
                self.answer = "done"
            except Exception as refusal:  # noqa: BLE001 - told by the test's own thread
                self.answer = refusal

    def end(self) -> object:
        """What came of it: "done", or why not."""
        self.thread.join(LONGEST_S)
        return self.answer
