"""The parts of the overview by themselves: periods, numbers, geometry, revenue, what is kept."""

import threading
from datetime import date, timedelta
from itertools import pairwise

import pytest

from adminsite.queries.overview import Days, Move
from adminsite.views.overview import geometry, numbers, revenue
from adminsite.views.overview.geometry import Axes
from adminsite.views.overview.kept import Kept
from adminsite.views.overview.periods import PERIODS, chosen

TODAY = date(2026, 11, 21)
DAY = timedelta(days=1)
PRICES = {"pro": 3000, "hobby": 600}


class Clock:
    """Seconds that go on when told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class TestPeriods:
    @pytest.mark.parametrize(("key", "days"), [("7d", 7), ("30d", 30), ("90d", 90)])
    def test_days_end_today_and_follow_the_period_before(self, key: str, days: int) -> None:
        period = chosen(key, TODAY)

        assert period.days == (TODAY - (days - 1) * DAY, TODAY)
        assert period.before == (period.days.first - days * DAY, period.days.first - DAY)
        assert len(period.buckets) == days

    def test_twelve_months_end_this_month(self) -> None:
        period = chosen("12m", TODAY)

        assert period.days == (date(2025, 12, 1), TODAY)
        assert period.before == (date(2024, 12, 1), date(2025, 11, 21))
        assert [bucket.short for bucket in period.buckets][:2] == ["Dec", "Jan"]

    @pytest.mark.parametrize("today", [date(2024, 2, 29), date(2026, 1, 1), date(2026, 12, 31)])
    @pytest.mark.parametrize("key", PERIODS)
    def test_buckets_cover_every_day_once(self, key: str, today: date) -> None:
        period = chosen(key, today)
        ends = [bucket.days for bucket in period.buckets]

        assert (ends[0].first, ends[-1].last) == period.days
        assert all(b.first == a.last + DAY for a, b in pairwise(ends))
        assert period.before.last < period.days.first

    @pytest.mark.parametrize("key", ["", "31d", "30D", "'; --", "\x00", "٣٠d", "x" * 9000])
    def test_nonsense_means_thirty_days(self, key: str) -> None:
        assert chosen(key, TODAY).key == "30d"


class TestNumbers:
    @pytest.mark.parametrize(
        ("number", "text"),
        [(0, "0"), (999, "999"), (1000, "1k"), (12_500, "12.5k"), (2_000_000, "2M"), (-50, "−50")],
    )
    def test_an_axis_has_short_ones(self, number: int, text: str) -> None:
        assert numbers.short(number) == text

    @pytest.mark.parametrize(
        ("cents", "text"), [(0, "$0"), (5, "$0.05"), (190_000, "$1,900"), (190_050, "$1,900.50")]
    )
    def test_money_shows_cents_where_there_are_any(self, cents: int, text: str) -> None:
        assert numbers.money(cents) == text

    @pytest.mark.parametrize(
        ("now", "before", "direction", "text"),
        [
            (120, 100, "up", "20%"),
            (80, 100, "down", "20%"),
            (100, 100, "same", "0%"),
            (1001, 1000, "up", "<1%"),
            (0, 100, "down", "100%"),
            (5000, 10, "up", "500×"),
        ],
    )
    def test_a_change_says_how_much(self, now: int, before: int, direction: str, text: str) -> None:
        found = numbers.change(now, before, "than before")

        assert found is not None
        assert (found.direction, found.text) == (direction, text)

    def test_nothing_before_is_no_change(self) -> None:
        assert numbers.change(5, 0, "than before") is None


class TestGeometry:
    @pytest.mark.parametrize(
        ("lowest", "highest"), [(0, 1), (0, 7), (74, 83), (-50_000, 68_000), (0, 10**12), (5, 5)]
    )
    def test_ticks_are_few_round_and_hold_every_value(self, lowest: int, highest: int) -> None:
        scale = geometry.scale(lowest, highest)

        assert scale.low <= lowest <= highest <= scale.high
        assert 2 <= len(scale.ticks(str)) <= 7
        assert scale.step % 10 ** (len(str(scale.step)) - 1) == 0

    def test_a_bar_is_as_high_as_its_value(self) -> None:
        plot = geometry.bars([10, 0], [5, 10], Axes("ab", "ab", str))
        (_, above), (_, below) = plot.shapes

        assert above == "M1.4 84V0h7.2V84z"
        assert below == "M1.4 84V126h7.2V84zM11.4 84V168h7.2V84z"

    def test_a_line_goes_through_every_value(self) -> None:
        plot = geometry.lines([0, 5, 10], Axes("abc", "abc", str), from_zero=True)

        assert dict(plot.shapes)["line"] == "M5 168L15 84L25 0"

    def test_the_axis_names_the_last_bucket_and_few_others(self) -> None:
        names = [str(n) for n in range(90)]

        plot = geometry.bars([1] * 90, [], Axes(names, names, str))

        assert [label.text for label in plot.labels] == ["89", "71", "53", "35", "17"]

    def test_each_bucket_says_its_numbers(self) -> None:
        plot = geometry.bars([1, 2], [], Axes("ab", ["a: 1", "b: 2"], str))

        assert [(hit.x, hit.width, hit.text) for hit in plot.hits] == [
            (0, 50, "a: 1"),
            (50, 50, "b: 2"),
        ]

    @pytest.mark.parametrize("values", [[], [3], [4, 4, 4]])
    def test_a_small_line_needs_something_to_see(self, values: list[int]) -> None:
        assert geometry.spark(values) == ""

    def test_a_small_line_has_few_points_and_keeps_the_last(self) -> None:
        path = geometry.spark(list(range(365)))

        assert path.count("L") < geometry.SPARK_POINTS
        assert path.endswith("L100 2")


class TestRevenue:
    days = Days(date(2026, 11, 19), TODAY)

    def test_is_counted_back_from_what_is_active_now(self) -> None:
        moves = [Move(date(2026, 11, 20), "pro", 1), Move(TODAY, "hobby", -2)]

        found = revenue.by_day({"pro": 2}, moves, self.days, PRICES)

        assert [day.running for day in found] == [3, 3, 4, 2]
        assert [day.a_month for day in found] == [4200, 4200, 7200, 6000]

    def test_a_day_is_its_share_of_the_month(self) -> None:
        found = revenue.by_day({"pro": 1}, [], self.days, PRICES)

        assert [day.earned for day in found] == [100] * 4

    def test_is_unknown_when_a_plan_has_no_price(self) -> None:
        moves = [Move(TODAY, "business", -1)]

        found = revenue.by_day({"pro": 1}, moves, self.days, PRICES)

        assert {day.a_month for day in found} == {None}
        assert revenue.without_price({"pro": 1, None: 1}, moves, PRICES) == ["Free", "business"]

    def test_what_begins_in_the_future_counts_today(self) -> None:
        found = revenue.by_day({"pro": 1}, [Move(TODAY + DAY, "pro", 1)], self.days, PRICES)

        assert [day.running for day in found] == [0, 0, 0, 1]


class TestKept:
    def test_is_made_once_until_it_is_too_old(self) -> None:
        clock, made = Clock(), iter("abc")
        kept = Kept(30, clock)

        seen = [kept.get("k", lambda: next(made)) for clock.now in (100, 129.9, 130, 159)]

        assert seen == ["a", "a", "b", "b"]

    def test_is_made_anew_when_asked(self) -> None:
        clock, made = Clock(), iter("ab")
        kept = Kept(30, clock)
        kept.get("k", lambda: next(made))
        clock.now += 1

        assert kept.get("k", lambda: next(made), anew=True) == "b"
        assert kept.get("k", lambda: next(made)) == "b"

    def test_is_kept_by_key(self) -> None:
        kept, made = Kept(30, Clock()), iter("AB")

        assert [kept.get(key, lambda: next(made)) for key in "aba"] == ["A", "B", "A"]

    def test_is_off_at_zero_seconds(self) -> None:
        made = iter("ab")
        kept = Kept(0, Clock())

        assert [kept.get("k", lambda: next(made)) for _ in range(2)] == ["a", "b"]

    def test_nothing_is_kept_of_what_failed(self) -> None:
        kept = Kept(30, Clock())
        with pytest.raises(ZeroDivisionError):
            kept.get("k", lambda: 1 // 0)

        assert kept.get("k", lambda: "made") == "made"

    def test_forgets_what_is_too_old(self) -> None:
        clock = Clock()
        kept = Kept(30, clock)
        for number in range(100):
            kept.get(number, lambda: "x")
            clock.now += 31

        assert len(kept) == 1

    def test_many_at_once_count_once(self) -> None:
        kept, counted, start = Kept(30), [], threading.Barrier(8)

        def ask() -> None:
            start.wait()
            kept.get("k", lambda: counted.append(1))

        threads = [threading.Thread(target=ask) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert counted == [1]
