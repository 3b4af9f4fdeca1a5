"""Who is measured: how each server is started, and how it is asked for the same prediction."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

STOPGAP = "Stopgap"
SIGNED_IN = "Stopgap, signed in"
BARE_ASGI = "bare ASGI callable"
BARE_EAGER = "bare ASGI callable, tasks begun at once"
BARE_WSGI = "bare WSGI callable"
FASTAPI = "FastAPI on uvicorn"
MOSEC = "mosec"
BATCHES = "mosec, in batches"


@dataclass(frozen=True, kw_only=True)
class Request:
    """How to ask; `{seller_available}` and the other inputs stand where their values go."""

    method: str = "GET"
    path: str = "/predict/{seller_available}/{month}/{customer_visiting_website}"
    body: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)

    def filled(self, **values: object) -> "Request":
        """Put values in."""
        path, body = self.path, self.body
        for name, value in values.items():
            path, body = (text.replace(f"{{{name}}}", str(value)) for text in (path, body))
        return replace(self, path=path, body=body)


@dataclass(frozen=True, kw_only=True)
class Contestant:
    """One server. In its words, `{port}` and the like stand for what is known at its start."""

    name: str
    command: Sequence[str]  # what Python is told to run
    environment: str | None = None  # its own: `.bench/NAME`; None: the Python that measures
    before: Sequence[Sequence[str]] = ()  # what Python is told to run first, in the same folder
    variables: Mapping[str, str] = field(default_factory=dict)
    request: Request = field(default_factory=Request)
    signs_in: bool = False
    validates: bool = True


def _bare(name: str, interface: str) -> Contestant:
    return Contestant(
        name=name,
        command=["-m", "bench.servers.bare", interface, "{port}", "{headers}", "{answer}"],
        validates=False,
    )


def in_json(path: str, body: str) -> Request:
    """Ask in a body."""
    headers = {"Content-Type": "application/json"}
    return Request(method="POST", path=path, body=body, headers=headers)


SALES = (
    '{"seller_available": {seller_available}, "month": "{month}", '
    '"customer_visiting_website": {customer_visiting_website}}'
)


def tensors(shape: Sequence[int]) -> str:
    """Write the inputs as the Open Inference Protocol has them, each a tensor of this shape."""
    kinds = {"seller_available": "INT64", "month": "BYTES", "customer_visiting_website": "INT64"}
    tensors = [
        {"name": name, "shape": list(shape), "datatype": kind, "data": [f"{{{name}}}"]}
        for name, kind in kinds.items()
    ]
    text = json.dumps({"inputs": tensors})
    return text.replace('"{seller_available}"', "{seller_available}").replace(
        '"{customer_visiting_website}"', "{customer_visiting_website}"
    )


def mlserver(prediction: str, shape: Sequence[int], **more: str) -> Contestant:
    """MLServer with one model.

    Args:
        prediction: The model's class.
        shape: Of each tensor that it is asked with.
        more: Further variables.
    """
    return Contestant(
        name="MLServer",
        environment="mlserver",
        command=["-c", "from mlserver.cli import main; main()", "start", "."],
        variables={
            "MLSERVER_HOST": "127.0.0.1",
            "MLSERVER_HTTP_PORT": "{port}",
            "MLSERVER_GRPC_PORT": "{second_port}",
            "MLSERVER_METRICS_PORT": "{third_port}",
            "MLSERVER_DEBUG": "false",
            "MLSERVER_PARALLEL_WORKERS": "0",  # in the server's own process: faster on one core
            "MLSERVER_MODEL_NAME": "sales",
            "MLSERVER_MODEL_IMPLEMENTATION": prediction,
            **more,
        },
        request=in_json("/v2/models/sales/infer", tensors(shape)),
    )


_STOPGAP = Contestant(name=STOPGAP, command=[str(ROOT / "ML_server.py"), "--port", "{port}"])

OURS: tuple[Contestant, ...] = (
    _bare(BARE_ASGI, "asgi"),
    _bare(BARE_EAGER, "eager"),
    _bare(BARE_WSGI, "wsgi"),
    _STOPGAP,
    replace(_STOPGAP, name=SIGNED_IN, signs_in=True),
    Contestant(name="Flask, without the door", command=["-m", "bench.servers.flask", "{port}"]),
    Contestant(
        name=FASTAPI,
        environment="fastapi",
        command=[
            *("-m", "uvicorn", "bench.servers.fastapi:app", "--port", "{port}"),
            *("--no-access-log", "--log-level", "warning"),
        ],
    ),
)
"""What `make bench` measures, in the order of its rounds."""

_MOSEC = Contestant(
    name=MOSEC,
    environment="mosec",
    command=["-m", "bench.servers.mosec", "--address", "127.0.0.1", "--port", "{port}"],
    variables={"BATCH": "1"},
    request=in_json("/inference", SALES),
)

PEERS: tuple[Contestant, ...] = (
    _MOSEC,
    replace(_MOSEC, name=BATCHES, variables={"BATCH": "32"}),
    mlserver("bench.servers.mlserver.Prediction", [1]),
    Contestant(
        name="LitServe",
        environment="litserve",
        command=["-m", "bench.servers.litserve", "{port}"],
        request=in_json("/predict", SALES),
    ),
    Contestant(
        name="BentoML",
        environment="bentoml",
        command=[
            *("-m", "bentoml", "serve", "bench.servers.bentoml:Prediction"),
            *("--host", "127.0.0.1", "--port", "{port}"),
        ],
        variables={"BENTOML_DO_NOT_TRACK": "true"},
        request=in_json("/predict", SALES),
    ),
    Contestant(
        name="MLflow",
        environment="mlflow",
        command=["-m", "bench.servers.mlflow", "{port}"],
        variables={"MLFLOW_DISABLE_TELEMETRY": "true", "UVICORN_ACCESS_LOG": "false"},
        request=in_json("/invocations", '{"inputs": [' + SALES + "]}"),
    ),
)
"""What `make bench-peers` adds."""
