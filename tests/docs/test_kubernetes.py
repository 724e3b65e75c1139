"""The manifests of sample-configs/kubernetes fit the schemas and the restricted Pod Security Standard; their command lines are run."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes_validate  # type: ignore[import-untyped]
import pytest
import yaml

from cli.program import Ended, pomprobe
from servers.app import app

ROOT = Path(__file__).parent.parent.parent
FOLDER = ROOT / "sample-configs" / "kubernetes"
MANIFESTS = sorted(FOLDER.iterdir())
PAGE = (ROOT / "docs" / "kubernetes.md").read_text()
VERSIONS = ("1.31", "1.33")
"""podFailurePolicy is stable since 1.31."""


def objects(path: Path) -> Iterator[dict[str, Any]]:
    """The objects of a manifest."""
    yield from yaml.safe_load_all(path.read_text())


def job(path: Path) -> dict[str, Any]:
    """The spec of the manifest's job."""
    (cron,) = [one for one in objects(path) if one["kind"] == "CronJob"]
    spec = cron["spec"]["jobTemplate"]["spec"]
    assert isinstance(spec, dict)
    return spec


def pod(path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """The spec of the pod, and that of its only container."""
    spec = job(path)["template"]["spec"]
    (container,) = spec["containers"]
    return spec, container


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: path.name)
def test_every_object_fits_its_schema(path: Path, version: str) -> None:
    """Every field is one that Kubernetes has, with a value of its type."""
    for one in objects(path):
        kubernetes_validate.validate(one, version, strict=True)


def test_a_wrong_object_does_not_fit() -> None:
    """The schemas find a misspelt field: the test above says something."""
    (one,) = objects(FOLDER / "cronjob.yaml")
    one["spec"]["jobTemplate"]["spec"]["podFailurePolicies"] = {}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(one, VERSIONS[0], strict=True)


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: path.name)
def test_nothing_is_privileged(path: Path) -> None:
    """The restricted Pod Security Standard, a root file system that is read only, no token, no root, bounded memory."""
    spec, container = pod(path)
    assert (True, True) == (spec["securityContext"]["runAsNonRoot"], spec["securityContext"]["runAsUser"] > 0)
    assert {"type": "RuntimeDefault"} == spec["securityContext"]["seccompProfile"]
    assert {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}} == (
        container["securityContext"]
    )
    assert spec["automountServiceAccountToken"] is False
    assert {"requests", "limits"} == set(container["resources"])


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: path.name)
def test_a_config_that_is_refused_fails_the_job(path: Path) -> None:
    """Exit code 2 fails the job at once; a pod that was evicted does not count; the job ends before its next run begins."""
    spec = job(path)
    refused, disrupted = spec["podFailurePolicy"]["rules"]
    assert {"containerName": pod(path)[1]["name"], "operator": "In", "values": [2]} == refused["onExitCodes"]
    assert ("FailJob", "Ignore") == (refused["action"], disrupted["action"])
    assert "Never" == spec["template"]["spec"]["restartPolicy"]  # which podFailurePolicy needs
    assert spec["activeDeadlineSeconds"] < 600
    (cron,) = [one for one in objects(path) if one["kind"] == "CronJob"]
    assert ("*/10 * * * *", "Forbid") == (cron["spec"]["schedule"], cron["spec"]["concurrencyPolicy"])


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: path.name)
def test_everything_that_is_mounted_is_there(path: Path) -> None:
    """Mounts name volumes, paths of the command line are mounted, and what is written to is no read-only mount."""
    spec, container = pod(path)
    mounts = {mount["mountPath"]: mount for mount in container["volumeMounts"]}
    assert {mount["name"] for mount in mounts.values()} == {volume["name"] for volume in spec["volumes"]}
    paths = [*re.findall(r"(?:^|=)(/\S+)", "\n".join(container["args"]), re.MULTILINE)]
    paths += [one["value"] for one in container.get("env", ()) if "value" in one]
    for one in paths:
        assert str(Path(one).parent) in mounts, one
        assert mounts[str(Path(one).parent)].get("readOnly", False) is not one.endswith("state.json")
    claims = {one["metadata"]["name"] for one in objects(path) if one["kind"] == "PersistentVolumeClaim"}
    assert claims == {volume["persistentVolumeClaim"]["claimName"] for volume in spec["volumes"] if "persistentVolumeClaim" in volume}


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: path.name)
def test_the_command_line_is_run(path: Path, tmp_path: Path) -> None:
    """In a pod: nothing is printed when all is well; a refused config is exit code 2."""
    _, container = pod(path)
    environment = {"KUBERNETES_SERVICE_HOST": "10.96.0.1", "POMPROBE_SMTP_USER": "robot"}
    environment |= {one["name"]: str(tmp_path / "password") for one in container.get("env", ()) if "value" in one}
    (tmp_path / "password").write_text("s3cret\n")
    config = tmp_path / "config.yaml"
    arguments = [one.replace("/etc/pomerium", str(tmp_path)).replace("/var/lib/pomprobe", str(tmp_path)) for one in container["args"]]
    with app() as up:
        config.write_text(f"routes:\n- from: https://a.example.com\n  to: {up.url}\n")
        assert Ended(0, "", "") == pomprobe(*arguments, environment=environment)
    config.write_text("- a\n")
    assert 2 == pomprobe(*arguments, environment=environment).code


def test_the_image_is_that_of_the_manifests() -> None:
    """The Dockerfile starts pomprobe as a numbered user that is not root, and the page builds the image that the manifests name."""
    text = (ROOT / "Dockerfile").read_text()
    assert 'ENTRYPOINT ["pomprobe"]' in text
    (user,) = re.findall(r"^USER (\d+):\d+$", text, re.MULTILINE)
    for path in MANIFESTS:
        spec, container = pod(path)
        assert int(user) == spec["securityContext"]["runAsUser"]
        assert f"docker build -t {container['image']} ." in PAGE
    for source in re.findall(r"^COPY (?!--from)(.*) \S+$", text, re.MULTILINE):
        for name in source.split():
            assert (ROOT / name).exists()
            assert f"!{name}" in (ROOT / ".dockerignore").read_text().splitlines()


def test_what_kubectl_prints_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A List of an Ingress and its Service, as in the page's last line, is a config."""
    monkeypatch.chdir(tmp_path)
    backend = {"service": {"name": "app", "port": {"number": 80}}}
    rule = {"host": "app.example.com", "http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": backend}]}}
    metadata = {"name": "app", "namespace": "default"}
    items = [
        {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "Ingress",
            "metadata": metadata,
            "spec": {"ingressClassName": "pomerium", "rules": [rule]},
        },
        {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": {"ports": [{"port": 80}], "clusterIP": "10.0.0.9"}},
    ]
    printed = yaml.safe_dump({"apiVersion": "v1", "kind": "List", "items": items}).encode()
    (command,) = re.findall(r"\| pomprobe check (.*)$", PAGE, re.MULTILINE)
    ended = pomprobe("list", *command.split(), stdin=printed)
    assert (0, "") == (ended.code, ended.err)
    assert "https://app.example.com" in ended.out
