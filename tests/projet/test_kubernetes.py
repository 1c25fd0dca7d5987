"""The files for Kubernetes, which nothing here can run: what can be checked without it."""

import ast
import math
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from culture_d.grading.model import Limits
from culture_d.project import Project
from culture_d.scale import MARKS, measures_path, sizing_table

FOLDER = Path(__file__).resolve().parents[2] / "deploy" / "kubernetes"
FILES = sorted(path.name for path in FOLDER.iterdir() if path.suffix in {".yaml", ".py", ""})
UNTRIED = re.compile("non essayé ici|not run here", re.I)
# Which keys the chart knows where it refuses any other (`additionalProperties: false`), as its
# own jupyterhub/values.schema.yaml says, read at 02dd73df. `None`: anything goes below.
CHART: dict[str, Any] = {
    "hub": {
        "config": None,
        "db": dict.fromkeys(("type", "pvc", "upgrade", "url", "password")),
        "extraEnv": None,
        "extraConfig": None,
        "networkPolicy": dict.fromkeys(
            (
                *("enabled", "ingress", "egress", "egressAllowRules"),
                *("interNamespaceAccessLabels", "allowedIngressPorts"),
            )
        ),
        "services": None,
        "loadRoles": None,
        "resources": None,
    },
    "proxy": {
        "https": {
            **dict.fromkeys(("enabled", "type", "letsencrypt", "manual", "hosts")),
            "secret": dict.fromkeys(("name", "key", "crt")),
        },
        "service": dict.fromkeys(
            (
                *("type", "labels", "annotations", "nodePorts", "disableHttpPort"),
                *("extraPorts", "loadBalancerIP", "loadBalancerSourceRanges"),
            )
        ),
        "chp": None,
    },
    "singleuser": {
        "image": dict.fromkeys(("name", "tag", "pullPolicy", "pullSecrets")),
        "cmd": None,
        "defaultUrl": None,
        "allowPrivilegeEscalation": None,
        "cpu": dict.fromkeys(("limit", "guarantee")),
        "memory": dict.fromkeys(("limit", "guarantee")),
        "startTimeout": None,
        "storage": dict.fromkeys(
            ("capacity", "dynamic", "extraLabels", "homeMountPath", "static", "type")
        ),
        "networkPolicy": {
            **dict.fromkeys(("enabled", "ingress", "egress", "allowedIngressPorts")),
            "egressAllowRules": dict.fromkeys(
                (
                    *("cloudMetadataServer", "dnsPortsCloudMetadataServer", "nonPrivateIPs"),
                    *("dnsPortsKubeSystemNamespace", "dnsPortsPrivateIPs", "privateIPs"),
                )
            ),
        },
        "uid": None,
        "fsGid": None,
        "extraEnv": None,
        "extraFiles": None,
    },
    "scheduling": {
        "userScheduler": dict.fromkeys(("enabled", "replicas", "resources")),
        "userPlaceholder": dict.fromkeys(("enabled", "replicas", "resources")),
        "podPriority": None,
    },
    "prePuller": {"hook": None, "continuous": {"enabled": None}},
    "cull": dict.fromkeys(
        ("enabled", "users", "adminUsers", "removeNamedServers", "timeout", "every", "maxAge")
    ),
    "ingress": None,
    "debug": None,
    "custom": None,
}
# The same for ngshare's own values.yaml.
NGSHARE: dict[str, Any] = {
    "deployment": dict.fromkeys(("replicaCount", "port", "fsGroup", "resources")),
    "ngshare": dict.fromkeys(("admins", "hub_api_url", "hub_base_url", "hub_api_token", "debug")),
    "pvc": dict.fromkeys(("storage", "storageClassName")),
}


@cache
def documents(name: str) -> list[Any]:
    return list(yaml.safe_load_all((FOLDER / name).read_text(encoding="utf-8")))


def unknown(values: Any, known: Any, place: str = "") -> Iterator[str]:
    """Name the keys that the chart would refuse."""
    if known is None or not isinstance(values, dict):
        return
    for key, value in values.items():
        if key not in known:
            yield f"{place}{key}"
        else:
            yield from unknown(value, known[key], f"{place}{key}.")


@pytest.mark.parametrize("name", FILES)
def test_each_file_says_that_it_was_not_tried(name: str) -> None:
    assert UNTRIED.search((FOLDER / name).read_text(encoding="utf-8")), name
    row = next(
        line
        for line in (FOLDER / "README.md").read_text(encoding="utf-8").splitlines()
        if line.startswith(f"| `{name}`")
    )
    assert UNTRIED.search(row)


@pytest.mark.parametrize(("name", "known"), [("jupyterhub.yaml", CHART), ("ngshare.yaml", NGSHARE)])
def test_a_chart_is_given_keys_that_it_knows(name: str, known: Any) -> None:
    (values,) = documents(name)
    assert list(unknown(values, known)) == []
    first = next(iter(values))
    assert list(unknown({**values, first: {**values[first], "memoire": 1}}, known)) == [
        f"{first}.memoire"
    ]


def test_the_python_within_is_python() -> None:
    for text in documents("jupyterhub.yaml")[0]["hub"]["extraConfig"].values():
        ast.parse(text)
    ast.parse((FOLDER / "nbgrader_config.py").read_text(encoding="utf-8"))


def test_what_the_image_copies_is_there() -> None:
    text = (FOLDER / "Dockerfile").read_text(encoding="utf-8")
    copied = re.findall(r"^COPY (\S+) ", text, re.M)
    assert "requirements.lock" in copied
    for name in copied:
        assert (FOLDER.parents[1] / name).exists(), name
    assert "--require-hashes" in text
    assert text.rindex("USER jovyan") > text.rindex("RUN ")
    storage = documents("jupyterhub.yaml")[0]["singleuser"]["storage"]
    assert f"HOME={storage['homeMountPath']} " in text


