"""A download of any size: whole or broken off, made by a process of its own while it is read."""

import os
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass

import pytest
from tests.acceptance.client import Client, head
from tests.acceptance.processes import children, command, is_running, size, wait_for, workers
from tests.acceptance.server import Server, running
from tests.journal.filling import add
from tests.journal.records import PARTS, record

from stopgap.storage.database import open_database

ROWS = 40_000
CSV = "/console/history/answers.csv?period=all"


@dataclass(kw_only=True)
class Filled:
    """A server with many answers in its journal, all of them one account's."""

    server: Server
    client: Client

    def exporters(self) -> list[int]:
        """List the processes that make downloads now."""
        return [
            each
            for worker in workers(self.server.process.pid)
            for each in children(worker)
            if b"exporter" in command(each)
        ]

    def begin(self) -> socket.socket:
        """Ask for a download, and read none of it but its beginning."""
        connection = socket.create_connection(("127.0.0.1", self.server.port), timeout=30)
        headers = {"Host": "localhost", "Cookie": f"stopgap_session={self.client.cookie}"}
        connection.sendall(head("GET", CSV, headers))
        assert connection.recv(12) == b"HTTP/1.1 200"
        return connection


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Filled]:
    """Run a server with many answers."""
    with running(tmp_path_factory.mktemp("filled")) as server:
        client = server.client()
        client.sign_in("orhan", "12345")
        request_id = client.get("/predict/5/january/100").header("X-Request-Id")
        address = f"/console/history/{request_id}"
        wait_for(lambda: client.get(address).status == 200, 20, "the answer in the journal")
        line = client.get("/console/history/answers.jsonl").json()
        made = [
            record(at=PARTS["at"] + 1000 * number, caller=line["caller"]) for number in range(ROWS)
        ]
        with closing(open_database(f"sqlite:///{server.data / 'journal.db'}")) as database:
            for start in range(0, ROWS, 2_000):
                add(database, made[start : start + 2_000], block_records=8_192)
        yield Filled(server=server, client=client)


def test_all_of_it_arrives(filled: Filled) -> None:
    """A download has every answer, and no process is left when it is there."""
    answer = filled.client.get(CSV)
    assert answer.status == 200
    assert answer.header("Content-Disposition")
    assert len(answer.body.splitlines()) == ROWS + 2  # its head, and the one that was asked for
    wait_for(lambda: not filled.exporters(), 20, "their end")


def test_it_ends_when_the_client_goes(filled: Filled) -> None:
    """Nobody makes a download for a client that is gone; until then it waits, and grows not."""
    with filled.begin():
        wait_for(lambda: len(filled.exporters()) == 1, 20, "an exporter")
        (exporter,) = filled.exporters()
        time.sleep(1)
        before = size(exporter).memory
        time.sleep(1)
        assert abs(size(exporter).memory - before) < 4_000_000
        assert filled.client.get("/predict/5/january/100").status == 200
    wait_for(lambda: not is_running(exporter), 20, "its end")


def test_a_few_at_once(filled: Filled) -> None:
    """Who comes when enough are being made is told when to come again."""
    with filled.begin(), filled.begin():
        answer = filled.client.get(CSV)
        assert (answer.status, answer.header("Retry-After")) == (503, "10")
    wait_for(lambda: not filled.exporters(), 20, "their end")
    assert filled.client.get("/console/history/answers.jsonl").status == 200


def test_half_of_it_is_not_told_to_be_all(filled: Filled) -> None:
    """When its process dies, the connection breaks, so that nobody takes a part for the whole."""
    with filled.begin() as connection:
        wait_for(lambda: len(filled.exporters()) == 1, 20, "an exporter")
        os.kill(filled.exporters()[0], signal.SIGTERM)
        received = b""
        while piece := connection.recv(65_536):
            received += piece
    assert b"0\r\n\r\n" not in received[-8:]
