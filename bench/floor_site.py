"""The floor behind a bare Flask application with three lean templates."""

import os
from datetime import UTC, datetime, timedelta
from uuid import UUID

from flask import Flask, redirect, request
from flask.typing import ResponseReturnValue

from bench.counting import Counted
from bench.floor import Floor

LIST = """<!doctype html><html lang=en><title>Links</title><h1>Links</h1>
<form><input name=search value="{{ term }}"></form><table>
<tr><th>Slug<th>URL<th>Title<th>Owners<th>Tags<th>Created</tr>
{% for id, slug, url, title, created, owners, tags in rows %}
<tr id="link-{{ id }}"><td><a href="/links/{{ id }}">{{ slug }}</a><td>{{ url }}<td>{{ title }}
<td>{{ owners }}<td>{{ tags }}<td>{{ created }}</tr>{% endfor %}</table>
{% if rows %}<a href="?at={{ rows[-1][4] }}&amp;id={{ rows[-1][0] }}">Next</a>{% endif %}</html>"""
USERS = """<!doctype html><html lang=en><title>Users</title><h1>Users</h1><table>
{% for id, email, name, role, credits, joined in rows %}<tr id="user-{{ id }}"><td>{{ email }}
<td>{{ name }}<td>{{ role }}<td>{{ credits }}<td>{{ joined }}</tr>{% endfor %}</table></html>"""
FORM = """<!doctype html><html lang=en><title>{{ link[1] }}</title><form method=post>
<input name=url value="{{ link[2] }}"><input name=title value="{{ link[3] or '' }}">
<textarea name=description>{{ link[4] or '' }}</textarea>
<select name=owners multiple>{% for id, name in owners %}
<option value="{{ id }}" selected>{{ name }}</option>{% endfor %}</select>
<select name=tags multiple>{% for id, name in tags %}
<option value="{{ id }}" selected>{{ name }}</option>{% endfor %}</select></form></html>"""

OVERVIEW = """<!doctype html><html lang=en><title>Overview</title><h1>Overview</h1><dl>
<dt>Total users<dd>{{ "{:,}".format(o.counts[0]) }}, {{ o.counts[1] }} new, {{ o.counts[2] }} before
<dt>Links<dd>{{ "{:,}".format(o.counts[3]) }}, {{ o.counts[4] }} new, {{ o.counts[5] }} before
<dt>Keywords<dd>{{ "{:,}".format(o.counts[6]) }}, {{ o.counts[7] }} new, {{ o.counts[8] }} before
<dt>Active subscriptions<dd>{{ "{:,}".format(o.tiers.values() | sum) }}
<dt>Credits issued<dd>{{ "{:,}".format(o.issued) }}<dt>Used<dd>{{ "{:,}".format(o.used) }}</dl>
{% for rows in (o.credit_days, o.joined, o.moves, o.events) %}<table>{% for row in rows %}<tr>
{% for cell in row %}<td>{{ cell }}{% endfor %}</tr>{% endfor %}</table>{% endfor %}</html>"""


def create_site() -> Counted:
    """The floor over the database named by BENCH_DATABASE_URL."""
    site = Flask(__name__)
    floor = Floor(os.environ["BENCH_DATABASE_URL"])
    site.jinja_env.autoescape = True
    link_list, form = (site.jinja_env.from_string(text) for text in (LIST, FORM))
    _serve_people(site, floor)
    _serve_money(site, floor)

    @site.get("/links")
    def show_links() -> str:
        asked = request.args
        if term := asked.get("search", ""):
            return link_list.render(rows=floor.search(term), term=term)
        after = (asked["at"], int(asked["id"])) if "at" in asked else None
        return link_list.render(rows=floor.links(after), term="")

    @site.get("/links/<int:number>")
    def show_form(number: int) -> str:
        link, owners, tags = floor.link(number)
        return form.render(link=link, owners=owners, tags=tags)

    @site.post("/links/<int:number>")
    def save(number: int) -> ResponseReturnValue:
        floor.rename(number, request.form["title"])
        return redirect("/links", 303)

    @site.post("/cells/<int:number>")
    def save_cell(number: int) -> str:
        floor.rename(number, request.form["title"])
        return "saved"

    def take_statements() -> int:
        sent, floor.statements = floor.statements, 0
        return sent

    return Counted(site, take_statements)


def _serve_people(site: Flask, floor: Floor) -> None:
    users = site.jinja_env.from_string(USERS)

    @site.get("/users")
    def show_users() -> str:
        return users.render(rows=floor.users())

    @site.post("/users/<uuid:person>")
    def delete_user(person: UUID) -> str:
        heir = UUID(request.form["heir"])
        floor.delete_user(floor.key(person), request.form["link_action"], floor.key(heir))
        return "deleted"


def _serve_money(site: Flask, floor: Floor) -> None:
    overview = site.jinja_env.from_string(OVERVIEW)

    @site.get("/")
    def show_overview() -> str:
        days = timedelta(days=request.args.get("days", 30, type=int))
        first = datetime.now(UTC).date() - days + timedelta(days=1)
        return overview.render(o=floor.overview(first, first - days))

    @site.post("/credits/<uuid:person>")
    def adjust(person: UUID) -> str:
        floor.adjust(floor.key(person), int(request.form["amount"]), request.form["reason"])
        return "adjusted"
