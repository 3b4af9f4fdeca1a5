"""The images that are kept: whose they are, how many, for how long, and nothing left behind."""

import hashlib
import os
import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select, text
from tests import pictures
from tests.fakes import FakeClock

from stopgap.clock import RandomIds
from stopgap.errors import StopgapError
from stopgap.images.gallery import HoldsAccount, Images
from stopgap.images.image import (
    Bounds,
    ImageNotFound,
    ImageQuotaReached,
    Uploader,
    UploaderGone,
)
from stopgap.images.store import ImageRows, images
from stopgap.storage.database import Database, lock
from stopgap.storage.object_stores import open_objects, prepare_objects
from stopgap.storage.objects import DiskFull, ObjectDamaged, ObjectStore, ObjectsUnreachable

BOUNDS = Bounds(
    bytes=1_000_000,
    pixels=1_000_000,
    account_images=5,
    guest_images=3,
    guest_bytes=10_000_000,
    guest_lifetime=timedelta(hours=24),
)
ANN = Uploader(id="account-ann", guest=False, address="192.0.2.1")
BOB = Uploader(id="account-bob", guest=False, address="192.0.2.1")
GUEST = Uploader(id="guest-1", guest=True, address="192.0.2.1")

BAD_NAMES = [
    "",
    "..",
    "../../etc/passwd",
    "a" * 72 + ".svg",
    "a" * 72 + ".png\0",
    "a" * 72 + ".png\n",
    "A" * 72 + ".png",
    "/" + "a" * 71 + ".png",
    "a" * 10_000,
    "\udcff" * 72 + ".png",
]

Make = Callable[..., Images]


@pytest.fixture
def objects(tmp_path: Path) -> ObjectStore:
    """Give an empty folder of objects."""
    prepare_objects(str(tmp_path / "objects"))
    return open_objects(str(tmp_path / "objects"))


@pytest.fixture
def make(database: Database, objects: ObjectStore, clock: FakeClock) -> Make:
    """Give a maker of galleries over one database and folder, with bounds of one's own."""

    def make_images(
        objects: ObjectStore = objects,
        guest_bytes: int = 10_000_000,
        holds_account: HoldsAccount = lambda _connection, _account: True,
    ) -> Images:
        return Images(
            database=database,
            objects=objects,
            clock=clock,
            ids=RandomIds(),
            secret=b"s" * 32,
            bounds=replace(BOUNDS, guest_bytes=guest_bytes),
            holds_account=holds_account,
        )

    return make_images


@pytest.fixture
def gallery(make: Make) -> Images:
    """Give an empty gallery."""
    return make()


def guest(number: int, address: str = "192.0.2.1") -> Uploader:
    """Make one of many guests."""
    return Uploader(id=f"guest-{number}", guest=True, address=address)


def rows(database: Database) -> int:
    """Count the rows of images."""
    with database.read() as connection:
        return connection.scalar(select(func.count()).select_from(images)) or 0


def test_keeps_an_image(gallery: Images, clock: FakeClock) -> None:
    """An image that was added is found again with all that is known of it, and its bytes."""
    added = gallery.add(pictures.png(), ANN)
    found = gallery.get(added.name, ANN.id)
    content = gallery.content(found)

    assert found == added
    assert (found.media_type, found.width, found.height) == ("image/png", *pictures.SIZE)
    assert (found.bytes, found.etag) == (len(content), hashlib.sha256(content).hexdigest())
    assert (found.created_at, found.expires_at) == (clock.now(), None)


def test_who_is_gone_meanwhile(make: Make, objects: ObjectStore, database: Database) -> None:
    """Nothing is kept for an account that was ended while its image was drawn anew."""
    gallery = make(holds_account=lambda _connection, account: account != ANN.id)
    with pytest.raises(UploaderGone):
        gallery.add(pictures.png(), ANN)
    assert (rows(database), list(objects.names())) == (0, [])
    gallery.add(pictures.png(), BOB)
    gallery.add(pictures.png(), GUEST)
    assert rows(database) == 2


