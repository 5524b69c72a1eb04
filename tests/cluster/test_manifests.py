import re
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.checks import (
    CHECKS,
    Check,
    budgets,
    connected,
    endings,
    held_to_namespace,
    images,
    meetings,
    mounts,
    namespaces,
    one_driver,
    probes,
    restricted,
    roles,
    schema,
    secrets,
    selectors,
    service_links,
)
from tests.cluster.network import allowed, lets_in_strangers, reaches_names
from tests.cluster.objects import FOLDER, Fields, Pod, everything, named, of_kind, pods

Fault = Callable[[list[Fields]], Any]


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_the_cluster_passes(check: Check) -> None:
    assert list(check(everything())) == []


def test_kubectl_can_apply_the_folder() -> None:
    """A kustomization or any other file of data there fails the whole command, and a Job cannot be applied again."""
    others = [
        path for path in FOLDER.iterdir() if path.suffix in (".yaml", ".yml", ".json") and not path.stem[0].isdigit()
    ]
    assert others == []
    assert of_kind([item for item in everything() if item["metadata"]["name"] == "backup"], "Job") == []
    assert not [item for path in FOLDER.glob("*.yaml") for item in path.read_text().splitlines() if item == "kind: Job"]


def test_the_namespace_comes_first() -> None:
    assert sorted(FOLDER.glob("*.yaml"))[0] == Path("k8s/00-namespace.yaml")


def spec(items: list[Fields], kind: str, name: str) -> Fields:
    found: Fields = named(items, kind, name)["spec"]
    return found


def pod(items: list[Fields], name: str = "mlflow", kind: str = "Deployment") -> Fields:
    found: Fields = spec(items, kind, name)["template"]["spec"]
    return found


def container(items: list[Fields], name: str = "mlflow", kind: str = "Deployment") -> Fields:
    found: Fields = pod(items, name, kind)["containers"][0]
    return found


def job(items: list[Fields]) -> Fields:
    return of_kind(items, "Job")[0]


def gang(items: list[Fields]) -> Fields:
    return next(item for item in of_kind(items, "Job") if item["spec"].get("completionMode") == "Indexed")


def rule(items: list[Fields], number: int) -> Fields:
    found: Fields = named(items, "Role", "driver")["rules"][number]
    return found


def variable(items: list[Fields], owner: Fields, name: str) -> Fields:
    return next(item for item in owner["env"] if item["name"] == name)