def commands() -> Iterator[list[str]]:
    for one in documents("correction.yaml"):
        for container in containers(one):
            yield container["command"]


def containers(one: Any) -> list[Any]:
    template = one["spec"].get("template", {"spec": {"containers": []}})
    found: list[Any] = template["spec"]["containers"]
    return found


def test_dask_knows_each_option_that_it_is_given() -> None:
    given = [words for words in commands() if words[0] == "dask"]
    assert [words[1] for words in given] == ["scheduler", "worker"]
    for _, role, *words in given:
        told = subprocess.run(
            [Path(sys.executable).with_name("dask"), role, "--help"],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for option in (word for word in words if word.startswith("--")):
            assert re.search(rf"(^|[\s/]){option}\b", told, re.M), option
    worker = given[1]
    assert worker[worker.index("--nthreads") + 1] == "1"


def test_names_agree_from_one_file_to_another() -> None:
    manifests = [*documents("correction.yaml"), *documents("postgresql.yaml")]
    services = {one["metadata"]["name"]: one for one in manifests if one["kind"] == "Service"}
    workloads = {one["metadata"]["name"]: one for one in manifests if one["kind"] == "Deployment"}
    for name, one in workloads.items():
        labels = one["spec"]["template"]["metadata"]["labels"]
        assert one["spec"]["selector"]["matchLabels"] == labels == {"app": name}
    for policy in (one for one in manifests if one["kind"] == "NetworkPolicy"):
        assert set(re.findall(r"'app': '(\w+)'", str(policy))) <= set(workloads)
    worker = next(words for words in commands() if words[:2] == ["dask", "worker"])
    assert worker[2] == "tcp://repartition:8786"
    assert services["repartition"]["spec"]["ports"] == [{"port": 8786}]
    images = {found["image"] for one in workloads.values() for found in containers(one)}
    seat = documents("jupyterhub.yaml")[0]["singleuser"]["image"]
    assert images == {f"{seat['name']}:{seat['tag']}"}
    cluster = next(one for one in manifests if one["kind"] == "Cluster")["metadata"]["name"]
    hub = documents("jupyterhub.yaml")[0]["hub"]["db"]["url"]
    assert f"@{cluster}-rw:5432/jupyterhub" in hub
    assert f"@{cluster}-rw:5432/notes" in str(workloads["carnet"])


def test_each_secret_is_asked_for_in_the_readme() -> None:
    text = (FOLDER / "README.md").read_text(encoding="utf-8")
    used = set()
    for name in ("jupyterhub.yaml", "postgresql.yaml", "correction.yaml"):
        used |= set(secrets(documents(name)))
    assert used == {
        *("postgresql-jupyterhub", "postgresql-notes", "ngshare-jeton", "connexion", "certificat")
    }
    for secret in used:
        assert f"`{secret}`" in text, secret


def secrets(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for one in value:
            yield from secrets(one)
    elif isinstance(value, dict):
        for key, one in value.items():
            if key in {"secretKeyRef", "secret", "passwordSecret"}:
                yield one["name"]
            else:
                yield from secrets(one)


def test_nothing_lets_anyone_in_or_out() -> None:
    (values,) = documents("jupyterhub.yaml")
    assert values["hub"]["config"]["JupyterHub"]["authenticator_class"] != "dummy"
    assert "allow_all" not in str(values)
    allowed = values["singleuser"]["networkPolicy"]["egressAllowRules"]
    assert not any(allowed.values())
    assert values["singleuser"]["allowPrivilegeEscalation"] is False


def test_the_sizing_is_what_the_measures_say(project: Project) -> None:
    text = (FOLDER / "README.md").read_text(encoding="utf-8")
    shown = text.partition(MARKS[0])[2].partition(MARKS[1])[0]
    assert shown.strip() == sizing_table(project).strip()
    measured = yaml.safe_load(measures_path(project).read_text(encoding="utf-8"))
    exercises = len(list((project.root / "exercises" / "source").iterdir()))
    lines = [line.strip("| ").split(" | ") for line in shown.strip().splitlines()[2:]]
    rows = {name: cells for name, *cells in lines}
    for column, learners in enumerate((500, 5_000, 50_000)):
        seats = math.ceil(learners * measured["memoire"]["place"] / (0.9 * 64 * 2**30))
        hours = learners * exercises * measured["secondes"]["correction"] / 3600
        assert number(rows["Machines pour les places"][column]) == seats
        assert number(rows["Correcteurs"][column]) == math.ceil(hours / 10)
        handed_in = rows[f"Copies, à {exercises} exercices chacun"][column]
        assert number(handed_in) == learners * exercises


def test_nobody_is_promised_less_than_was_measured(project: Project) -> None:
    measured = yaml.safe_load(measures_path(project).read_text(encoding="utf-8"))["memoire"]
    seat = documents("jupyterhub.yaml")[0]["singleuser"]["memory"]
    assert measured["place"] <= memory(seat["guarantee"]) < memory(seat["limit"])
    workers = next(
        one for one in documents("correction.yaml") if one["metadata"]["name"] == "correcteurs"
    )
    (worker,) = containers(workers)
    asked = {name: memory(one["memory"]) for name, one in worker["resources"].items()}
    assert measured["correcteur"] <= asked["requests"]
    assert asked["requests"] + Limits().memory <= asked["limits"]


def memory(text: str) -> int:
    number_, unit = re.fullmatch(r"(\d+)([A-Z]i?)", text).groups()  # type: ignore[union-attr]
    return int(number_) * {"M": 10**6, "G": 10**9, "Mi": 2**20, "Gi": 2**30}[unit]


def number(text: str) -> int:
    return int(re.sub(r"\s", "", text))
