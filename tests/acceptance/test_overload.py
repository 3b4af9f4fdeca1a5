"""Far too much, or far too slow: who is let in is served in good time, the rest told at once."""

import re
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest
from tests.acceptance.crowding import CROWDS, Crowd, connect, crowd, long_answer
from tests.acceptance.flooding import CAPACITY, flood, slow_server
from tests.acceptance.problem_shape import assert_explained, assert_problem
from tests.acceptance.server import running

from stopgap.front.sockets import UNSENT_BYTES

pytestmark = pytest.mark.alone

PREDICT = "/predict/5/january/100"
SECONDS = 3.0
ROUNDS = 5


@pytest.mark.parametrize("model", CAPACITY)
def test_ten_times_the_load(tmp_path: Path, model: str) -> None:
    """Of ten times the load, what can be served is, in good time; the rest is refused at once."""
    assert flood(tmp_path, model, SECONDS).faults == []


def test_the_refusal(tmp_path: Path) -> None:
    """Who is refused for overload is told so in the shape of every error."""
    with slow_server(tmp_path, "waiting") as server, ThreadPoolExecutor(100) as pool:
        answers = list(pool.map(lambda _: server.client().get(PREDICT), range(300)))
        refused = [answer for answer in answers if answer.status != 200]
        assert refused
        kinds = {
            assert_problem(answer, 503)["type"].removeprefix("/problems/") for answer in refused
        }
        assert "model-busy" in kinds
        assert kinds <= {"model-busy", "model-late"}  # late is who came before anything was known
        assert_explained(server.client(), assert_problem(refused[0], 503))


def test_too_many_predictions(tmp_path: Path) -> None:
    """Past the limit of predictions there is 429 with Retry-After, for predictions alone."""
    with running(tmp_path, {"STOPGAP_PREDICTION_LIMIT": "5/hour"}) as server:
        client = server.client()
        assert [client.get(PREDICT).status for _ in range(6)] == [200] * 5 + [429]
        refused = client.get("/%70redict/5/january/100")
        assert_explained(client, assert_problem(refused, 429))
        assert 1 <= int(refused.header("Retry-After") or 0) <= 3600
        assert client.post_json("/predict", {}).status == 429
        assert client.get("/console/predict/madcompany?month=may").status == 429
        assert client.get("/status").status == 200
        assert client.sign_in("orhan", "12345").status == 200
        assert [client.get(PREDICT).status for _ in range(6)] == [200] * 5 + [429]


def test_nobody_uses_up_anothers_predictions(tmp_path: Path) -> None:
    """A key has its own, whatever others ask for at its address; guests and cookies have none.

    However often and at whatever moment they ask, no one gets a prediction more than there may be.
    """
    with running(tmp_path, {"STOPGAP_PREDICTION_LIMIT": "3/hour"}) as server:
        client = server.client()
        assert client.sign_in("orhan", "12345").status == 200
        page = client.post_form("/console/keys", {"label": "a program's"}).body.decode()
        (key,) = set(re.findall("sk_[0-9a-f]{16}_[0-9a-f]{64}", page))
        stranger = server.client()
        assert [stranger.get(PREDICT).status for _ in range(4)] == [200] * 3 + [429]
        for number in range(5):
            assert stranger.get(PREDICT, cookie=f"theme={number}").status == 429
            guest = server.client()
            assert guest.sign_in(f"guest {number}", "x").status == 200
            assert [guest.get(PREDICT).status for _ in range(2)] == [429] * 2
            made_up = f"Bearer sk_{number:016x}_{number:064x}"
            assert stranger.get(PREDICT, authorization=made_up).status == 429
        program = server.client()
        program.headers["Authorization"] = f"Bearer {key}"
        time.sleep(1.1)  # so that it is not known who this is
        assert [program.get(PREDICT).status for _ in range(4)] == [200] * 3 + [429]
        body = {"seller_available": 5, "month": "may", "customer_visiting_website": 7}
        assert program.post_json("/predict", body).status == 429


def test_an_answer_that_nobody_reads(tmp_path: Path) -> None:
    """The system keeps little of it, so that many such clients cost it no memory to speak of."""
    with running(tmp_path) as server, ExitStack() as stack:
        reader = connect(server.port, stack, room=4096)
        reader.sendall(long_answer(server))
        assert reader.recv(1)
        time.sleep(0.5)
        assert 0 < queued(server.port, reader.getsockname()[1]) < 3 * UNSENT_BYTES


def queued(port: int, client: int) -> int:
    """Tell how many bytes the system keeps for a client (proc_net_tcp: `tx_queue`)."""
    for line in Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:]:
        _, local, remote, _, queues, *_ = line.split()
        if [int(each.rpartition(":")[2], 16) for each in (local, remote)] == [port, client]:
            return int(queues.partition(":")[0], 16)
    raise AssertionError(f"nobody is connected from {client} to {port}")


@pytest.mark.parametrize("who", CROWDS.values(), ids=CROWDS)
def test_the_slow_hold_up_nobody(tmp_path: Path, who: Crowd) -> None:
    """Hundreds who send or read slowly change nothing for predictions and logins."""
    assert crowd(tmp_path, who, rounds=ROUNDS).faults == []
