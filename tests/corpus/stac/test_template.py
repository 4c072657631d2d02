"""A filled template is the document that would have been dumped with its values."""

from __future__ import annotations

import json

import orjson
from hypothesis import given
from hypothesis import strategies as st

from landloom.corpus.stac.template import Template

IDS = st.from_regex(r"[A-Za-z0-9_-]{1,12}", fullmatch=True)


@given(IDS, IDS, st.lists(st.floats(-180, 180), min_size=4, max_size=4), st.none() | st.integers(0, 2**40))
def test_filling_is_dumping(identity: str, day: str, box: list[float], size: int | None) -> None:
    def document(identity: str, day: str, box: object, facts: dict[str, object]) -> dict[str, object]:
        asset = {"href": f"./{identity}/{day}.tif", "title": f"{identity} of {day}", **facts}
        return {"id": f"x_{identity}", "bbox": box, "assets": {f"a_{day}": asset}, "end": [identity, identity]}

    template = Template.of(document("@@ID@@", "@@DAY@@", "@@=BOX@@", {"@@F0@@": 0}), paths={"F0": "@@ID@@.tif"})
    facts: dict[str, object] = {} if size is None else {"file:size": size}
    values = {"ID": identity.encode(), "DAY": day.encode(), "BOX": orjson.dumps(box)}
    if facts:
        values["F0"] = b"," + orjson.dumps(facts)[1:-1]
    assert json.loads(template.fill(values)) == document(identity, day, box, facts)
    assert template.fill(values) == orjson.dumps(document(identity, day, box, facts))


def test_what_is_not_given_is_left_out() -> None:
    template = Template.of({"id": "@@ID@@", "note": "<@@NOTE@@>", "@@F0@@": 0})
    assert template.fill({"ID": b"a"}) == b'{"id":"a","note":"<>"}'
