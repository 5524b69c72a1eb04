"""What must be true of the objects of a cluster: each check gives a line for every fault that it finds."""

import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import kubernetes_validate

from components.cluster.templates import is_pinned
from components.errors import ExitCode
from flows.serve import SAVING
from tests.cluster.objects import Fields, Pod, matches, named, of_kind, pod_template, pods, title

VERSION = "1.32"
VERBS = {"create", "get", "list", "delete"}
RESOURCES = {"jobs", "pods", "pods/log", "events"}
VOLUMES = {"configMap", "secret", "projected", "emptyDir", "persistentVolumeClaim"}  # of those "restricted" allows
LASTING = ("Deployment", "StatefulSet")
Check = Callable[[Sequence[Fields]], Iterator[str]]


def schema(items: Sequence[Fields]) -> Iterator[str]:
    """The API server's own schema, which refuses a field that it does not know."""
    for item in items:
        try:
            kubernetes_validate.validate(item, VERSION, strict=True)
        except kubernetes_validate.ValidationError as error:
            yield f"{title(item)}: {error.message}"


def namespaces(items: Sequence[Fields]) -> Iterator[str]:
    """Everything is in the one namespace, whose pods are held to the "restricted" standard, and nothing is above it."""
    for item in items:
        if item["kind"] == "Namespace":
            for mode in ("enforce", "audit", "warn"):
                if item["metadata"]["labels"].get(f"pod-security.kubernetes.io/{mode}") != "restricted":
                    yield f"{title(item)}: {mode} is not restricted"
        elif item["metadata"].get("namespace") != "phys4d":
            yield f"{title(item)}: not in the namespace"
        if item["kind"].startswith("Cluster"):
            yield f"{title(item)}: beyond the namespace"


def roles(items: Sequence[Fields]) -> Iterator[str]:
    """Roles allow what is listed here and no more, and are one account's, that of the pod that has a token."""
    for role in of_kind(items, "Role", "ClusterRole"):
        for rule in role["rules"]:
            if extra := set(rule["verbs"]) - VERBS:
                yield f"{title(role)}: verbs {sorted(extra)}"
            if extra := set(rule["resources"]) - RESOURCES:
                yield f"{title(role)}: resources {sorted(extra)}"
            if set(rule["resources"]) - {"jobs"} and set(rule["verbs"]) & {"create", "delete"}:
                yield f"{title(role)}: may change {rule['resources']}"
    bound = {subject["name"] for binding in of_kind(items, "RoleBinding") for subject in binding["subjects"]}
    accounts = {item["metadata"]["name"] for item in of_kind(items, "ServiceAccount")}
    for pod in pods(items):
        account = pod.spec.get("serviceAccountName")
        if account not in accounts:
            yield f"{pod.owner}: account {account} does not exist"
        if pod.spec.get("automountServiceAccountToken") is not (account in bound):
            yield f"{pod.owner}: a token without a role, or a role without a token"


def restricted(items: Sequence[Fields]) -> Iterator[str]:
    """Pod Security "restricted", for every container; and root file systems that cannot be written."""
    for pod in pods(items):
        own = pod.spec.get("securityContext", {})
        for field in ("hostNetwork", "hostPID", "hostIPC"):
            if pod.spec.get(field):
                yield f"{pod.owner}: {field}"
        for volume in pod.spec.get("volumes", ()):
            if set(volume) - {"name"} - VOLUMES:
                yield f"{pod.owner}: volume {volume['name']} is of a kind that is not allowed"
        for container in pod.containers:
            where, context = f"{pod.owner}, {container['name']}", container.get("securityContext", {})
            both = {**own, **context}
            if both.get("runAsNonRoot") is not True or not both.get("runAsUser"):
                yield f"{where}: may be root"
            if both.get("seccompProfile", {}).get("type") != "RuntimeDefault":
                yield f"{where}: no seccomp profile"
            if context.get("privileged") or context.get("allowPrivilegeEscalation") is not False:
                yield f"{where}: may gain privileges"
            if context.get("capabilities") != {"drop": ["ALL"]}:
                yield f"{where}: has capabilities"
            if context.get("readOnlyRootFilesystem") is not True:
                yield f"{where}: writes into its image"
            if any("hostPort" in port for port in container.get("ports", ())):
                yield f"{where}: takes a port of the node"


def images(items: Sequence[Fields]) -> Iterator[str]:
    """An image is one version: a digest, or a tag that is not `latest`; those of others have a digest."""
    for pod in pods(items):
        for container in pod.containers:
            image = container["image"]
            ours = image.startswith("registry.example/phys4d")
            if not is_pinned(image) or (not ours and "@sha256:" not in image):
                yield f"{pod.owner}, {container['name']}: image {image}"