FAULTS: list[tuple[str, Check, Fault]] = [
    ("a field nobody knows", schema, lambda all_: pod(all_).update(restartPolicie="Never")),
    ("a wrong type", schema, lambda all_: container(all_).update(args=[5000])),
    ("a weaker standard", namespaces, lambda all_: named(all_, "Namespace", "phys4d")["metadata"]["labels"].update(
        {"pod-security.kubernetes.io/enforce": "baseline"})),
    ("another namespace", namespaces, lambda all_: job(all_)["metadata"].update(namespace="default")),
    ("a role of the whole cluster", namespaces, lambda all_: named(all_, "Role", "driver").update(kind="ClusterRole")),
    ("a wildcard of verbs", roles, lambda all_: rule(all_, 0).update(verbs=["*"])),
    ("a wildcard of resources", roles, lambda all_: rule(all_, 1).update(resources=["*"])),
    ("a look at secrets", roles, lambda all_: rule(all_, 1)["resources"].append("secrets")),
    ("pods made by hand", roles, lambda all_: rule(all_, 1)["verbs"].append("create")),
    ("a command in a pod", roles, lambda all_: rule(all_, 2)["resources"].append("pods/exec")),
    ("a token for a stage", roles, lambda all_: job(all_)["spec"]["template"]["spec"].update(
        automountServiceAccountToken=True)),
    ("an unknown account", roles, lambda all_: pod(all_).update(serviceAccountName="other")),
    ("root", restricted, lambda all_: pod(all_)["securityContext"].update(runAsUser=0)),
    ("perhaps root", restricted, lambda all_: pod(all_)["securityContext"].pop("runAsNonRoot")),
    ("no seccomp", restricted, lambda all_: pod(all_)["securityContext"].pop("seccompProfile")),
    ("escalation", restricted, lambda all_: container(all_)["securityContext"].pop("allowPrivilegeEscalation")),
    ("a capability", restricted, lambda all_: container(all_)["securityContext"]["capabilities"].update(
        add=["SYS_ADMIN"])),
    ("an image that is written to", restricted, lambda all_: container(all_)["securityContext"].update(
        readOnlyRootFilesystem=False)),
    ("an init container of root", restricted, lambda all_: pod(all_)["initContainers"][0]["securityContext"].update(
        runAsUser=0)),
    ("a folder of the node", restricted, lambda all_: pod(all_)["volumes"].append(
        {"name": "node", "hostPath": {"path": "/"}})),
    ("the node's network", restricted, lambda all_: pod(all_).update(hostNetwork=True)),
    ("latest", images, lambda all_: container(all_).update(image="registry.example/phys4d:latest")),
    ("no tag", images, lambda all_: container(all_).update(image="registry.example:5000/phys4d")),
    ("another's image without digest", images, lambda all_: container(all_, "postgres", "StatefulSet").update(
        image="docker.io/library/postgres:17.10-bookworm")),
    ("a mount of nothing", mounts, lambda all_: pod(all_)["volumes"].pop()),
    ("a volume for nobody", mounts, lambda all_: pod(all_)["volumes"].append({"name": "spare", "emptyDir": {}})),
    ("a claim nobody made", mounts, lambda all_: all_.remove(named(all_, "PersistentVolumeClaim", "driver"))),
    ("a Service of no pod", selectors, lambda all_: spec(all_, "Service", "mlflow")["selector"].update(
        {"app.kubernetes.io/name": "ml-flow"})),
    ("a Service at no port", selectors, lambda all_: spec(all_, "Service", "mlflow")["ports"][0].update(
        targetPort="web")),
    ("a budget of no pod", selectors, lambda all_: spec(all_, "PodDisruptionBudget", "mlflow")["selector"].update(
        matchLabels={"app": "mlflow"})),
    ("a policy of no pod", selectors, lambda all_: spec(all_, "NetworkPolicy", "gang")["podSelector"].update(
        matchLabels={"app.kubernetes.io/component": "gangs"})),
    ("a Deployment of others' pods", selectors, lambda all_: spec(all_, "Deployment", "mlflow")["selector"].update(
        matchLabels={"app.kubernetes.io/part-of": "phys4d"})),
    ("no budget", budgets, lambda all_: all_.remove(named(all_, "PodDisruptionBudget", "postgres"))),
    ("no readiness", probes, lambda all_: container(all_).pop("readinessProbe")),
    ("no limits", probes, lambda all_: job(all_)["spec"]["template"]["spec"]["containers"][0]["resources"].pop(
        "limits")),
    ("variables from Services", service_links, lambda all_: pod(all_).pop("enableServiceLinks")),
    ("a Secret in the open", secrets, lambda all_: all_.append(
        {"kind": "Secret", "apiVersion": "v1", "metadata": {"name": "s3", "namespace": "phys4d"}})),
    ("a secret nobody makes", secrets, lambda all_: pod(all_)["volumes"][1]["secret"].update(secretName="s4")),
    ("a key nobody makes", secrets, lambda all_: variable(all_, container(all_), "PGPASSWORD")["valueFrom"][
        "secretKeyRef"].update(key="pass")),
    ("a ConfigMap nobody makes", secrets, lambda all_: variable(all_, container(all_), "STORAGE")["valueFrom"][
        "configMapKeyRef"].update(key="url")),
    ("a refused gate that is tried again", endings, lambda all_: job(all_)["spec"]["podFailurePolicy"]["rules"][0][
        "onExitCodes"].update(values=[78])),
    ("a stop that is final", endings, lambda all_: job(all_)["spec"]["podFailurePolicy"]["rules"][0][
        "onExitCodes"].update(values=[65, 75, 78])),
    ("codes of another container", endings, lambda all_: job(all_)["spec"]["podFailurePolicy"]["rules"][0][
        "onExitCodes"].update(containerName="main")),
    ("an eviction that counts", endings, lambda all_: job(all_)["spec"]["podFailurePolicy"]["rules"].pop()),
    ("a gang that goes on without one", endings, lambda all_: gang(all_)["spec"]["podFailurePolicy"]["rules"][
        1].update(action="Ignore")),
    ("a restart in place", endings, lambda all_: job(all_)["spec"]["template"]["spec"].update(
        restartPolicy="OnFailure")),
    ("attempts nobody asked for", endings, lambda all_: job(all_)["spec"].update(backoffLimit=6)),
    ("logs that go at once", endings, lambda all_: job(all_)["spec"].update(ttlSecondsAfterFinished=0)),
    ("a deadline of waiting", endings, lambda all_: job(all_)["spec"].update(activeDeadlineSeconds=60)),
    ("another subdomain", meetings, lambda all_: gang(all_)["spec"]["template"]["spec"].update(subdomain="gang")),
    ("a Service with an address", meetings, lambda all_: spec(all_, "Service", "gangs").pop("clusterIP")),
    ("names that come late", meetings, lambda all_: spec(all_, "Service", "gangs").pop("publishNotReadyAddresses")),
    ("a meeting place elsewhere", meetings, lambda all_: gang(all_)["metadata"].update(name="other")),
    ("a gang in turns", meetings, lambda all_: gang(all_)["spec"].update(parallelism=1)),
    ("an address of nobody", connected, lambda all_: variable(
        all_, container(all_, "prefect-worker"), "PREFECT_API_URL").update(value="http://prefect-server:4200/api")),
    ("a port of nobody", connected, lambda all_: spec(all_, "Service", "postgres")["ports"][0].update(port=5433)),
    ("two drivers", one_driver, lambda all_: spec(all_, "Deployment", "prefect-worker").update(replicas=2)),
    ("a driver before the last one ends", one_driver, lambda all_: spec(all_, "Deployment", "prefect-worker").update(
        strategy={"type": "RollingUpdate"})),
    ("a volume of two pods", one_driver, lambda all_: spec(all_, "PersistentVolumeClaim", "driver").update(
        accessModes=["ReadWriteOnce"])),
    ("no time to save", one_driver, lambda all_: pod(all_, "prefect-worker").update(terminationGracePeriodSeconds=30)),
    ("no denial", held_to_namespace, lambda all_: spec(all_, "NetworkPolicy", "default-deny").update(
        policyTypes=["Ingress"])),
]  # fmt: skip


