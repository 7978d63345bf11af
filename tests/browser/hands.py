"""One person, two ways to work: with the mouse, or with the keyboard alone.

A scenario is written once, against `Hand`, and walked by both. The keyboard never clicks and
never focuses by script: it tabs, or uses the keys of the list.
"""

from abc import ABC, abstractmethod

import pytest
from playwright.sync_api import Locator, Page, expect

MOST_TABS = 120
MOST_ROWS = 30
HAS_FOCUS = "element => element === document.activeElement"
HOLDS_FOCUS = "element => element.contains(document.activeElement)"
CONTROL = "[data-action={}]"
PENCIL = "button[data-cell={0}], [data-cell={0}] .cell-pencil"


class Hand(ABC):
    """What a person does on a page."""

    def __init__(self, page: Page) -> None:
        self.page = page

    # ---- what there is on the page ----

    def row(self, name: str) -> Locator:
        """The list's row with this word in it."""
        return self.page.locator("#rows > tr").filter(has_text=name)

    def named(self, kind: str, key: object) -> Locator:
        """The row with this key, as it is or being edited: `named("link", 5)`."""
        return self.page.locator(f"#{kind}-{key}")

    @property
    def dialog(self) -> Locator:
        """The dialog on the screen."""
        return self.page.locator("#dialog dialog")

    @property
    def toast(self) -> Locator:
        """The newest message."""
        return self.page.locator("#toasts .toast").last

    @property
    def list(self) -> Locator:
        """The list region."""
        return self.page.locator("#list")

    # ---- what a person does ----

    def open(self, path: str) -> None:
        """Go to a page by its address."""
        self.page.goto(path)

    @abstractmethod
    def activate(self, control: Locator) -> None:
        """Use a link or a button."""

    def activate_near_end(self, control: Locator) -> None:
        """Use a link or a button that stands behind the whole list."""
        self.activate(control)

    @abstractmethod
    def enter(self, field: Locator) -> None:
        """Bring the caret into a field."""

    @abstractmethod
    def tick(self, box: Locator) -> None:
        """Turn a check box on or off."""

    @abstractmethod
    def choose(self, label: str) -> None:
        """Answer the dialog's question: the radio with this label."""

    @abstractmethod
    def select(self, box: Locator, label: str) -> None:
        """Choose from a drop-down."""

    @abstractmethod
    def point_at(self, control: Locator) -> None:
        """Go to a control without using it: a tip may appear."""

    @abstractmethod
    def search(self, text: str) -> None:
        """Type into the list's search, key by key."""

    @abstractmethod
    def edit(self, row: Locator) -> None:
        """Open a row for editing."""

    @abstractmethod
    def edit_cell(self, row: Locator, name: str) -> None:
        """Open a cell for editing."""

    @abstractmethod
    def save(self, form: Locator) -> None:
        """Send a form."""

    @abstractmethod
    def cancel(self, form: Locator) -> None:
        """Leave a form without sending it."""

    @abstractmethod
    def ask_delete(self, row: Locator) -> None:
        """Ask to delete a row: the question appears."""

    @abstractmethod
    def dismiss(self) -> None:
        """Say no to the dialog."""

    @abstractmethod
    def pick(self, row: Locator) -> None:
        """Select a row."""

    def confirm(self) -> None:
        """Say yes to the dialog."""
        self.activate(self.dialog.locator("[data-confirm]"))

    def fill(self, field: Locator, text: str) -> None:
        """Put a text in a field instead of what is there."""
        self.enter(field)
        self.page.keyboard.press("ControlOrMeta+A")
        self.page.keyboard.press("Delete")
        self.page.keyboard.insert_text(text)


