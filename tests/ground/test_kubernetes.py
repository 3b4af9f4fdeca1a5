"""What Kubernetes reads: the manifest, and the docs' commands around it."""

import re
import time
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from tests.acceptance.server import running
from tests.buckets import BucketServer
from tests.ground.test_docker import environment, of_last_stage
from tests.valkeys import ValkeyServer

from stopgap.settings import PLATFORM_NAMES, PREFIX, Settings, read_settings

ROOT = Path(__file__).resolve().parents[2]
MANIFEST = ROOT / "deploy" / "kubernetes.yaml"
STOP_SECONDS = 11
"""At worst: docs/operator.md."""

Resource = Mapping[str, Any]


def resources() -> list[Resource]:
    """Read the manifest."""
    return list(yaml.safe_load_all(MANIFEST.read_text()))


def resource(kind: str) -> Resource:
    """Find the one resource of a kind."""
    (found,) = (each for each in resources() if each["kind"] == kind)
    return found


def pod() -> Resource:
    """Tell what each pod is."""
    found: Resource = resource("StatefulSet")["spec"]["template"]["spec"]
    return found


def container() -> Resource:
    """Tell what runs in each pod."""
    (found,) = pod()["containers"]
    assert isinstance(found, dict)
    return found


def secrets() -> dict[str, str]:
    """Read what the docs put into the Secret, with something in each place that is left open."""
    command = re.search(
        r"kubectl create secret generic stopgap.*?kubectl apply",
        (ROOT / "docs" / "hosting.md").read_text(),
        re.DOTALL,
    )
    assert command is not None
    given = dict(re.findall(r"--from-literal=(\w+)=(\S+(?: [^\s\\]+)*)", command.group()))
    return {name: "0" * 64 if "openssl" in value else value for name, value in given.items()}


def oldest() -> str:
    """Tell the oldest Kubernetes that the manifest says is enough."""
    [found] = re.findall(r"Kubernetes (\d\.\d+) or newer", MANIFEST.read_text())
    return str(found)


@pytest.mark.parametrize("version", [oldest(), kubernetes_validate.latest_version()])
@pytest.mark.parametrize("number", range(len(resources())))
def test_schema(number: int, version: str) -> None:
    """Each resource is one that Kubernetes takes, with nothing in it that it does not know."""
    kubernetes_validate.validate(resources()[number], version, strict=True)


def test_settings() -> None:
    """Every variable is a setting, or Amazon's; and all together are what production needs."""
    given = {**resource("ConfigMap")["data"], **secrets()}
    known = {PREFIX + row.name.upper() for row in fields(Settings)} | set(PLATFORM_NAMES.values())
    assert {name for name in given if not name.startswith("AWS_")} <= known
    assert not set(resource("ConfigMap")["data"]) & set(secrets())
    read_settings(given)
    sources = [next(iter(each.values()))["name"] for each in container()["envFrom"]]
    assert sources == ["stopgap", "stopgap"]


def test_agrees_with_the_image() -> None:
    """User, port and folders are the image's."""
    (user,) = of_last_stage("USER")
    rights = pod()["securityContext"]
    assert f"{rights['runAsUser']}:{rights['runAsGroup']}" == user
    assert rights["fsGroup"] == rights["runAsGroup"]
    (port,) = container()["ports"]
    assert str(port["containerPort"]) == environment()["PORT"]
    mounted = {each["name"]: each["mountPath"] for each in container()["volumeMounts"]}
    assert mounted == {"data": environment()["STOPGAP_DATA"], "tmp": "/tmp"}


def test_names_agree() -> None:
    """Service, StatefulSet and budget mean the same pods, and every port that is named is there."""
    labels = resource("StatefulSet")["spec"]["template"]["metadata"]["labels"]
    assert resource("Service")["spec"]["selector"] == labels
    for kind in ("StatefulSet", "PodDisruptionBudget"):
        assert resource(kind)["spec"]["selector"]["matchLabels"] == labels
    assert resource("StatefulSet")["spec"]["serviceName"] == resource("Service")["metadata"]["name"]
    (port,) = resource("Service")["spec"]["ports"]
    assert port["targetPort"] == container()["ports"][0]["name"]


def test_there_is_time_to_stop() -> None:
    """Whoever is told to stop has the time that it takes at worst, and what comes before."""
    before = container()["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert pod()["terminationGracePeriodSeconds"] > before + STOP_SECONDS


def test_runs(
    tmp_path: Path, postgresql_url: str, bucket: BucketServer, valkey: ValkeyServer
) -> None:
    """A server with these very settings runs, and answers each probe in its time."""
    settings = {
        **resource("ConfigMap")["data"],
        **secrets(),
        **bucket.environment(),
        "DATABASE_URL": postgresql_url,
        "STOPGAP_OBJECTS": bucket.url(),
        "STOPGAP_LIMITS": valkey.url,
    }
    with running(tmp_path, settings) as server:
        for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
            asked = container()[probe]
            began = time.monotonic()
            assert server.client().get(asked["httpGet"]["path"]).status == 200
            assert time.monotonic() - began < asked["timeoutSeconds"]
        assert server.client().get("/predict/5/may/1").status == 200
        assert server.client().sign_in("ada", "a wrong one").status == 401
