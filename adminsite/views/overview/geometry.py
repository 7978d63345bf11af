"""Charts in numbers: where things stand; the templates draw them.

Widths are shares of the whole, so that a chart fills its place while its words keep their size;
heights are pixels.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil, floor, log10

PLOT = 168  # pixels from the lowest to the highest tick
TOP = 20  # above it, for the words at the highest one
FOOT = 24  # below it, for the words of the axis
STEP = 10  # units from one bucket to the next, inside the plot
GAP = 0.28  # of a bucket, between two bars
LABELS = 5  # at most, under the axis
TICKS = 4
SPARK = (100, 28)
SPARK_POINTS = 60


@dataclass(frozen=True, slots=True)
class Tick:
    """A line across the plot and what it stands for."""

    y: float
    text: str


@dataclass(frozen=True, slots=True)
class Label:
    """A word under the axis; `x` in per cent."""

    x: float
    text: str


@dataclass(frozen=True, slots=True)
class Hit:
    """The place of one bucket, which says its numbers; `x` and `width` in per cent."""

    x: float
    width: float
    text: str


@dataclass(frozen=True, slots=True)
class Axes:
    """What the buckets are called and say, and how values are written beside the ticks."""

    names: Sequence[str]
    says: Sequence[str]
    text: Callable[[int], str]


@dataclass(frozen=True, slots=True)
class Plot:
    """Where everything stands.

    Attributes:
        height: of the whole picture.
        units: the width of the plot, in its own units.
        shapes: kind ("line", "area", "bars", "bars-down") and path of each.
        zero: the height of zero; None when it is below the plot.
        end: the height of the line's last point; None for bars.
    """

    height: int
    top: int
    plot: int
    units: int
    ticks: tuple[Tick, ...]
    labels: tuple[Label, ...]
    hits: tuple[Hit, ...]
    shapes: tuple[tuple[str, str], ...]
    zero: float | None
    end: float | None = None


@dataclass(frozen=True, slots=True)
class Scale:
    """From values to heights."""

    low: int
    high: int
    step: int

    def y(self, value: float) -> float:
        """How far below the top of the plot a value stands."""
        return round(PLOT * (self.high - value) / (self.high - self.low), 1)

    def ticks(self, text: Callable[[int], str]) -> tuple[Tick, ...]:
        """The lines across."""
        values = range(self.low, self.high + 1, self.step)
        return tuple(Tick(self.y(value) + TOP, text(abs(value))) for value in values)


def scale(lowest: int, highest: int, unit: int = 1) -> Scale:
    """A scale with few, round ticks that holds both values.

    Args:
        unit: what ticks are whole multiples of.
    """
    span = max(highest - lowest, unit)
    rough = span / TICKS
    power = 10 ** floor(log10(rough)) if rough > 0 else 1
    nice = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough * 0.999)
    step = max(unit, ceil(nice / unit) * unit)
    low = floor(lowest / step) * step
    high = max(ceil(highest / step) * step, low + step)
    return Scale(low, high, step)


def lines(values: Sequence[int], axes: Axes, *, from_zero: bool, unit: int = 1) -> Plot:
    """One line over all buckets, filled below.

    Args:
        from_zero: whether the plot begins at zero, or near the lowest value.
        unit: what ticks are whole multiples of.
    """
    scaled = scale(0 if from_zero else min(values), max(values), unit)
    points = [(number * STEP + STEP / 2, scaled.y(value)) for number, value in enumerate(values)]
    line = _joined(points)
    area = f"{line}V{PLOT}H{_n(points[0][0])}Z"
    return _plot(scaled, axes, (("area", area), ("line", line)), end=points[-1][1] + TOP)


def bars(above: Sequence[int], below: Sequence[int], axes: Axes, *, unit: int = 1) -> Plot:
    """A bar above zero for each bucket, and one below."""
    scaled = scale(-max(below, default=0), max(above, default=0), unit)
    zero = scaled.y(0)
    shapes = (
        ("bars", _bars([(zero, scaled.y(value)) for value in above])),
        ("bars-down", _bars([(zero, scaled.y(-value)) for value in below])),
    )
    return _plot(scaled, axes, shapes)


def spark(values: Sequence[int]) -> str:
    """The path of a small line without axes; empty when there is nothing to see."""
    if len(values) < 2 or min(values) == max(values):  # noqa: PLR2004 - a line has two ends
        return ""
    values = values[:: -ceil(len(values) / SPARK_POINTS)][::-1]  # the last one stays
    width, height = SPARK
    low, span = min(values), max(values) - min(values) or 1
    across = width / (len(values) - 1)
    return _joined(
        [
            (round(number * across, 1), round(height - 2 - (value - low) / span * (height - 4), 1))
            for number, value in enumerate(values)
        ]
    )


def _plot(
    scaled: Scale, axes: Axes, shapes: tuple[tuple[str, str], ...], end: float | None = None
) -> Plot:
    count = len(axes.names)
    width = 100 / count
    every = ceil(count / LABELS)
    labelled = range(count - 1, -1, -every)  # today is always named
    return Plot(
        height=TOP + PLOT + FOOT,
        top=TOP,
        plot=PLOT,
        units=count * STEP,
        ticks=scaled.ticks(axes.text),
        labels=tuple(Label(round((at + 0.5) * width, 2), axes.names[at]) for at in labelled),
        hits=tuple(
            Hit(round(at * width, 3), round(width, 3), said) for at, said in enumerate(axes.says)
        ),
        shapes=shapes,
        zero=scaled.y(0) + TOP if scaled.low <= 0 else None,
        end=end,
    )


def _joined(points: Sequence[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{_n(x)} {_n(y)}" for x, y in points)


def _bars(spans: Sequence[tuple[float, float]]) -> str:
    half = STEP * GAP / 2
    width = STEP - 2 * half
    return "".join(
        f"M{_n(number * STEP + half)} {_n(zero)}V{_n(y)}h{_n(width)}V{_n(zero)}z"
        for number, (zero, y) in enumerate(spans)
        if y != zero
    )


def _n(value: float) -> str:
    return f"{value:g}"
