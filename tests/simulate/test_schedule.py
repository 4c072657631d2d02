"""Which scenes the archives of the presets hold."""

from __future__ import annotations

from landloom.model.ids import Zone
from landloom.simulate.schedule import plan_scenes
from landloom.simulate.spec import world_spec


def test_the_demo_has_three_scenes_a_month_and_place_in_two_zones() -> None:
    spec = world_spec("demo")
    scenes = plan_scenes(spec)
    for view in (spec.views[0], spec.views[2]):
        for month in range(1, 13):
            assert sum(s.granule == view.granule and s.time.month == month for s in scenes) >= 3
    assert {Zone.from_epsg(place.epsg).number for place in spec.places} == {32, 33}
    assert len({scene.id for scene in scenes}) == len(scenes)
