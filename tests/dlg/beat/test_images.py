from __future__ import annotations

import json

import pytest

from dlg.beat.images import Image, Images, UnknownEnvironmentError, described, labelled
from dlg.exceptions import InvalidAssetError

LABELS = {
    "beat.env.type": "execution",
    "beat.env.name": "python",
    "beat.env.version": "3.1",
    "beat.env.capabilities": "gpu, big",
    "beat.env.custom_tmpfs": "/tmp=10m,/scratch=1g",
    "maintainer": "somebody",
}


def image(name: str, version: str, **more: object) -> Image:
    return Image(image=f"{name}:{version}", name=name, version=version, **more)  # type: ignore[arg-type]


def test_labels_say_what_an_image_is() -> None:
    found = labelled("python:3", LABELS)
    assert found is not None
    assert found.key == "python (3.1)"
    assert found.capabilities == ("gpu", "big")
    assert found.custom_tmpfs == {"/tmp": "10m", "/scratch": "1g"}
    assert not found.for_databases


def test_databases_may_be_a_list_of_json() -> None:
    labels = {**LABELS, "beat.env.type": "database", "beat.env.databases": '["a/1", "b/2"]'}
    found = labelled("data:1", labels)
    assert found is not None
    assert found.databases == ("a/1", "b/2")
    assert found.for_databases


def test_sizes_may_be_json() -> None:
    found = labelled("python:3", {**LABELS, "beat.env.custom_tmpfs": '{"/tmp": "10m"}'})
    assert found is not None
    assert found.custom_tmpfs == {"/tmp": "10m"}


@pytest.mark.parametrize("labels", [{}, {"beat.env.type": "execution"}, {"beat.env.type": "x"}])
def test_other_images_are_no_environments(labels: dict[str, str]) -> None:
    assert labelled("image", labels) is None


def test_a_description_says_what_an_image_is() -> None:
    text = json.dumps({"name": "data", "version": 1, "databases": {"a/1": "/a"}})
    found = described("data:1", text)
    assert found is not None
    assert (found.key, found.databases, found.for_databases) == ("data (1)", ("a/1",), True)


@pytest.mark.parametrize("text", ["", "no json", "[]", "3", "null", "{}", '{"name": "x"}'])
def test_a_description_of_no_use_is_none(text: str) -> None:
    assert described("image", text) is None


def test_two_images_of_one_environment_are_refused() -> None:
    images = Images()
    images.add(image("python", "1"), strict=True)
    images.add(image("python", "1"), strict=True)  # the same image, found twice
    other = Image(image="other", name="python", version="1")
    with pytest.raises(InvalidAssetError, match=r"python \(1\): python:1 and other"):
        images.add(other, strict=True)


def test_or_the_newer_of_them_counts() -> None:
    images = Images()
    for revision in ("r9", "r10", "r2", "1"):
        found = Image(image=revision, name="python", version="1", revision=revision[1:] or "1")
        images.add(found, strict=False)
    assert images.of("python (1)").image == "r10"


def test_an_environment_is_found_by_its_name_alone() -> None:
    images = Images()
    images.add(image("python", "1"), strict=True)
    images.add(image("data", "2", for_databases=True), strict=True)
    assert images.full_name("python") == "python (1)"
    assert images.full_name("data") == "data (2)"
    assert images.full_name("other") is None
    assert "python (1)" in images
    assert "data (2)" in images
    assert "python" not in images


def test_an_image_with_all_databases_is_found() -> None:
    images = Images()
    images.add(image("one", "1", for_databases=True, databases=("a/1",)), strict=True)
    images.add(image("two", "1", for_databases=True, databases=("a/1", "b/1")), strict=True)
    assert images.with_databases(["a/1"]).name == "one"
    assert images.with_databases(["b/1", "a/1"]).name == "two"
    with pytest.raises(IndexError, match="all of the databases a/1, c/1"):
        images.with_databases(["a/1", "c/1"])


def test_an_unknown_environment_is_told_with_those_there_are() -> None:
    images = Images()
    with pytest.raises(KeyError, match=r"the environment python \(1\): there is none"):
        images.of("python (1)")
    images.add(image("python", "2"), strict=True)
    with pytest.raises(UnknownEnvironmentError, match=r"there is python \(2\)"):
        images.of("python (1)")
    with pytest.raises(UnknownEnvironmentError, match="environment of databases"):
        images.of_databases("python (2)")
