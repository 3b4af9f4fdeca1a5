"""Objects, in a folder and in a bucket: what is put comes back, and no name leads elsewhere."""

from io import BytesIO

import pytest

from stopgap.storage.object_stores import open_objects, prepare_objects
from stopgap.storage.objects import ObjectNotFound, ObjectStore, check

BAD_NAMES = [
    "",
    "a",
    "..",
    "../ab",
    "ab/../cd",
    "/etc/passwd",
    ".drafts",
    ".hidden",
    "ab\0.png",
    "AB.png",
    "ab png",
    "ab\n",
    "äb.png",
    "ab\\cd",
    "a" * 122,
]


@pytest.fixture
def objects(objects_url: str) -> ObjectStore:
    """Give an empty place of each kind."""
    prepare_objects(objects_url)
    return open_objects(objects_url)


def test_gives_back_what_was_put(objects: ObjectStore) -> None:
    """What is put is fetched, byte for byte, and listed; putting it again replaces it."""
    objects.put("ab12.png", b"first")
    objects.put("ab34.png", b"")
    objects.put("ab12.png", bytes(range(256)))

    assert objects.get("ab12.png") == bytes(range(256))
    assert objects.get("ab34.png") == b""
    assert sorted(objects.names()) == ["ab12.png", "ab34.png"]


def test_takes_large_ones(objects: ObjectStore) -> None:
    """A model's file may be large; it comes back as it was."""
    content = bytes(range(256)) * 100_000
    objects.put("ab12", content)

    assert objects.get("ab12") == content


def test_takes_files_and_gives_pieces(objects: ObjectStore) -> None:
    """What is too large to be held is put from a file, and comes back in pieces, all of it."""
    content = bytes(range(256)) * 10_000
    objects.put("ab12", BytesIO(content))
    objects.put("ab34", BytesIO())

    pieces = list(objects.pieces("ab12"))
    assert (len(pieces), b"".join(pieces)) == (3, content)
    assert list(objects.pieces("ab34")) == []
    with pytest.raises(ObjectNotFound):
        next(objects.pieces("ab56"))


def test_tells_how_old_they_are(objects: ObjectStore) -> None:
    """What has just been put is new; what is not there has no age."""
    objects.put("ab12.png", b"content")

    assert -1 <= objects.age("ab12.png") < 600
    for name in ("ab34.png", "zz99.png", "../ab/ab12.png"):
        with pytest.raises(ObjectNotFound):
            objects.age(name)


def test_deletes(objects: ObjectStore) -> None:
    """What is deleted is gone, and deleting it again is no error."""
    objects.put("ab12.png", b"content")
    objects.delete("ab12.png")
    objects.delete("ab12.png")
    objects.delete("zz99.png")

    assert list(objects.names()) == []
    with pytest.raises(ObjectNotFound):
        objects.get("ab12.png")


@pytest.mark.parametrize("name", BAD_NAMES)
def test_takes_no_other_names(objects: ObjectStore, name: str) -> None:
    """A name that could mean another place is never looked up, written or deleted."""
    with pytest.raises(ObjectNotFound):
        objects.get(name)
    with pytest.raises(ValueError, match=r".*"):
        objects.put(name, b"")
    objects.delete(name)

    assert list(objects.names()) == []


def test_keeps_shelves_apart(objects_url: str) -> None:
    """What lies below a place, as models' files do below the images, is none of its objects."""
    for url in (objects_url, f"{objects_url}/models"):
        prepare_objects(url)
    above, below = open_objects(objects_url), open_objects(f"{objects_url}/models")
    above.put("ab12", b"above")
    below.put("ab12", b"below")
    below.put("cd34", b"below")

    assert list(above.names()) == ["ab12"]
    assert sorted(below.names()) == ["ab12", "cd34"]
    assert above.get("ab12") == b"above"
    with pytest.raises(ObjectNotFound):
        above.get("cd34")


def test_leaves_nothing_of_a_check(objects: ObjectStore) -> None:
    """To see that all is well leaves nothing behind, and may be done again."""
    check(objects)
    check(objects)

    assert list(objects.names()) == []
