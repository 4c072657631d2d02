"""`/api.html`: the OpenAPI description as a page for people, without scripts or anything from elsewhere."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Any, Final

from starlette.responses import HTMLResponse

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from fastapi import FastAPI

_STYLE: Final = """
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1d2730}
h2{margin-top:2.5rem;font-size:1.05rem;font-family:ui-monospace,monospace;overflow-wrap:anywhere}
.method{display:inline-block;min-width:3.2rem;padding:0 .4rem;margin-right:.6rem;border-radius:3px;
background:#dde7ee;text-align:center}
table{border-collapse:collapse;width:100%}td,th{text-align:left;vertical-align:top;padding:.25rem .6rem .25rem 0}
td{border-top:1px solid #dfe5ea;overflow-wrap:anywhere}code{font-size:.92em}p{margin:.3rem 0}
"""
_EMPTY: Final = "Endpoint."
"""What stac-fastapi says of each of its calls."""


def install(app: FastAPI) -> None:
    """Add the route."""

    @app.get("/api.html", include_in_schema=False)
    def api_page() -> HTMLResponse:
        return HTMLResponse(api_html(app.openapi()))


def api_html(description: Mapping[str, Any]) -> str:
    """The page.

    Args:
        description: an OpenAPI document.

    Example:
        >>> page = api_html({"info": {"title": "Own <corpus>"}, "paths": {"/search": {"get": {"summary": "Search"}}}})
        >>> "Own &lt;corpus&gt;" in page, ">/search</a>" in page
        (True, True)
    """
    info = description["info"]
    title = html.escape(str(info.get("title", "STAC API")))
    parts = [part for path, calls in description["paths"].items() for part in _calls(path, calls, description)]
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}: API</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{_STYLE}</style></head><body><h1>{title}</h1>"
        f"<p>{html.escape(str(info.get('description', '')))}</p>"
        '<p>This is a <a href="https://github.com/radiantearth/stac-api-spec">STAC API</a>; programs read its '
        '<a href="api">OpenAPI description</a>, and <a href="conformance">what it conforms to</a>.</p>'
        f"{''.join(parts)}</body></html>"
    )


def _calls(path: str, calls: Mapping[str, Any], description: Mapping[str, Any]) -> Iterator[str]:
    for method, call in calls.items():
        address = html.escape(path)
        if method == "get" and "{" not in path:
            address = f'<a href="{address.lstrip("/") or "./?f=json"}">{address}</a>' if path else address
        yield f'<h2 id="{html.escape(f"{method}{path}")}"><span class="method">{method.upper()}</span>{address}</h2>'
        told = call.get("description")
        yield f"<p>{html.escape(str(call.get('summary', '') if told in (None, _EMPTY) else told))}</p>"
        rows = [*_parameters(call), *_body(call, description)]
        if rows:
            yield f"<table><tr><th>Parameter</th><th>Type</th><th>Meaning</th></tr>{''.join(rows)}</table>"


def _parameters(call: Mapping[str, Any]) -> Iterator[str]:
    for one in call.get("parameters", ()):
        yield _row(one["name"], one.get("schema", {}), str(one.get("description") or one["in"]))


def _body(call: Mapping[str, Any], description: Mapping[str, Any]) -> Iterator[str]:
    """Members of the JSON body of a call."""
    content = call.get("requestBody", {}).get("content", {}).get("application/json", {})
    name = content.get("schema", {}).get("$ref", "").rpartition("/")[2]
    schema = description.get("components", {}).get("schemas", {}).get(name, {})
    for member, own in schema.get("properties", {}).items():
        yield _row(member, own, str(own.get("description") or "member of the body"))


def _row(name: str, schema: Mapping[str, Any], meaning: str) -> str:
    kinds = [schema, *schema.get("anyOf", ())]
    kind = " or ".join(dict.fromkeys(str(one["type"]) for one in kinds if one.get("type") not in (None, "null")))
    return (
        f"<tr><td><code>{html.escape(name)}</code></td><td>{html.escape(kind)}</td><td>{html.escape(meaning)}</td></tr>"
    )