def mounts(items: Sequence[Fields]) -> Iterator[str]:
    """Each mount has its volume and each volume a mount; claims exist."""
    claims = {item["metadata"]["name"] for item in of_kind(items, "PersistentVolumeClaim")}
    templates = {
        title(item): [claim["metadata"]["name"] for claim in item["spec"].get("volumeClaimTemplates", ())]
        for item in of_kind(items, "StatefulSet")
    }
    for pod in pods(items):
        volumes = {volume["name"] for volume in pod.spec.get("volumes", ())} | set(templates.get(pod.owner, ()))
        mounted = {mount["name"] for container in pod.containers for mount in container.get("volumeMounts", ())}
        yield from (f"{pod.owner}: mount {name} has no volume" for name in sorted(mounted - volumes))
        yield from (f"{pod.owner}: volume {name} is not mounted" for name in sorted(volumes - mounted))
        for volume in pod.spec.get("volumes", ()):
            claim = volume.get("persistentVolumeClaim", {}).get("claimName")
            if claim and claim not in claims:
                yield f"{pod.owner}: claim {claim} does not exist"


def selectors(items: Sequence[Fields]) -> Iterator[str]:
    """Whatever selects pods selects some, and a Service's port is one that they have."""
    everyone = list(pods(items))
    for item in of_kind(items, "Service", "PodDisruptionBudget", "NetworkPolicy", *LASTING):
        field = "podSelector" if item["kind"] == "NetworkPolicy" else "selector"
        taken = [pod for pod in everyone if matches(item["spec"][field], pod.labels)]
        if not taken:
            yield f"{title(item)}: selects no pod"
        if item["kind"] in LASTING and [pod.owner for pod in taken] != [title(item)]:
            yield f"{title(item)}: selects pods of others"
        for port in item["spec"].get("ports", ()):
            names = {
                entry["name"] for pod in taken for container in pod.containers for entry in container.get("ports", ())
            }
            if port["targetPort"] not in names:
                yield f"{title(item)}: port {port['targetPort']} is nobody's"


def budgets(items: Sequence[Fields]) -> Iterator[str]:
    """What lasts has a budget."""
    for pod in pods(of_kind(items, *LASTING)):
        if not any(matches(item["spec"]["selector"], pod.labels) for item in of_kind(items, "PodDisruptionBudget")):
            yield f"{pod.owner}: has no PodDisruptionBudget"


def probes(items: Sequence[Fields]) -> Iterator[str]:
    """What lasts is probed, and no container is without bounds."""
    for pod in pods(of_kind(items, *LASTING)):
        for container in pod.spec["containers"]:
            for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
                if probe not in container:
                    yield f"{pod.owner}, {container['name']}: no {probe}"
    for pod in pods(items):
        for container in pod.containers:
            for kind in ("requests", "limits"):
                if not {"cpu", "memory"} <= set(container.get("resources", {}).get(kind, ())):
                    yield f"{pod.owner}, {container['name']}: no {kind}"


def service_links(items: Sequence[Fields]) -> Iterator[str]:
    """No variables from Services: one named mlflow would set MLFLOW_PORT, which MLflow reads as its own."""
    yield from (f"{pod.owner}: service links" for pod in pods(items) if pod.spec.get("enableServiceLinks") is not False)


def secrets(items: Sequence[Fields]) -> Iterator[str]:
    """No Secret is here; those that are referred to are made by create-secrets.sh, with the key that is meant."""
    yield from (f"{title(item)}: a Secret" for item in of_kind(items, "Secret"))
    script = Path("k8s/create-secrets.sh").read_text()
    made = {(name, "password") for name in re.findall(r"^password (\S+)", script, re.MULTILINE)}
    for name, rest in re.findall(r"^  secret (\w+) (.+)$", script, re.MULTILINE):
        made |= {(name, key) for key in rest.split()[::2]}
    configured = {(item["metadata"]["name"], key) for item in of_kind(items, "ConfigMap") for key in item["data"]}
    configured |= set(re.findall(r"kind: ConfigMap.n?metadata: \{name: (\w+)\}\\ndata:\\n  (\w+):", script))
    for pod in pods(items):
        for kind, name, key in _references(pod):
            known = made if kind == "secret" else configured
            if not any(name == other and key in (None, part) for other, part in known):
                yield f"{pod.owner}: {kind} {name}/{key} is made by nobody"


def _references(pod: Pod) -> Iterator[tuple[str, str, str | None]]:
    for container in pod.containers:
        for variable in container.get("env", ()):
            source = variable.get("valueFrom", {})
            for field, kind in (("secretKeyRef", "secret"), ("configMapKeyRef", "config")):
                if field in source:
                    yield kind, source[field]["name"], source[field]["key"]
    for volume in pod.spec.get("volumes", ()):
        if "secret" in volume:
            yield "secret", volume["secret"]["secretName"], None
        if "configMap" in volume:
            yield "config", volume["configMap"]["name"], None
        for source in volume.get("projected", {}).get("sources", ()):
            yield from (("secret", source["secret"]["name"], item["key"]) for item in source["secret"]["items"])


def is_gang(job: Fields) -> bool:
    """Whether the Job's pods train together."""
    return bool(job["metadata"]["labels"].get("app.kubernetes.io/component") == "gang")


