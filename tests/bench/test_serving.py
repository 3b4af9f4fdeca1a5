"""A server that is measured is the one that was meant, and is gone afterwards."""

import socket
from pathlib import Path

import pytest
from bench.contestants import OURS, Contestant
from bench.serving import Answer, NotMeasured, ask, hold, serving, valid

HEADERS = [("content-type", "application/json"), ("content-length", "4"), ("x-request-id", "7")]
PATTERN = Answer(
    status=200, headers=[*HEADERS, ("server", "granian"), ("date", "today")], body="3141"
)


@pytest.mark.parametrize("bare", OURS[:3], ids=lambda each: each.name)
def test_bare_callables(tmp_path: Path, bare: Contestant) -> None:
    """A ceiling sends the headers and the body that Stopgap sends, and leaves nothing behind."""
    with serving(bare, None, PATTERN, folder=tmp_path) as port:
        answer = ask(port, valid(bare.request))
        assert (answer.status, answer.body, answer.names) == (200, "3141", PATTERN.names)
        assert set(HEADERS) < set(answer.headers)
        hold(port, bare, bare.request, PATTERN)
        with pytest.raises(NotMeasured, match="other headers"):
            hold(port, bare, bare.request, Answer(status=200, headers=HEADERS, body="3141"))
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0
    assert [path.name for path in tmp_path.iterdir()] == ["logs"]


def test_who_does_not_validate(tmp_path: Path) -> None:
    """A server that takes any month does less than the others, and is not compared with them."""
    careless = Contestant(name="careless", command=OURS[0].command)
    with (
        serving(careless, None, PATTERN, folder=tmp_path) as port,
        pytest.raises(NotMeasured, match="takes a month that is none"),
    ):
        hold(port, careless, careless.request, PATTERN)


def test_who_does_not_start(tmp_path: Path) -> None:
    """The last thing that a server said before it ended is the reason."""
    broken = Contestant(
        name="broken", command=["-c", "import sys; print(1, file=sys.stderr); sys.exit('no model')"]
    )
    with (
        pytest.raises(NotMeasured, match=r"^does not start here: no model$"),
        serving(broken, None, folder=tmp_path),
    ):
        pass


def test_what_is_done_before_the_start(tmp_path: Path) -> None:
    """A server finds in its folder what was made there first, from words filled in like its own."""
    write = "import sys; open('answer', 'w').write(sys.argv[1])"
    serve = (
        "from bench.servers import bare; "
        "bare.main('asgi', '{port}', '[]', open('answer').read())"
    )
    prepared = Contestant(
        name="prepared", before=[["-c", write, "{model}"]], command=["-c", serve], validates=False
    )
    with serving(prepared, None, known={"model": "2468"}, folder=tmp_path) as port:
        assert ask(port, valid(prepared.request)).says(2468)
        hold(port, prepared, prepared.request, None, 2468)
        with pytest.raises(NotMeasured, match="not the model's 2469"):
            hold(port, prepared, prepared.request, None, 2469)


def test_who_cannot_be_prepared(tmp_path: Path) -> None:
    """What went wrong before the start is the reason, too."""
    broken = Contestant(
        name="broken", before=[["-c", "import sys; sys.exit('no file')"]], command=[]
    )
    with (
        pytest.raises(NotMeasured, match=r"^cannot be prepared: no file$"),
        serving(broken, None, folder=tmp_path),
    ):
        pass


@pytest.mark.parametrize(
    ("body", "predicts"),
    [
        ("3141", True),
        ("2000\n", True),
        ('{"prediction": 5000}', True),
        ('{"predictions": [2999]}', True),
        ('{"id":"0f0c2123-2345-4321-8abc-2f0000003000","data":[4711]}', True),
        ('{"id":"0f0c2123-2345-4321-8abc-2f0000003000","data":[]}', False),
        ("1999", False),
        ("5001", False),
        ("31415", False),
        ("3141.5", False),
        ("", False),
    ],
)
def test_what_a_prediction_is(body: str, predicts: bool) -> None:
    """However it is wrapped, there is a whole number from 2000 to 5000 in it."""
    assert Answer(status=200, body=body).predicts is predicts
    assert not Answer(status=500, body=body).predicts