@pytest.mark.parametrize(
    ("ending", "media_type"),
    [("jpg", "image/jpeg"), ("png", "image/png"), ("webp", "image/webp"), ("gif", "image/gif")],
)
def test_names_after_the_true_kind(gallery: Images, ending: str, media_type: str) -> None:
    """A name is a secret and the ending of what the image really is; no two are the same."""
    first = gallery.add(pictures.each_kind()[ending], ANN)
    second = gallery.add(pictures.each_kind()[ending], ANN)

    assert re.fullmatch(rf"[0-9a-f]{{72}}\.{ending}", first.name)
    assert first.media_type == media_type
    assert first.name[:64] != second.name[:64]
    assert first.etag == second.etag


@pytest.mark.parametrize("asker", [BOB.id, GUEST.id, None, ""])
def test_hides_an_accounts_image(gallery: Images, asker: str | None) -> None:
    """An account's image is for that account alone; for others it does not exist."""
    name = gallery.add(pictures.png(), ANN).name

    with pytest.raises(ImageNotFound):
        gallery.get(name, asker)
    with pytest.raises(ImageNotFound):
        gallery.delete(name, asker or "")
    assert gallery.list(asker or "") == []
    assert gallery.get(name, ANN.id).owner == ANN.id


@pytest.mark.parametrize("asker", [ANN.id, GUEST.id, "guest-2", None])
def test_shows_a_guests_image_to_who_has_its_path(
    gallery: Images, clock: FakeClock, asker: str | None
) -> None:
    """A guest's image is for whoever knows its name, until its time is over, swept or not."""
    added = gallery.add(pictures.png(), GUEST)

    assert added.expires_at == clock.now() + timedelta(hours=24)
    clock.forward(hours=24, microseconds=-1)
    assert gallery.get(added.name, asker) == added
    clock.forward(microseconds=1)
    with pytest.raises(ImageNotFound):
        gallery.get(added.name, asker)
    assert gallery.list(GUEST.id) == []
    with pytest.raises(ImageNotFound):
        gallery.delete(added.name, GUEST.id)


def test_lets_only_the_guest_itself_delete(gallery: Images) -> None:
    """Who has a guest's path may look, but neither list nor delete."""
    name = gallery.add(pictures.png(), GUEST).name

    with pytest.raises(ImageNotFound):
        gallery.delete(name, "guest-2")
    assert gallery.list("guest-2") == []
    gallery.delete(name, GUEST.id)
    with pytest.raises(ImageNotFound):
        gallery.get(name, None)


@pytest.mark.parametrize("name", BAD_NAMES)
def test_finds_nothing_under_odd_names(gallery: Images, name: str) -> None:
    """A name that we never make is not found, whatever it would mean to a disk or a database."""
    with pytest.raises(ImageNotFound):
        gallery.get(name, ANN.id)
    with pytest.raises(ImageNotFound):
        gallery.delete(name, ANN.id)


def test_lists_newest_first(gallery: Images, clock: FakeClock) -> None:
    """An owner sees its own images, the newest first."""
    added = []
    for _ in range(3):
        added.append(gallery.add(pictures.png(), ANN))
        gallery.add(pictures.png(), BOB)
        clock.forward(seconds=1)

    assert gallery.list(ANN.id) == added[::-1]


def test_deletes_row_and_object(gallery: Images, database: Database, objects: ObjectStore) -> None:
    """A deleted image is gone from the list, the database and the disk, and its bytes with it."""
    image = gallery.add(pictures.png(), ANN)
    gallery.delete(image.name, ANN.id)

    assert (rows(database), list(objects.names())) == (0, [])
    with pytest.raises(ImageNotFound):
        gallery.content(image)
    with pytest.raises(ImageNotFound):
        gallery.delete(image.name, ANN.id)


