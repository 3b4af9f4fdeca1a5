"""Who is measured with a model, and how each is set: the best that was found for it here.

Two settings of mosec: as its documentation has it, and the fastest of a sweep over batches of 16 to
128 and waits of 1 to 10 ms. `docs/benchmarks.md` tells how each was found.
"""

from dataclasses import replace

from bench.contestants import ROOT, SALES, STOPGAP, Contestant, in_json, tensors

MOSEC = "mosec, batches of 32"
MOSEC_TUNED = "mosec, batches of 128, 1 ms"
CLI = ("-c", "from stopgap.cli import main; main()")

_MOSEC = Contestant(
    name=MOSEC,
    environment="mosec",
    command=["-m", "bench.servers.models.mosec", "--address", "127.0.0.1", "--port", "{port}"],
    variables={"MODEL": "{model}", "BATCH": "32", "WAIT": "10"},  # it waits 10 ms unless told
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
    ),
    _MOSEC,
    replace(_MOSEC, name=MOSEC_TUNED, variables={"MODEL": "{model}", "BATCH": "128", "WAIT": "1"}),
    Contestant(
        name="MLServer",
        environment="mlserver",
        command=["-c", "from mlserver.cli import main; main()", "start", "."],
        variables={
            "MODEL": "{model}",
            "MLSERVER_HOST": "127.0.0.1",
            "MLSERVER_HTTP_PORT": "{port}",
            "MLSERVER_GRPC_PORT": "{second_port}",
            "MLSERVER_METRICS_PORT": "{third_port}",
            "MLSERVER_DEBUG": "false",
            "MLSERVER_PARALLEL_WORKERS": "0",
            "MLSERVER_MODEL_NAME": "sales",
            "MLSERVER_MODEL_IMPLEMENTATION": "bench.servers.models.mlserver.Prediction",
            "MLSERVER_MODEL_MAX_BATCH_SIZE": "32",
            "MLSERVER_MODEL_MAX_BATCH_TIME": "0.01",
        },
        request=in_json("/v2/models/sales/infer", tensors([1, 1])),
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
