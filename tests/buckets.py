"""A bucket for tests: a real server of the S3 protocol that lives as long as the run."""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from boto3.session import Session
from botocore.exceptions import BotoCoreError, ClientError
from tests.leash import free_ports, leashed

BUCKET = "things"
SECRET = "a-secret-of-the-bucket"
"""Of every user; there so that it can be looked for."""

USERS = {
    "owner": ["Admin"],
    "stopgap": ["Read", "Write", "List"],
    "reader": ["Read", "List"],
    "writer": ["Read", "Write"],
}

PARTS = ("master", "volume", "filer", "s3")
PORTS = tuple(f"{part}.port{kind}" for part in PARTS for kind in ("", ".grpc"))
"""Of the server's parts; it has options of these names."""

START_SECONDS = 60


@dataclass
class BucketServer:
    """A running server with one bucket. Each prefix of it is another's."""

    endpoint: str
    _count: int = field(default=0, init=False)

    def url(self) -> str:
        """Tell the URL of a place of its own for a test."""
        self._count += 1
        return f"s3://{BUCKET}/tests/{self._count}"

    def environment(self, user: str = "stopgap", secret: str = SECRET) -> Mapping[str, str]:
        """Tell what a process has to know to be a user of it."""
        return environment(self.endpoint, user, secret)

    def make_bucket(self) -> None:
        """Make the bucket, and have the server find room for what comes."""
        client = Session().client(
            "s3",
            endpoint_url=self.endpoint,
            aws_access_key_id="owner",
            aws_secret_access_key=SECRET,
            region_name="us-east-1",
        )
        with closing(client):
            client.create_bucket(Bucket=BUCKET)
            client.put_object(Bucket=BUCKET, Key="first", Body=b"")


def environment(endpoint: str, user: str = "stopgap", secret: str = SECRET) -> Mapping[str, str]:
    """Tell what a process has to know to be a user of a server, and nothing of this machine's."""
    return {
        "AWS_ENDPOINT_URL_S3": endpoint,
        "AWS_ACCESS_KEY_ID": user,
        "AWS_SECRET_ACCESS_KEY": secret,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_CONFIG_FILE": "/nowhere",
        "AWS_SHARED_CREDENTIALS_FILE": "/nowhere",
        "AWS_EC2_METADATA_DISABLED": "true",
    }


@contextmanager
def bucket_server() -> Iterator[BucketServer]:
    """Run a server in a temporary folder; it is gone afterwards, whatever happens."""
    with tempfile.TemporaryDirectory(prefix="stopgap-bucket-") as name:
        folder = Path(name)
        users = [
            {"name": each, "credentials": [_key(each)], "actions": may}
            for each, may in USERS.items()
        ]
        (folder / "users").write_text(json.dumps({"identities": users}))
        (folder / "data").mkdir()
        ports = dict(zip(PORTS, free_ports(len(PORTS)), strict=True))
        command = [
            str(Path(sys.executable).with_name("weed")),
            "server",
            f"-dir={folder / 'data'}",
            "-ip=127.0.0.1",
            "-filer",
            "-s3",
            "-s3.port.iceberg=0",
            "-s3.port.lance=0",
            f"-s3.localSocket={folder / 's3'}",
            f"-filer.localSocket={folder / 'filer'}",
            "-master.telemetry=false",
            f"-s3.config={folder / 'users'}",
            "-master.volumeSizeLimitMB=64",
            *(f"-{each}={port}" for each, port in ports.items()),
        ]
        with (folder / "log").open("wb") as log:
            process = leashed(command, log)
        try:
            server = BucketServer(f"http://127.0.0.1:{ports['s3.port']}")
            _wait(server, process, folder / "log")
            yield server
        finally:
            process.communicate(timeout=30)
            for part in PARTS:  # a place that the server cannot be told to change
                socket_of = f"/tmp/seaweedfs-{part}-grpc-{ports[f'{part}.port.grpc']}.sock"
                Path(socket_of).unlink(missing_ok=True)


def _key(user: str) -> dict[str, str]:
    return {"accessKey": user, "secretKey": SECRET}


def _wait(server: BucketServer, process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until the server has its bucket."""
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            server.make_bucket()
        except (BotoCoreError, ClientError):
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.1)
        else:
            return
