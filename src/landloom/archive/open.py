"""Opening every kind of archive, by the names used in recipes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from landloom.archive.files.cube import CubeArchive
from landloom.archive.files.folder import FolderArchive
from landloom.archive.files.pattern import FilePattern
from landloom.archive.files.scenes import stored_names
from landloom.archive.orders.odata import ODataArchive, ODataProducts, ODataService
from landloom.archive.presets import PRESETS
from landloom.archive.safe.products import SafeArchive
from landloom.archive.signing import signing_of
from landloom.archive.stac_api import ApiArchive
from landloom.archive.static import StaticArchive
from landloom.archive.table import TableArchive
from landloom.errors import InvalidInputError, InvalidValueError, NotFoundError, Problem, nearest
from landloom.formats.stac.profiles import PROFILES, profile_of
from landloom.model.sensor import SENSORS, SENTINEL_2_L1C, SENTINEL_2_L2A
from landloom.model.sensor import sensor as find_sensor
from landloom.store.credentials import keep
from landloom.store.href_documents import HrefDocuments

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from landloom.archive.presets import Preset
    from landloom.archive.protocol import Archive, Documents
    from landloom.formats.stac.profiles import Profile
    from landloom.model.recipe import ArchiveSection
    from landloom.model.sensor import Sensor
    from landloom.store.patience import Patience

GROUP: Final = "landloom.archives"
"""Entry points of plug-ins with further kinds: name → `ArchiveKind`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """The arguments for opening an archive."""

    href: str | None = None
    """Path or URL; a preset has its own."""
    collection: str | None = None
    """Collection of an API or a table; a preset has its own. For `safe` and `odata` the processing level."""
    profile: Profile | None = None
    """The provider's asset naming; None detects it from the items."""
    sensor: Sensor | None = None
    """Expected sensor; scenes of others are left out by name. None accepts any."""
    documents: Documents | None = None
    """Reads the files of a static archive; local paths and http(s) by default."""
    patience: Patience | None = None
    """Retry policy."""
    pattern: tuple[str, ...] = ()
    """Patterns of file names, of `files`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveKind:
    """A kind of archive."""

    name: str
    """Name in recipes."""
    open: Callable[[Opening], Archive]
    """Opens one; nothing is read before the first search."""
    wants: frozenset[str] = frozenset()
    """Keys that a recipe must set: `href`, `collection`."""
    takes: frozenset[str] = frozenset()
    """Further keys that it uses: `href`, `collection`, `level`, `fetch`."""

    @property
    def fetched(self) -> bool:
        """Whether it serves whole products, which are downloaded before they are read."""
        return "fetch" in self.takes


def _api(opening: Opening) -> Archive:
    return ApiArchive(
        str(opening.href),
        str(opening.collection),
        opening.profile,
        patience=opening.patience,
        sensor=opening.sensor,
    )


def _preset(known: Preset) -> Callable[[Opening], Archive]:
    def opened(opening: Opening) -> Archive:
        href, collection = opening.href or known.url, opening.collection or known.collection
        return ApiArchive(
            href,
            collection,
            opening.profile or known.profile_of(collection),
            page=known.page,
            patience=opening.patience,
            sensor=opening.sensor,
            signing=signing_of(href, collection, opening.patience) if known.signed else None,
        )

    return opened


def _static(opening: Opening) -> Archive:
    href = str(opening.href)
    absolute = keep(href) if "://" in href else str(Path(href).absolute())
    documents = opening.documents or HrefDocuments(opening.patience)
    return StaticArchive(absolute, documents, opening.profile, opening.sensor)


def _table(opening: Opening) -> Archive:
    documents = opening.documents or HrefDocuments(opening.patience)
    return TableArchive(str(opening.href), opening.profile, opening.collection, opening.sensor, documents)


def _safe(opening: Opening) -> Archive:
    return SafeArchive(str(opening.href), level=opening.collection or "L2A")


def _odata(opening: Opening) -> Archive:
    href = opening.href
    service = ODataService() if href is None else ODataService(catalogue=href, download=href)
    return ODataArchive(ODataProducts(service, patience=opening.patience), level=opening.collection or "L2A")


def _files(opening: Opening) -> Archive:
    path, sensor = Path(str(opening.href)), opening.sensor or SENTINEL_2_L2A
    if not opening.pattern:
        return CubeArchive(path, sensor)
    bands = stored_names(sensor)
    return FolderArchive(path, [FilePattern.parse(one, bands) for one in opening.pattern], sensor)


_CUBES: Final = (".nc", ".nc4", ".cdf", ".zarr")
_HREF: Final = frozenset({"href"})
_OWN: Final = (
    ArchiveKind(name="static", open=_static, wants=_HREF),
    ArchiveKind(name="table", open=_table, wants=_HREF, takes=frozenset({"collection"})),
    ArchiveKind(name="stac-api", open=_api, wants=frozenset({"href", "collection"})),
    ArchiveKind(name="files", open=_files, wants=_HREF, takes=frozenset({"pattern"})),
    ArchiveKind(name="safe", open=_safe, wants=_HREF, takes=frozenset({"level"})),
    ArchiveKind(name="odata", open=_odata, takes=frozenset({"href", "level", "fetch"})),
)


@cache
def archive_kinds() -> dict[str, ArchiveKind]:
    """Name → kind: those of landloom and those of plug-ins."""
    own = frozenset({"href", "collection"})
    presets = (ArchiveKind(name=name, open=_preset(known), takes=own) for name, known in PRESETS.items())
    kinds = {kind.name: kind for kind in (*_OWN, *presets)}
    return kinds | {point.name: point.load() for point in entry_points(group=GROUP)}


def open_archive(
    kind: str,
    href: str | None = None,
    collection: str | None = None,
    *,
    profile: str | None = None,
    sensor: str | Sensor | None = None,
    documents: Documents | None = None,
    patience: Patience | None = None,
    pattern: tuple[str, ...] = (),
) -> Archive:
    """Open an archive; nothing is read before the first search.

    Args:
        kind: `static`, `table`, `files`, `safe`, `odata`, `stac-api`, or the name of a known API such as
            `earth-search`.
        href: path or URL; a known API has its own. For `safe` and `files` the folder.
        collection: collection of an API or a table; a known API has its own. For `safe` and `odata` the level,
            `L1C` or `L2A`; by default L2A.
        profile: name of the provider's asset naming; None detects it from the items.
        sensor: expected sensor; scenes of others are left out by name.
        documents: reads the files of a static archive; by default from local paths and http(s).
        patience: retry policy.
        pattern: of file names, for a folder of `files`; none for a cube.

    Raises:
        NotFoundError: no such kind, profile or sensor.
        InvalidInputError: no href or no collection, if one is required.

    Example:
        >>> from shapely import box
        >>> from landloom.model.time import Period
        >>> archive = open_archive("static", "/no/such/catalog.json")
        >>> archive.search(box(0, 0, 1, 1), Period.year(2018))
        Traceback (most recent call last):
        landloom.errors.PermanentFaultError: /no/such/catalog.json: no such document ...
    """
    known = archive_kinds()
    if kind not in known:
        raise NotFoundError.of("kind of archive", kind, known)
    given = {"href": href, "collection": collection}
    for key in sorted(known[kind].wants):
        if given[key] is None:
            raise InvalidInputError(f"got no {key} of the {kind} archive, expected one")
    own = find_sensor(sensor) if isinstance(sensor, str) else sensor
    opening = Opening(
        href=href,
        collection=collection,
        profile=_profile(profile, own),
        sensor=own,
        pattern=pattern,
        documents=documents,
        patience=patience,
    )
    return known[kind].open(opening)


def _profile(name: str | None, sensor: Sensor | None) -> Profile | None:
    if name is not None:
        if name not in PROFILES:
            raise NotFoundError.of("profile of asset names", name, PROFILES)
        return PROFILES[name]
    if sensor is None:
        return None
    if sensor.is_described:
        return profile_of(sensor)
    own = [profile for profile in PROFILES.values() if profile.sensor == sensor.name]
    return own[0] if len(own) == 1 else None


def archive_problems(section: ArchiveSection, where: str) -> Iterator[Problem]:
    """Check a recipe's section: unknown kinds, keys that are missing or not used.

    Args:
        section: of the recipe.
        where: its path.
    """
    known = archive_kinds()
    if section.kind not in known:
        near = ", ".join(nearest(section.kind, known))
        yield Problem(where=f"{where}.kind", what=f"got {section.kind!r}; nearest: {near}")
        return
    kind = known[section.kind]
    for key in sorted(kind.wants):
        if getattr(section, key) is None:
            yield Problem(where=f"{where}.{key}", what=f"missing, expected it of the {kind.name} archive")
    defaults: dict[str, Any] = {name: field.default for name, field in type(section).model_fields.items()}
    for key in ("href", "collection", "level", "fetch", "pattern"):
        if key not in kind.wants | kind.takes and getattr(section, key) != defaults[key]:
            yield Problem(where=f"{where}.{key}", what=f"not used by an archive of kind {kind.name}: remove it")
    if section.own_sensor is not None and "level" in kind.takes:
        yield Problem(where=f"{where}.own_sensor", what=f"products of kind {kind.name} have their own: remove it")
    yield from _pattern_problems(section, where)
    if section.sensor is not None and section.sensor not in SENSORS:
        near = ", ".join(nearest(section.sensor, SENSORS))
        yield Problem(where=f"{where}.sensor", what=f"no sensor {section.sensor!r}; nearest: {near}")


def _pattern_problems(section: ArchiveSection, where: str) -> Iterator[Problem]:
    cube = any(part.endswith(_CUBES) for part in str(section.href).lower().split("/"))
    if section.kind == "files" and "://" in str(section.href):
        yield Problem(where=f"{where}.href", what=f"got {section.href}, expected a folder or cube on this machine")
    if section.kind == "files" and bool(section.pattern) == cube and section.href is not None:
        what = "not used for a cube: remove it" if cube else "missing, expected such as {date}_{band}.tif for a folder"
        yield Problem(where=f"{where}.pattern", what=what)
    for text in section.pattern:
        try:
            FilePattern.parse(text)
        except InvalidValueError as error:
            yield Problem(where=f"{where}.pattern", what=str(error))


def archive_sensor(section: ArchiveSection) -> Sensor:
    """The sensor whose scenes an archive holds.

    Args:
        section: of the recipe.

    Example:
        >>> from landloom.model.recipe import ArchiveSection
        >>> archive_sensor(ArchiveSection(kind="safe", href="products", level="L1C")).name
        'sentinel-2-l1c'
    """
    if section.own_sensor is not None:
        return section.own_sensor.sensor
    if section.sensor is not None:
        return SENSORS[section.sensor]
    if section.kind in PRESETS:
        return SENSORS[PRESETS[section.kind].profile_of(section.collection).sensor]
    return SENTINEL_2_L1C if section.level == SENTINEL_2_L1C.level else SENTINEL_2_L2A
