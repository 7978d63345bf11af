"""CSV files, read row by row: what no row can be taken from is refused as a whole.

Source: contract, section Commands (data import); docs/rules.md.
"""

import csv
import io
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import IO, Any

from adminsite.errors import RuleError

IGNORED = "why"  # what a file of refused rows says beside them
MEGABYTE = 1024 * 1024

csv.field_size_limit(sys.maxsize)  # the file's size is what is limited


class UnreadableError(RuleError):
    """The file as a whole cannot be read; nothing of it was taken."""

    status = 422


class TooLargeError(UnreadableError):
    """The file is larger than allowed."""

    status = 413


@dataclass(frozen=True, slots=True)
class Upload:
    """A file to read, and how much of it at most.

    Attributes:
        stream: its bytes.
        max_mb: in units of 1,048,576 bytes.
        progress: told how many bytes were read, each time.
    """

    stream: IO[bytes]
    max_mb: int
    progress: Callable[[int], object] | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """One row of the file: where it begins, and its cells by column."""

    number: int
    cells: dict[str, str]


def rows(upload: Upload, columns: Sequence[str]) -> Iterator[Line]:
    """The rows below the header; columns may come in any order.

    Raises:
        TooLargeError: more than its limit.
        UnreadableError: not UTF-8, not CSV, another header, a row too long or short.
    """
    counted: Any = _Counted(upload)
    text = io.TextIOWrapper(io.BufferedReader(counted), encoding="utf-8-sig", newline="")
    reader = csv.reader(text, strict=True)
    try:
        header = _header(next(reader, []), columns)
        yield from _lines(reader, header)
    except UnicodeDecodeError:
        raise UnreadableError(
            "The file is not UTF-8 text, so no row of it can be trusted. "
            "Save it as UTF-8, then import it again."
        ) from None
    except csv.Error as error:
        raise UnreadableError(f"Line {reader.line_num} is not valid CSV: {error}.") from None


def _header(found: list[str], columns: Sequence[str]) -> list[str]:
    if not found:
        raise UnreadableError("The file is empty. Its first line names the columns.")
    if sorted(set(found) - {IGNORED}) != sorted(columns) or len(set(found)) != len(found):
        raise UnreadableError(
            f"The first line must name the columns {','.join(columns)}; "
            f"it is {','.join(found)[:200]}."
        )
    return found


def _lines(reader: Any, header: list[str]) -> Iterator[Line]:
    begins = reader.line_num + 1
    for cells in reader:
        if cells and len(cells) != len(header):
            count = f"{len(cells)} cells" if len(cells) > 1 else "1 cell"
            raise UnreadableError(
                f"Line {begins} has {count}; the header has {len(header)}. Nothing was taken."
            )
        if cells:
            yield Line(begins, dict(zip(header, cells, strict=True)))
        begins = reader.line_num + 1


class _Counted(io.RawIOBase):
    """The upload's bytes, counted against its limit."""

    def __init__(self, upload: Upload) -> None:
        self._upload = upload
        self._left = upload.max_mb * MEGABYTE

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._upload.stream.read(len(buffer))
        self._left -= len(data)
        if self._left < 0:
            raise TooLargeError(
                f"The file is larger than {self._upload.max_mb} MB. Split it, "
                "or raise ADMINSITE_IMPORT_MAX_MB."
            )
        if self._upload.progress:
            self._upload.progress(len(data))
        buffer[: len(data)] = data
        return len(data)
