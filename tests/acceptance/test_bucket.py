"""Objects in a bucket: for all servers, there after a disk is emptied, and away for a while."""

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import pytest
from tests.acceptance.callers import LOADED_SECONDS
from tests.acceptance.client import Client
from tests.acceptance.processes import wait_for
from tests.acceptance.server import ROOT, SECRET, STOPGAP, Server, environment, running
from tests.acceptance.test_mail_images import assert_kept
from tests.buckets import BucketServer
from tests.buckets import environment as user_of
from tests.models.trained import Trained, train
from tests.pictures import photograph, png, unpacked
from tests.relay import relayed


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """Train a small pipeline."""
    return train(tmp_path_factory.mktemp("trained"))


@pytest.fixture
def settings(bucket: BucketServer, postgresql_url: str) -> Mapping[str, str]:
    """Tell what servers that share a database and a bucket have in common."""
    return {
        "DATABASE_URL": postgresql_url,
        "STOPGAP_SECRET": SECRET,
        "STOPGAP_OBJECTS": bucket.url(),
        **bucket.environment(),
    }


def stopgap(server: Server, settings: Mapping[str, str], *words: str) -> str:
    """Run a command as on a server's machine; tell what it prints."""
    ended = subprocess.run(
        [*STOPGAP, *words],
        env=environment(STOPGAP_DATA=str(server.data)) | dict(settings),
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def await_release(client: Client) -> None:
    """Wait until release 1 answers."""

    def answers() -> bool:
        return client.get("/predict/5/may/1").header("Stopgap-Release") == "1"

    wait_for(answers, LOADED_SECONDS, "the release answers")


def test_servers_that_share_a_bucket(
    tmp_path: Path, bucket: BucketServer, settings: Mapping[str, str], trained: Trained
) -> None:
    """What one has been given the other has: an image, its small copy, and a model's file.

    A third, whose disk has been emptied, is as good as they, as soon as the bucket answers.
    """
    with running(tmp_path / "a", settings) as a, running(tmp_path / "b", settings) as b:
        client, other = a.client(), b.client()
        path = assert_kept(client.post("/images", png(), "image/png"))
        fetched = other.get(path)
        assert fetched.status == 200
        assert fetched.body == client.get(path).body
        assert unpacked(fetched.body).size

        options = ("--bring", "round", "--samples", "60")
        stopgap(a, settings, "release", "add", f"onnx:{trained.onnx}", *options)
        stopgap(b, settings, "release", "promote", "1", "--yes")
        for each in (client, other):
            await_release(each)
        expected = client.get("/predict/5/may/1").body
        assert not list(tmp_path.rglob("objects")), "something is kept on the disk after all"
        assert "can be written and read" in stopgap(a, settings, "doctor")
    shutil.rmtree(tmp_path / "a" / "data")
    with relayed(bucket.endpoint) as relay:
        relay.cut()
        away = {**settings, **user_of(relay.endpoint)}
        with running(tmp_path / "a", away, troubled=True) as emptied:
            client = emptied.client()
            assert client.get("/predict/5/may/1").json()["type"] == "/problems/model-unavailable"
            relay.mend()
            await_release(client)
            assert client.get("/predict/5/may/1").body == expected
            assert client.get(path).body == fetched.body


def test_a_bucket_that_is_away(tmp_path: Path, bucket: BucketServer) -> None:
    """Images are refused with 503 meanwhile, at once; predictions go on, also after a restart.

    When it is back, what was kept is there, and more is taken.
    """
    with relayed(bucket.endpoint) as relay:
        settings = {"STOPGAP_OBJECTS": bucket.url(), **user_of(relay.endpoint)}
        with running(tmp_path, settings) as server:
            client = server.client()
            path = assert_kept(client.post("/images", png(), "image/png"))
            relay.cut()
            began = time.monotonic()
            for answer in (client.get(path), client.post("/images", png(), "image/png")):
                assert answer.status == 503
                assert answer.json()["type"] == "/problems/objects-unreachable"
                assert answer.header("Retry-After") == "5"
                assert bucket.url().split("/")[2] not in answer.text
            assert time.monotonic() - began < 5
            assert client.get("/predict/5/may/1").status == 200
            assert client.get("/health").status == 200
        with running(tmp_path, settings) as server:
            client = server.client()
            assert "does not answer" in server.said
            assert client.get("/predict/5/may/1").status == 200
            assert client.get(path).status == 503
            relay.mend()
            assert client.get(path).status == 200
            assert_kept(client.post("/images", png(), "image/png"))


AWS = """#!{python}
import sys
from boto3.session import Session
told, source, target = sys.argv[1:3], sys.argv[3], sys.argv[4]
assert told == ["s3", "cp"]
bucket, _, key = target.removeprefix("s3://").partition("/")
Session().client("s3").upload_file(source, bucket, key)
"""
"""What the docs call, as far as they do: Amazon's own program."""


def test_moving_there(tmp_path: Path, bucket: BucketServer, trained: Trained) -> None:
    """By the docs' commands, images and models' files get from a folder into a bucket."""
    url, user = bucket.url(), bucket.environment()
    with running(tmp_path) as server:
        client = server.client()
        path = assert_kept(client.post("/images", photograph(size=(900, 700)), "image/jpeg"))
        before = client.get(path).body
        options = ("--bring", "round", "--samples", "60")
        stopgap(server, {}, "release", "add", f"onnx:{trained.onnx}", *options)
    page = (ROOT / "docs" / "hosting.md").read_text()
    (commands,) = re.findall(r"```sh\n(cd stopgap-data/objects\n.*?)```", page, re.DOTALL)
    program = tmp_path / "bin" / "aws"
    program.parent.mkdir()
    program.write_text(AWS.format(python=sys.executable))
    program.chmod(0o755)
    (tmp_path / "stopgap-data").symlink_to(server.data)
    subprocess.run(
        ["/bin/sh", "-ec", commands.replace("s3://my-bucket/stopgap", url)],
        env={"PATH": f"{program.parent}:{os.environ['PATH']}", **user},
        cwd=tmp_path,
        check=True,
    )
    shutil.rmtree(server.data / "objects")
    shutil.rmtree(server.data / "models", ignore_errors=True)
    with running(tmp_path, {"STOPGAP_OBJECTS": url, **user}) as server:
        client = server.client()
        assert client.get(path).body == before
        stopgap(server, {"STOPGAP_OBJECTS": url, **user}, "release", "promote", "1", "--yes")
        await_release(client)


@pytest.mark.parametrize(
    ("user", "bucket_name", "reason"),
    [("reader", "things", "AccessDenied"), ("stopgap", "another", "AccessDenied|NoSuchBucket")],
)
def test_a_bucket_that_refuses(
    tmp_path: Path, bucket: BucketServer, user: str, bucket_name: str, reason: str
) -> None:
    """A server that may not keep anything does not start; one line says why, and the doctor too."""
    url = bucket.url().replace("things", bucket_name)
    settings = {"STOPGAP_OBJECTS": url, "STOPGAP_DATA": str(tmp_path), "PORT": "0"}
    for word, code in (("serve", os.EX_UNAVAILABLE), ("doctor", 1)):
        ended = subprocess.run(
            [*STOPGAP, word],
            env=environment(**settings) | dict(bucket.environment(user)),
            capture_output=True,
            text=True,
            check=False,
        )
        assert ended.returncode == code, ended.stdout + ended.stderr
        said = ended.stdout + ended.stderr
        assert re.search(f"The bucket {bucket_name} at .* cannot keep objects .({reason})", said)
        assert "Traceback" not in said