class Mouse(Hand):
    """Points and clicks."""

    def activate(self, control: Locator) -> None:
        control.click()

    def enter(self, field: Locator) -> None:
        field.click()

    def tick(self, box: Locator) -> None:
        box.click()

    def choose(self, label: str) -> None:
        self.dialog.get_by_text(label, exact=True).click()

    def select(self, box: Locator, label: str) -> None:
        box.focus()  # the list that drops down is the system's, and not on the page
        box.select_option(label=label)

    def point_at(self, control: Locator) -> None:
        control.hover()

    def search(self, text: str) -> None:
        self.page.get_by_role("searchbox").click()
        self.page.keyboard.type(text, delay=20)

    def edit(self, row: Locator) -> None:
        row.hover()
        row.locator(CONTROL.format("edit")).click()
        expect(self.page.locator("#rows [data-editing]")).to_be_visible()

    def edit_cell(self, row: Locator, name: str) -> None:
        row.hover()
        row.locator(PENCIL.format(name)).click()
        expect(self.page.locator(f"[data-editing={name}]")).to_be_visible()

    def save(self, form: Locator) -> None:
        form.locator(CONTROL.format("save")).click()

    def cancel(self, form: Locator) -> None:
        form.locator(CONTROL.format("cancel")).click()

    def ask_delete(self, row: Locator) -> None:
        row.hover()
        row.locator(CONTROL.format("delete")).click()
        expect(self.dialog).to_be_visible()

    def dismiss(self) -> None:
        self.dialog.locator("[data-dismiss]").click()

    def pick(self, row: Locator) -> None:
        row.get_by_role("checkbox").click()


class Keyboard(Hand):
    """Never touches the mouse."""

    def press(self, key: str) -> None:
        """Press one key, or keys together."""
        self.page.keyboard.press(key)

    def reach(self, control: Locator, step: str = "Tab") -> None:
        """Tab to a control, as a person would who looks for it."""
        expect(control).to_be_visible()
        for _ in range(MOST_TABS):
            if control.evaluate(HAS_FOCUS):
                return
            self.press(step)
        raise AssertionError(f"{MOST_TABS} tabs did not reach {control}")

    def activate(self, control: Locator) -> None:
        self.reach(control)
        self.press("Enter")

    def activate_near_end(self, control: Locator) -> None:
        self.reach(control, "Shift+Tab")  # past the page's start to its end
        self.press("Enter")

    def enter(self, field: Locator) -> None:
        self.reach(field)

    def tick(self, box: Locator) -> None:
        self.reach(box)
        self.press("Space")

    def choose(self, label: str) -> None:
        radios = self.dialog.get_by_role("radio")
        wanted = self.dialog.get_by_role("radio", name=label)
        self.reach(radios.first)
        self.press("Space")
        for _ in range(radios.count()):
            if wanted.is_checked():
                return
            self.press("ArrowDown")
        raise AssertionError(f"the arrows did not reach {label}")

    def select(self, box: Locator, label: str) -> None:
        self.reach(box)
        self.page.keyboard.type(label)

    def point_at(self, control: Locator) -> None:
        self.reach(control)

    def search(self, text: str) -> None:
        self.press("/")
        self.page.keyboard.type(text, delay=20)

    def go_to(self, row: Locator) -> None:
        """Step down the list to a row, unless the focus is in it."""
        expect(row).to_be_visible()
        for _ in range(MOST_ROWS):
            if row.evaluate(HOLDS_FOCUS):
                return
            self.press("j")
        raise AssertionError(f"{MOST_ROWS} steps did not reach {row}")

    def edit(self, row: Locator) -> None:
        self.go_to(row)
        self.press("e")
        expect(self.page.locator("#rows [data-editing]")).to_be_visible()

    def edit_cell(self, row: Locator, name: str) -> None:
        self.go_to(row)
        self.activate(row.locator(PENCIL.format(name)))
        expect(self.page.locator(f"[data-editing={name}]")).to_be_visible()

    def save(self, form: Locator) -> None:
        self.press("Enter")

    def cancel(self, form: Locator) -> None:
        self.press("Escape")

    def ask_delete(self, row: Locator) -> None:
        self.go_to(row)
        self.press("#")
        expect(self.dialog).to_be_visible()

    def dismiss(self) -> None:
        self.press("Escape")

    def pick(self, row: Locator) -> None:
        self.go_to(row)
        self.press("x")


# What only looks is walked once.
looking = pytest.mark.parametrize("hand", [Mouse], indirect=True, ids=["mouse"])
looking_as_owner = pytest.mark.parametrize("boss", [Mouse], indirect=True, ids=["mouse"])