@pytest.mark.parametrize(("check", "fault"), [row[1:] for row in FAULTS], ids=[row[0] for row in FAULTS])
def test_a_fault_is_found(check: Check, fault: Fault) -> None:
    items = everything()
    fault(items)
    assert list(check(items)) != []


def test_every_check_finds_a_fault() -> None:
    assert {check for _, check, _ in FAULTS} == set(CHECKS)


WORLD, METADATA = "198.51.100.7", "169.254.169.254"
PORTS = {"postgres": 5432, "mlflow": 5000, "prefect-server": 4200}


def labels(items: list[Fields]) -> dict[str, dict[str, str]]:
    """The labels of each kind of pod; the kinds of stages by their component."""
    key = "app.kubernetes.io/component"
    return {pod.labels.get(key, pod.labels["app.kubernetes.io/name"]): pod.labels for pod in pods(items)}


NEEDED = {
    *((name, "postgres") for name in ("mlflow", "prefect-server", "backup")),
    *((name, "mlflow") for name in ("prefect-worker", "single", "gang", "shards")),
    ("prefect-worker", "prefect-server"),
}


def connections(items: list[Fields]) -> set[tuple[str, str]]:
    who = labels(items)
    return {
        (name, target) for name, target in product(who, PORTS) if allowed(items, who[name], who[target], PORTS[target])
    }


def test_pods_reach_what_they_need_and_nothing_else() -> None:
    assert connections(everything()) == NEEDED


def test_every_pod_asks_for_names() -> None:
    items = everything()
    assert all(reaches_names(items, labels(items)[name]) for name in labels(items))


def test_storage_is_reached_by_those_that_have_its_keys() -> None:
    items = everything()
    who = labels(items)
    holders = [pod.labels for pod in pods(items) if {"secretName": "s3", "defaultMode": 0o440} in _secrets(pod)]
    assert {name for name in who if allowed(items, who[name], WORLD, 443)} == {
        name for name in who if who[name] in holders
    }


def test_nobody_reaches_the_clouds_metadata_nor_the_world_at_another_port() -> None:
    items = everything()
    who = labels(items)
    assert not [
        name for name in who if allowed(items, who[name], METADATA, 443) or allowed(items, who[name], METADATA, 80)
    ]
    assert not [name for name in who if allowed(items, who[name], WORLD, 80)]


def test_the_driver_alone_reaches_the_api_server() -> None:
    items = everything()
    who = labels(items)
    assert {name for name in who if allowed(items, who[name], WORLD, 6443)} == {"prefect-worker"}


def test_gangs_talk_on_any_port_and_nobody_else_does() -> None:
    items = everything()
    who = labels(items)
    assert {(a, b) for a, b in product(who, who) if allowed(items, who[a], who[b], 40_123)} == {("gang", "gang")}


def test_the_driver_knows_where_mlflow_puts_files() -> None:
    """Which the version's own file says then."""

    def place(name: str) -> str:
        environment = pod(everything(), name)["containers"][0]["env"]
        values = {one["name"]: one.get("value") or f"({one['valueFrom']})" for one in environment}
        return re.sub(r"\$\((\w+)\)", lambda found: str(values[found[1]]), values["MLFLOW_ARTIFACTS_DESTINATION"])

    assert place("prefect-worker") == place("mlflow")


def test_nobody_comes_in_from_another_namespace() -> None:
    items = everything()
    who = labels(items)
    assert not [name for name in who if lets_in_strangers(items, who[name])]


@pytest.mark.parametrize("name", [item["metadata"]["name"] for item in of_kind(everything(), "NetworkPolicy")])
def test_each_policy_is_needed(name: str) -> None:
    """Without any one of them something is cut off, or open: there is none to spare, and the test would see it."""
    items = everything()
    whole = _reach(items)
    items.remove(named(items, "NetworkPolicy", name))
    assert _reach(items) != whole


def _reach(items: list[Fields]) -> tuple[object, ...]:
    who = labels(items)
    world = {(name, port) for name, port in product(who, (443, 6443)) if allowed(items, who[name], WORLD, port)}
    inside = {(a, b, 40_123) for a, b in product(who, who) if allowed(items, who[a], who[b], 40_123)}
    asking = {name for name in who if reaches_names(items, who[name])}
    return connections(items), world, inside, asking, {name for name in who if lets_in_strangers(items, who[name])}


def _secrets(pod: Pod) -> list[Fields]:
    return [volume["secret"] for volume in pod.spec["volumes"] if "secret" in volume]