def endings(items: Sequence[Fields]) -> Iterator[str]:
    """A Job ends as the exit codes mean: final ones fail it, a lost pod is made again alone and never within a gang."""
    final = sorted((ExitCode.GATE_REFUSED, ExitCode.BAD_PARAMETERS))
    for job in of_kind(items, "Job"):
        spec, pod = job["spec"], job["spec"]["template"]["spec"]
        rules = spec.get("podFailurePolicy", {}).get("rules", [])
        codes = [(rule["action"], rule["onExitCodes"]) for rule in rules if "onExitCodes" in rule]
        lost = [rule["action"] for rule in rules if "onPodConditions" in rule]
        name = pod["containers"][0]["name"]
        if rules and pod.get("restartPolicy") != "Never":
            yield f"{title(job)}: a podFailurePolicy wants restartPolicy Never"
        if codes != [("FailJob", {"containerName": name, "operator": "In", "values": final})]:
            yield f"{title(job)}: exit codes {codes}, expected FailJob for {[int(code) for code in final]}"
        if lost != ["FailJob" if is_gang(job) else "Ignore"]:
            yield f"{title(job)}: a disruption ends in {lost}"
        if spec.get("backoffLimit") != 0:
            yield f"{title(job)}: attempts of its own"
        if spec.get("podReplacementPolicy") != "Failed":
            yield f"{title(job)}: two pods at the same work"
        if spec.get("ttlSecondsAfterFinished", 0) < 3600:
            yield f"{title(job)}: gone before its logs are read"
        if not pod.get("activeDeadlineSeconds") or not pod.get("terminationGracePeriodSeconds"):
            yield f"{title(job)}: no deadline or no time to save"
        if "activeDeadlineSeconds" in spec:
            yield f"{title(job)}: a wait for a GPU counts as work"


def meetings(items: Sequence[Fields]) -> Iterator[str]:
    """A gang's pods meet at the first one's name, which a headless Service gives."""
    for job in of_kind(items, "Job"):
        spec, template = job["spec"], pod_template(job)
        if not is_gang(job) or template is None:
            continue
        services = [
            item
            for item in of_kind(items, "Service")
            if item["spec"].get("clusterIP") == "None"
            and matches(item["spec"]["selector"], template["metadata"]["labels"])
        ]
        if [item["metadata"]["name"] for item in services] != [template["spec"].get("subdomain")]:
            yield f"{title(job)}: subdomain {template['spec'].get('subdomain')} is no headless Service of its pods"
        if not all(item["spec"].get("publishNotReadyAddresses") for item in services):
            yield f"{title(job)}: names come after the ranks have looked for them"
        values = {item["name"]: item.get("value") for item in template["spec"]["containers"][0]["env"]}
        first = f"{job['metadata']['name']}-0.{template['spec'].get('subdomain')}"
        if values.get("PET_MASTER_ADDR") != first:
            yield f"{title(job)}: meets at {values.get('PET_MASTER_ADDR')}, not {first}"
        if values.get("PET_NNODES") != str(spec["completions"]) or spec["completions"] != spec["parallelism"]:
            yield f"{title(job)}: not all pods at once"


def connected(items: Sequence[Fields]) -> Iterator[str]:
    """Addresses in the variables of a pod are Services that exist, at their port."""
    for pod in pods(items):
        for container in pod.containers:
            for variable in container.get("env", ()):
                found = re.search(r"(?:://|@)([a-z-]+):(\d+)", str(variable.get("value", "")))
                if found is None:
                    continue
                ports = {
                    (item["metadata"]["name"], str(port["port"]))
                    for item in of_kind(items, "Service")
                    for port in item["spec"].get("ports", ())
                }
                if found.groups() not in ports:
                    yield f"{pod.owner}: {variable['name']} names {found[0]}, no Service"


def one_driver(items: Sequence[Fields]) -> Iterator[str]:
    """Two drivers never live at once: one would take up again what the other runs."""
    driver = named(items, "Deployment", "prefect-worker")["spec"]
    if driver.get("replicas") != 1 or driver.get("strategy") != {"type": "Recreate"}:
        yield "Deployment prefect-worker: two at once"
    if named(items, "PersistentVolumeClaim", "driver")["spec"]["accessModes"] != ["ReadWriteOncePod"]:
        yield "PersistentVolumeClaim driver: the next pod begins while the last one saves"
    if driver["template"]["spec"]["terminationGracePeriodSeconds"] <= SAVING:
        yield f"Deployment prefect-worker: killed while a run may still save, expected more than {SAVING:.0f} seconds"


def held_to_namespace(items: Sequence[Fields]) -> Iterator[str]:
    """A denial of all traffic is there, for every pod and both directions."""
    denial = named(items, "NetworkPolicy", "default-deny")["spec"]
    if denial != {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}:
        yield "NetworkPolicy default-deny: does not deny all"


CHECKS: tuple[Check, ...] = (
    schema, namespaces, roles, restricted, images, mounts, selectors, budgets, probes, service_links, secrets, endings,
    meetings, connected, one_driver, held_to_namespace,
)  # fmt: skip
