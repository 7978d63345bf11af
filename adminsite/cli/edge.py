"""What every command does at its edge: refusals become sentences."""

from collections.abc import Iterator
from contextlib import contextmanager

import click
from flask import current_app
from sqlalchemy.exc import IntegrityError, OperationalError, ProgrammingError

from adminsite.config import Settings
from adminsite.errors import RuleError
from adminsite.operations import constraints


@contextmanager
def sentences() -> Iterator[None]:
    """Turn refusals into a sentence on standard error and exit code 1."""
    try:
        yield
    except RuleError as refusal:
        reasons = [f"{name}: {why}" for name, why in refusal.fields.items()]
        raise click.ClickException("\n".join(reasons) or refusal.message) from None
    except IntegrityError as error:
        _field, sentence = constraints.explain(error) or ("", "")
        if not sentence:
            raise
        raise click.ClickException(sentence) from None
    except (OperationalError, ProgrammingError) as error:
        raise click.ClickException(f"The database cannot be used: {error.orig}".rstrip()) from None
    except OSError as error:
        raise click.ClickException(f"{error.filename}: {error.strerror}.") from None


def settings() -> Settings:
    """The application's settings."""
    found: Settings = current_app.config["SETTINGS"]
    return found
