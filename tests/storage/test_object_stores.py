"""Which object store a URL names, and what is said of one that names none."""

import re
import sys
from pathlib import Path

import pytest

from stopgap.errors import StartRefused
from stopgap.storage.object_stores import open_objects, prepare_objects
from stopgap.storage.objects import BucketUnusable


def test_opens_a_file_url(tmp_path: Path) -> None:
    """A folder can be named by its path or as a URL, with percent signs; both are the same one."""
    folder = tmp_path / "my images"
    prepare_objects(str(folder))
    open_objects(str(folder)).put("ab12.png", b"content")

    assert open_objects(folder.as_uri()).get("ab12.png") == b"content"


@pytest.mark.parametrize("url", ["s4://bucket/images", "http://host/images", "file://host/images"])
def test_refuses_unknown_places(url: str) -> None:
    """A scheme that is not known is an error that lists the known ones."""
    with pytest.raises(StartRefused, match=r"file://.* s3://"):
        open_objects(url)


@pytest.mark.parametrize(
    "url",
    [
        "s3://",
        "s3:///images",
        "s3://a",
        "s3://Bucket",
        "s3://my_bucket",
        "s3://bucket//images",
        "s3://bucket/a b",
        "s3://bucket/images?region=x",
        "s3://bucket/images#x",
        "s3://key:secret@bucket/images",
        "s3://bücket/images",
        "s3://bucket/images\n",
    ],
)
def test_refuses_what_is_no_bucket(url: str) -> None:
    """A bucket that is named wrongly is refused, and what may be a secret in it is not repeated."""
    with pytest.raises(BucketUnusable, match=re.escape("s3://BUCKET/PREFIX")) as refused:
        open_objects(url)
    assert "secret" not in refused.value.detail


def test_tells_which_library_a_bucket_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the library, the command that installs it is told."""
    monkeypatch.delitem(sys.modules, "stopgap.storage.s3", raising=False)
    monkeypatch.setitem(sys.modules, "boto3", None)
    monkeypatch.setitem(sys.modules, "boto3.session", None)
    with pytest.raises(BucketUnusable, match="pip install boto3"):
        open_objects("s3://bucket")


@pytest.mark.parametrize(
    ("name", "value"), [("AWS_ENDPOINT_URL_S3", "no address"), ("AWS_PROFILE", "nobody's")]
)
def test_refuses_wrong_settings_of_the_library(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    """A setting of Amazon's own that is wrong is told at once, in one line."""
    monkeypatch.setenv(name, value)
    with pytest.raises(BucketUnusable, match=value) as refused:
        open_objects("s3://bucket")
    assert "\n" not in refused.value.detail
