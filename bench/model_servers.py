"""Who is measured with a model, and how each is set: the best that was found for it here.

mosec in three settings, of a sweep over batches of 16 to 128 and waits of 1, 2 and 10 ms: the one
with most predictions a second at 32 connections, which has its default wait; the one beside it with
a far lower p99; and the one with most at 128 connections.
"""

from bench.contestants import ROOT, SALES, STOPGAP, Contestant, in_json, mlserver

MOSEC = ("mosec, batches of 32", "mosec, batches of 32, 2 ms", "mosec, batches of 64, 2 ms")
CLI = ("-c", "from stopgap.cli import main; main()")


def _mosec(name: str, batch: int, wait: int) -> Contestant:
    return Contestant(
        name=name,
        environment="mosec",
        command=["-m", "bench.servers.models.mosec", "--address", "127.0.0.1", "--port", "{port}"],
        variables={"MODEL": "{model}", "BATCH": str(batch), "WAIT": str(wait)},
        request=in_json("/inference", SALES),
    )


CONTESTANTS: tuple[Contestant, ...] = (
    Contestant(
        name=STOPGAP,
        command=[str(ROOT / "ML_server.py"), "--port", "{port}"],
        before=[
            [*CLI, "release", "add", "sklearn:{model}", "--bring", "round"],
            [*CLI, "release", "promote", "1", "--yes"],
        ],
        request=in_json("/predict", SALES),
    ),
    _mosec(MOSEC[0], 32, 10),
    _mosec(MOSEC[1], 32, 2),
    _mosec(MOSEC[2], 64, 2),
    mlserver(
        "bench.servers.models.mlserver.Prediction",
        [1, 1],
        MODEL="{model}",
        MLSERVER_MODEL_MAX_BATCH_SIZE="32",
        MLSERVER_MODEL_MAX_BATCH_TIME="0.01",
    ),
    Contestant(
        name="LitServe",
        environment="litserve",
        command=["-m", "bench.servers.models.litserve", "{port}"],
        variables={"MODEL": "{model}", "BATCH": "32", "WAIT": "0.002"},
        request=in_json("/predict", SALES),
    ),
    Contestant(
        name="BentoML",
        environment="bentoml",
        command=[
            *("-m", "bentoml", "serve", "bench.servers.models.bentoml:Prediction"),
            *("--host", "127.0.0.1", "--port", "{port}"),
        ],
        variables={"MODEL": "{model}", "BATCH": "100", "BENTOML_DO_NOT_TRACK": "true"},
        request=in_json("/predict", '{"rows": [' + SALES + "]}"),
    ),
)
"""What `make bench-models` measures, in the order of its rounds."""
