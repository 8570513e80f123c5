"""The floor: a bare Flask view with SQLAlchemy that fetches as many rows by primary key and renders a bare table."""

from __future__ import annotations

import os
from typing import Any

from flask import Flask, request
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from portal.core.database import engine_options, prepare_engine

ROWS = 50
TEMPLATE = (
    "<!doctype html><title>floor</title><table>{% for row in rows %}<tr>"
    "<td>{{ row.name }}</td><td>{{ row.kind }}</td><td>{{ row.stage }}</td><td>{{ row.industry }}</td>"
    "<td>{{ row.region_code }}</td><td>{{ row.total_12m }}</td><td>{{ row.created_at }}</td></tr>{% endfor %}</table>"
)


class Base(DeclarativeBase):
    """Base of the one model."""


class Row(Base):
    """The columns that the portal's list shows, of the same table."""

    __tablename__ = "customer"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    kind: Mapped[str]
    stage: Mapped[str]
    industry: Mapped[str]
    region_code: Mapped[str]
    total_12m: Mapped[int]
    created_at: Mapped[str]


def create_app() -> Flask:
    """The bare application, on the benchmark's database."""
    app = Flask(__name__)
    url = os.environ["DATABASE_URL"]
    if url.startswith("postgresql://"):
        url = "postgresql+psycopg://" + url.split("://", 1)[1]
    app.config.update(SQLALCHEMY_DATABASE_URI=url, SQLALCHEMY_ENGINE_OPTIONS=engine_options(url))
    db = SQLAlchemy(app, model_class=Base)
    with app.app_context():
        prepare_engine(db.engine)

    template = app.jinja_env.from_string(TEMPLATE)

    @app.get("/")
    def floor() -> str:
        first = int(request.args.get("first", "1"))
        ids = [first + offset * 7 for offset in range(int(request.args.get("rows", str(ROWS))))]
        rows: list[Any] = list(db.session.query(Row).filter(Row.id.in_(ids)).order_by(Row.id))
        return template.render(rows=rows)

    return app
