"""Secrets planted in every address that a user can give: none is printed, kept or published."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import orjson
import pytest
import yaml
from tests.cases.test_servers import files_of, web

from landloom.corpus.documents import published_recipe
from landloom.errors import InvalidInputError, LandloomError
from landloom.model.address import is_signed, public, shown, without_secrets
from landloom.publication.publish import publish
from landloom.query.catalog.corpora import RegisteredCorpus
from landloom.query.corpus import Corpus
from landloom.store.credentials import credentials, keep, requested
from landloom.store.objects import ObjectStore
from landloom.store.open import open_store
from landloom.store.web import WebStore

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import Ran

PLANTED = "PLANTED7SECRET"
SIGNED = [
    f"https://user:{PLANTED}@example.org/c/",
    f"https://{PLANTED}@example.org/c/",
    f"https://example.org/c/?sv=2021&sig={PLANTED}",
    f"https://example.org/c/?X-Amz-Signature={PLANTED}&X-Amz-Credential=k",
    f"https://example.org/c/?Expires=9&Signature={PLANTED}&Key-Pair-Id=K",
    f"https://example.org/c/?token={PLANTED}",
    f"https://example.org/c/?access_token={PLANTED}",
    f"https://example.org/c/?subscription-key={PLANTED}",
    f"https://example.org/c/?api_key={PLANTED}",
]


def everything(folder: Path) -> list[Path]:
    """Files below a folder that hold the planted secret, also within names."""
    below = list(folder.rglob("*"))
    return [
        path for path in below if PLANTED in path.name or (path.is_file() and PLANTED.encode() in path.read_bytes())
    ]


@pytest.mark.parametrize("address", SIGNED)
def test_one_function_strips_every_form(address: str) -> None:
    for text in (public(address), shown(address), without_secrets(f"cannot reach ({address}): no")):
        assert PLANTED not in text
        assert "example.org/c" in text
    assert public(public(address)) == public(address)
    assert published_recipe({"archive": {"href": address}})["archive"]["href"] == public(address)


@pytest.mark.parametrize("query", ["?page=2", "?scale=10&bands=B04", "?f=json", "?limit=10&collections=a", ""])
def test_other_queries_stay(query: str) -> None:
    assert not is_signed(query)
    assert public(f"https://example.org/a{query}") == f"https://example.org/a{query}"


def test_containers_of_azure_are_no_secret() -> None:
    assert (
        public("abfss://container@account.dfs.core.windows.net/x") == "abfss://container@account.dfs.core.windows.net/x"
    )


def test_credentials_hold_for_what_lies_below_alone() -> None:
    assert keep(f"https://u:{PLANTED}@kept.example/a/catalog.json") == "https://kept.example/a/catalog.json"
    assert PLANTED in requested("https://kept.example/a/items/1.json")
    assert requested("https://kept.example/b/1.json") == "https://kept.example/b/1.json"
    assert requested("https://kept.example.evil/a/1.json") == "https://kept.example.evil/a/1.json"
    assert requested("http://kept.example/a/1.json") == "http://kept.example/a/1.json"
    assert PLANTED not in repr(credentials("https://kept.example/a/x"))


@pytest.mark.parametrize("uri", [f"s3://key:{PLANTED}@bucket/x", f"az://c/x?sig={PLANTED}", f"gs://{PLANTED}@b/x"])
def test_object_stores_take_credentials_from_the_environment_alone(uri: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        open_store(uri)
    assert PLANTED not in str(caught.value)


@pytest.mark.parametrize(
    "endpoint",
    [f"http://u:{PLANTED}@127.0.0.1:9", f"http://127.0.0.1:9/?sig={PLANTED}", "nonsense", "http://h:99999", "http://"],
)
@pytest.mark.parametrize("variable", ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AZURE_STORAGE_ENDPOINT"])
def test_endpoints_are_addresses_without_credentials(
    endpoint: str, variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, endpoint)
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_NAME", "account")
    with pytest.raises(InvalidInputError, match=variable) as caught:
        ObjectStore("az://container/x" if variable.startswith("AZURE") else "s3://bucket/x")
    assert PLANTED not in str(caught.value)


BASES = [
    f"https://user:{PLANTED}@example.org/x",
    f"https://example.org/x?sig={PLANTED}",
    f"https://example.org/x#{PLANTED}",
    "file:///data/x",
    "javascript:alert(1)",
    "data:text/html,x",
    "example.org/x",
    "https://",
    "https://example.org/a b",
    "https://example.org/a\nb",
    "https://example.org/a%0Ab",
    "https://example.org/../x",
    "https://example.org/a/%2e%2e/x",
    "https://example.org/./x",
    "https://example.org\\x",
    "https://example.org:99999/x",
    "https://[::1/x",
    "https://example.org/<script>",
    "//example.org/x",
    "",
]


@pytest.mark.parametrize("base", BASES)
def test_a_base_url_that_must_not_be_published_is_refused(tiny_corpus: Path, tmp_path: Path, base: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        publish(str(tiny_corpus), f"file://{tmp_path}/public", base)
    assert PLANTED not in str(caught.value)
    assert not (tmp_path / "public").exists()


def test_corpora_are_not_registered_with_credentials(run: Callable[..., Ran], tmp_path: Path) -> None:
    for address in SIGNED:
        with pytest.raises(InvalidInputError) as caught:
            RegisteredCorpus(name="x", bases=(f"{address.rstrip('/')}/",))
        assert PLANTED not in str(caught.value)
    done = run("corpora", "add", "x", SIGNED[0])
    assert done.code == 1
    assert PLANTED not in done.out + done.err
    del tmp_path


@pytest.mark.parametrize("kind", ["login", "signed"])
@pytest.mark.parametrize("wrong", [False, True], ids=["right", "wrong"])
def test_nothing_of_a_corpus_with_credentials_is_printed_or_kept(
    kind: str,
    wrong: bool,  # noqa: FBT001 - a parameter of the test
    tiny_corpus: Path,
    tmp_path: Path,
    run: Callable[..., Ran],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("LANDLOOM_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    secrets = ("p%40ss", "p@ss", "a%2Fb", PLANTED)
    with web(kind, files_of(tiny_corpus)) as server:
        address = server.address.format("")
        if wrong:
            address = address.replace("p%40ss", PLANTED).replace("a%2Fb", PLANTED)
        commands: list[list[object]] = [
            ["query", address, "--list", tmp_path / "list.txt", "--absolute"],
            ["query", address, "--ids"],
            ["download", address, tmp_path / "out", "--labels"],
            ["download", address, tmp_path / "out2", "--all", "--azcopy"],
            ["download", address, tmp_path / "out3", "--product", "s2", "--dry-run"],
            ["crawl", server.address.format("/stac-v1.0/catalog.json") if not wrong else address],
            ["cite", address],
            ["diff", address, tmp_path / "out", "--part", "labels"],
        ]
        for number, command in enumerate(commands):
            done = run(*command)
            text = done.out + done.err
            assert not [secret for secret in secrets if secret in text], (number, text)
            assert "Traceback" not in text
            assert done.code == (1 if wrong else 0), (number, text)
    for secret in secrets:
        held = [path for path in tmp_path.rglob("*") if path.is_file() and secret.encode() in path.read_bytes()]
        assert held == []


def test_a_server_that_fails_is_named_without_its_secrets(tmp_path: Path) -> None:
    for address in (f"http://u:{PLANTED}@127.0.0.1:9/c", f"http://127.0.0.1:9/c?sig={PLANTED}"):
        with pytest.raises(LandloomError) as caught:
            Corpus.open(address, cache=tmp_path)
        assert PLANTED not in str(caught.value)
        assert PLANTED not in repr(WebStore(address))
    assert everything(tmp_path) == []


def test_the_published_recipe_keeps_no_secret_and_no_folder(tiny: Path, tmp_path: Path) -> None:
    from landloom.pipelines.build import build

    shutil.copytree(tiny, tmp_path / PLANTED, symlinks=True)
    folder = tmp_path / PLANTED
    recipe = yaml.safe_load((folder / "landloom.yaml").read_text(encoding="utf-8"))
    where = recipe["archive"]["href"]
    recipe["archive"]["href"] = str((folder / where).absolute())
    (folder / "landloom.yaml").write_text(yaml.safe_dump(recipe), encoding="utf-8")
    build(folder, out=tmp_path / "corpus")
    document = orjson.loads((tmp_path / "corpus" / "corpus.json").read_bytes())
    assert "/" not in document["recipe"]["archive"]["href"]
    publish(str(tmp_path / "corpus"), f"file://{tmp_path}/public", "https://example.org/tiny")
    assert everything(tmp_path / "public") == []
    published = [path for path in everything(tmp_path / "corpus") if ".landloom" not in path.parts]
    assert [path for path in published if path.name != "report.html"] == []


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        ("/home/me/clc.gpkg", "clc.gpkg"),
        ("/home/me/archive/", "archive"),
        ("~/clc.gpkg", "clc.gpkg"),
        ("C:\\Users\\me\\clc.gpkg", "clc.gpkg"),
        ("\\\\server\\share\\clc.gpkg", "clc.gpkg"),
        ("file:///home/me/clc.gpkg", "clc.gpkg"),
        ("data/clc.gpkg", "data/clc.gpkg"),
        ("https://example.org/clc.gpkg", "https://example.org/clc.gpkg"),
        (f"https://u:{PLANTED}@example.org/clc.gpkg", "https://example.org/clc.gpkg"),
    ],
)
def test_paths_and_addresses_of_a_recipe(value: str, kept: str) -> None:
    recipe = {"labels": {"a": {"file": value}}, "region": [value], "n": 3}
    assert published_recipe(recipe) == {"labels": {"a": {"file": kept}}, "region": [kept], "n": 3}
    assert published_recipe(published_recipe(recipe)) == published_recipe(recipe)
    words = {"publication": {"description": "/ begins with a slash"}}
    assert published_recipe(words) == words