@pytest.mark.parametrize("after", ["nothing", "small", "all"])
def test_a_deletion_that_was_interrupted_is_ended(
    gallery: Images,
    objects: ObjectStore,
    database: Database,
    clock: FakeClock,
    after: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """However old an image is, and wherever a process died that deleted it: nothing of it stays."""
    image = gallery.add(pictures.png(), ANN)
    clock.forward(days=30)
    deleted: list[str] = []

    def delete(name: str) -> None:
        if after == "nothing" or (after == "small" and deleted):
            raise OSError("killed")
        deleted.append(name)
        type(objects).delete(objects, name)

    with monkeypatch.context() as dying:
        dying.setattr(objects, "delete", delete)
        if after == "all":
            dying.setattr(ImageRows, "remove", lambda *_: 1 / 0)
        with pytest.raises((OSError, ZeroDivisionError)):
            gallery.delete(image.name, ANN.id)
    with pytest.raises(ImageNotFound):
        gallery.get(image.name, ANN.id)
    assert gallery.list(ANN.id) == []
    assert gallery.sweep() == 1
    assert (rows(database), list(objects.names())) == (0, [])


def test_deletes_all_of_an_owner(gallery: Images, objects: ObjectStore) -> None:
    """When an account is deleted its images go, and nobody else's."""
    for _ in range(3):
        gallery.add(pictures.png(), ANN)
    kept = gallery.add(pictures.png(), BOB)

    assert gallery.delete_all(ANN.id) == 3
    assert gallery.delete_all(ANN.id) == 0
    assert list(objects.names()) == [kept.name]


def test_bounds_an_accounts_images(gallery: Images) -> None:
    """An account keeps so many images and no more; deleting one makes room, waiting does not."""
    added = [gallery.add(pictures.png(), ANN) for _ in range(5)]

    with pytest.raises(ImageQuotaReached, match="5 images") as refusal:
        gallery.add(pictures.png(), ANN)
    assert refusal.value.retry_after is None
    gallery.add(pictures.png(), BOB)
    gallery.delete(added[0].name, ANN.id)
    gallery.add(pictures.png(), ANN)


@pytest.mark.parametrize(
    ("addresses", "fit"),
    [
        (["192.0.2.1", "192.0.2.1", "192.0.2.1", "192.0.2.1"], 3),
        (["192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4"], 4),
        (["2001:db8::1", "2001:db8::2", "2001:db8:0:0:ffff::", "2001:DB8::4"], 3),
        (["2001:db8::1", "2001:db8:0:1::1", "2001:db8:0:2::1", "2001:db8:0:3::1"], 4),
        (["192.0.2.1", "::ffff:192.0.2.1", "192.0.2.1", "192.0.2.1"], 3),
        (["", "", "", ""], 3),
        (["fe80::1%eth0", "fe80::2%eth1", "fe80::3", "fe80::4"], 3),
    ],
)
def test_bounds_guests_images_by_address(gallery: Images, addresses: list[str], fit: int) -> None:
    """Guests at one address, or in one /64 of IPv6, keep so many images together and no more."""
    outcomes = []
    for number, address in enumerate(addresses):
        try:
            outcomes.append(gallery.add(pictures.png(), guest(number, address)) is not None)
        except ImageQuotaReached:
            outcomes.append(False)

    assert outcomes == [number < fit for number in range(4)]


def test_frees_guests_quota_by_itself(gallery: Images, clock: FakeClock) -> None:
    """A guest who is refused is told how long, and after that there is room without a sweep."""
    gallery.add(pictures.png(), GUEST)
    clock.forward(hours=1)
    for number in (2, 3):
        gallery.add(pictures.png(), guest(number))
    with pytest.raises(ImageQuotaReached, match="one address") as refusal:
        gallery.add(pictures.png(), guest(4))

    assert refusal.value.retry_after == 23 * 3600
    clock.forward(hours=23)
    gallery.add(pictures.png(), guest(4))


def test_bounds_guests_bytes_in_all(make: Make, database: Database, clock: FakeClock) -> None:
    """All guests' images together take so many bytes on the disk; accounts are not affected."""
    gallery = make(guest_bytes=3 * 4096)
    for number in range(3):
        gallery.add(pictures.png(), guest(number, f"192.0.2.{number}"))
    with pytest.raises(ImageQuotaReached, match="together") as refusal:
        gallery.add(pictures.png(), guest(9, "192.0.2.9"))

    assert refusal.value.retry_after == 24 * 3600
    assert rows(database) == 3
    gallery.add(pictures.png(), ANN)
    clock.forward(hours=24)
    gallery.add(pictures.png(), guest(9, "192.0.2.9"))


def test_refuses_what_could_never_fit(make: Make) -> None:
    """A guest's image larger than all guests' room is refused even when there is none yet."""
    with pytest.raises(ImageQuotaReached) as refusal:
        make(guest_bytes=10).add(pictures.png(), GUEST)

    assert refusal.value.retry_after == 24 * 3600


@pytest.mark.parametrize(("uploader", "fit"), [(ANN, 5), (GUEST, 3)])
def test_holds_quotas_under_a_rush(
    make: Make, objects: ObjectStore, database: Database, uploader: Uploader, fit: int
) -> None:
    """Uploads at the same moment, by several servers, do not slip through a quota together."""
    galleries = [make() for _ in range(8)]
    start = threading.Barrier(8)
    outcomes: list[str] = []

    def upload(gallery: Images) -> None:
        start.wait()
        for _ in range(3):
            try:
                outcomes.append(type(gallery.add(pictures.png(), uploader)).__name__)
            except StopgapError as error:
                outcomes.append(type(error).__name__)

    threads = [threading.Thread(target=upload, args=(gallery,)) for gallery in galleries]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert outcomes.count("Image") == fit == rows(database)
    assert outcomes.count("ImageQuotaReached") == 24 - fit
    assert len(list(objects.names())) == fit


def test_sweeps_in_batches(
    gallery: Images, database: Database, objects: ObjectStore, clock: FakeClock
) -> None:
    """A sweep deletes all images whose time is over, however many, and no others."""
    first = gallery.add(pictures.png(), GUEST)
    with database.write() as connection:
        for number in range(1200):
            name = f"{number:064x}{0:08x}.png"
            ImageRows(connection).add(replace(first, name=name), address="hash")
    clock.forward(hours=24)
    kept = gallery.add(pictures.png(), ANN)

    assert gallery.sweep() == 1201
    assert gallery.sweep() == 0
    assert rows(database) == 1
    assert list(objects.names()) == [kept.name]


def test_two_sweepers_do_not_disturb_each_other(make: Make, clock: FakeClock) -> None:
    """Sweeps at the same moment delete each image once."""
    galleries = [make() for _ in range(4)]
    for number in range(20):
        galleries[0].add(pictures.png(), guest(number, f"192.0.2.{number}"))
    clock.forward(hours=24)
    swept: list[int] = []
    threads = [
        threading.Thread(target=lambda gallery=gallery: swept.append(gallery.sweep()))
        for gallery in galleries
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sum(swept) == 20


def test_sweeps_orphans(
    gallery: Images, objects: ObjectStore, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    """An object goes once it has been seen without a row for a day, and both times it is told.

    An upload in progress is not seen. What is not an image's, and what is so old that this must be
    another database, stays.
    """
    kept = gallery.add(pictures.png(), ANN)
    seconds = int(clock.now().timestamp())
    orphan = f"{1:064x}{seconds:08x}.png"
    ancient = f"{2:064x}{seconds - 8 * 86_400:08x}.png"
    for name in (orphan, ancient, "notes.txt"):
        objects.put(name, b"content")
    clock.forward(minutes=59)
    assert (gallery.sweep_orphans(), caplog.messages) == (0, [])

    clock.forward(minutes=2)
    assert gallery.sweep_orphans() == 0
    clock.forward(hours=23)
    assert gallery.sweep_orphans() == 0
    clock.forward(hours=1)
    assert gallery.sweep_orphans() == 1
    assert sorted(objects.names()) == sorted([kept.name, ancient, "notes.txt"])
    assert caplog.messages == [
        "of 1 images the database has no row; they go in a day",
        "1 images deleted of which the database has had no row for a day",
    ]


def test_keeps_what_another_database_knows(
    make: Make, database: Database, clock: FakeClock
) -> None:
    """Images outlive starts with a database that lacks their rows, and sweeps until it is there."""
    kept = make().add(pictures.png(), ANN)
    with database.write() as connection:
        row = connection.execute(images.delete().returning(images)).one()
    clock.forward(hours=2)
    assert make().sweep_orphans() == 0
    clock.forward(hours=30)
    gallery = make()
    assert gallery.sweep_orphans() == 0
    with database.write() as connection:  # the backup is restored
        connection.execute(images.insert().values(row._asdict()))
    clock.forward(hours=30)

    assert gallery.sweep_orphans() == 0
    assert gallery.content(gallery.get(kept.name, ANN.id))


class BrokenObjects:
    """An object store whose disk is full, or which is interrupted after it has written."""

    def __init__(self, objects: ObjectStore, error: BaseException, *, written: bool) -> None:
        self._objects = objects
        self._error = error
        self._written = written

    def put(self, name: str, content: bytes) -> None:
        """Write, or not, and fail."""
        if self._written:
            self._objects.put(name, content)
        raise self._error

    def get(self, name: str) -> bytes:
        """Fetch an object."""
        return self._objects.get(name)

    def delete(self, name: str) -> None:
        """Delete an object."""
        self._objects.delete(name)

    def names(self) -> Iterator[str]:
        """List all objects."""
        return self._objects.names()

    def age(self, name: str) -> float:
        """Tell how old an object is."""
        return self._objects.age(name)

    def tidy(self) -> None:
        """Have nothing to tidy."""


@pytest.mark.parametrize(
    ("error", "written"), [(DiskFull(), False), (OSError("pulled out"), True), (SystemExit(), True)]
)
def test_leaves_nothing_when_storing_fails(
    make: Make, database: Database, objects: ObjectStore, error: BaseException, *, written: bool
) -> None:
    """When an object cannot be stored there is no row and no object; the next upload is well."""
    with pytest.raises(type(error)):
        make(BrokenObjects(objects, error, written=written)).add(pictures.png(), ANN)

    assert (rows(database), list(objects.names())) == (0, [])
    assert make().add(pictures.png(), ANN).owner == ANN.id


def test_asks_nothing_more_of_a_place_that_is_away(
    make: Make, database: Database, objects: ObjectStore, clock: FakeClock
) -> None:
    """Whoever uploads waits for it once; what may have been put nevertheless is swept later."""
    broken = BrokenObjects(objects, ObjectsUnreachable("The bucket", "it sleeps"), written=True)
    with pytest.raises(ObjectsUnreachable):
        make(broken).add(pictures.png(), ANN)
    assert (rows(database), len(list(objects.names()))) == (0, 1)
    gallery = make()
    clock.forward(hours=2)
    gallery.sweep_orphans()
    clock.forward(days=1)
    gallery.sweep_orphans()

    assert list(objects.names()) == []


def test_leaves_nothing_when_the_row_is_refused(
    gallery: Images, database: Database, objects: ObjectStore, clock: FakeClock
) -> None:
    """When the row cannot be inserted the object goes, at once or with the sweeps that follow."""
    with database.write() as connection:
        connection.execute(text("ALTER TABLE images RENAME COLUMN etag TO other"))
    with pytest.raises(Exception, match="etag"):
        gallery.add(pictures.png(), ANN)
    with database.write() as connection:
        connection.execute(text("ALTER TABLE images RENAME COLUMN other TO etag"))
    clock.forward(hours=2)
    gallery.sweep_orphans()
    clock.forward(days=1)
    gallery.sweep_orphans()

    assert (rows(database), list(objects.names())) == (0, [])


def test_knows_no_address(gallery: Images, database: Database) -> None:
    """A guest's address stands nowhere in the clear, and an account's nowhere at all."""
    gallery.add(pictures.png(), GUEST)
    gallery.add(pictures.png(), ANN)
    with database.read() as connection:
        found = connection.execute(select(images).order_by(images.c.owner)).all()

    assert "192.0.2" not in repr(found)
    assert [bool(row.address) for row in found] == [False, True]
    assert hashlib.sha256(b"192.0.2.1").hexdigest() not in repr(found)


def test_a_small_copy(gallery: Images, objects: ObjectStore) -> None:
    """A large image has a small copy, which goes with it; a small one is its own."""
    large = gallery.add(pictures.png(size=(900, 300)), ANN)
    content, media_type = gallery.small(large)
    assert media_type == "image/webp"
    assert pictures.unpacked(content).size == (240, 80)
    tiny = gallery.add(pictures.png(), ANN)
    assert gallery.small(tiny) == (gallery.content(tiny), "image/png")

    gallery.delete(large.name, ANN.id)
    assert list(objects.names()) == [tiny.name]


@pytest.mark.parametrize("left", [0, 4, 100])
def test_a_damaged_image(gallery: Images, objects: ObjectStore, left: int) -> None:
    """What was cut short where it lies, or emptied, is told as damaged, and never sent as whole."""
    image = gallery.add(pictures.png(size=(900, 300)), ANN)
    for name in list(objects.names()):
        objects.put(name, objects.get(name)[:left])
    for fetch in (gallery.content, gallery.small):
        with pytest.raises(ObjectDamaged, match=image.name):
            fetch(image)


def test_a_small_copy_that_was_left_behind(
    gallery: Images, database: Database, objects: ObjectStore, clock: FakeClock
) -> None:
    """What an interruption leaves of a large image is swept, its small copy too."""
    gallery.add(pictures.png(size=(900, 300)), ANN)
    with database.write() as connection:
        connection.execute(text("DELETE FROM images"))
    clock.forward(hours=2)
    assert gallery.sweep_orphans() == 0
    clock.forward(days=1)
    assert gallery.sweep_orphans() == 1
    assert list(objects.names()) == []


def test_sweeps_the_drafts_of_killed_writers(gallery: Images, tmp_path: Path) -> None:
    """What a killed worker has half written goes with the orphans, and not at a start alone."""
    draft = tmp_path / "objects" / ".drafts" / "0123"
    draft.write_bytes(b"half an image")
    os.utime(draft, (0, 0))
    gallery.sweep_orphans()
    assert not draft.exists()


def test_guests_take_turns(gallery: Images, database: Database) -> None:
    """All guests share a quota, so of several that upload at once one is counted after another."""
    added = threading.Thread(target=gallery.add, args=(pictures.png(), GUEST))
    with database.write() as holder:
        lock(holder, "images of guests")
        added.start()
        added.join(0.5)
        assert added.is_alive()
    added.join(10)
    assert not added.is_alive()


@pytest.mark.parametrize(("uploader", "most"), [(ANN, 5), (GUEST, 3)])
def test_who_has_enough_is_refused_unread(
    gallery: Images, monkeypatch: pytest.MonkeyPatch, uploader: Uploader, most: int
) -> None:
    """Over the quota no upload is unpacked: what is refused costs no more than a look."""
    for _ in range(most):
        gallery.add(pictures.png(), uploader)
    monkeypatch.setattr(gallery, "_decoder", None)
    with pytest.raises(ImageQuotaReached):
        gallery.add(pictures.png(), uploader)
