"""Network policies, evaluated: whether a pod may open a connection to a pod, or to an address outside."""

import ipaddress
from collections.abc import Sequence
from typing import Any

from tests.cluster.objects import Fields, matches, of_kind

NAMESPACE = {"kubernetes.io/metadata.name": "phys4d"}


def allowed(
    items: Sequence[Fields], source: dict[str, str], target: dict[str, str] | str, port: int, protocol: str = "TCP"
) -> bool:
    """Whether a pod with the labels `source` reaches `target`: labels of a pod of the namespace, or an address."""
    leaves = _permits(items, "Egress", source, target, (port, protocol))
    return leaves and (isinstance(target, str) or _permits(items, "Ingress", target, source, (port, protocol)))


def reaches_names(items: Sequence[Fields], source: dict[str, str]) -> bool:
    """Whether a pod may ask the cluster's name server, which is in another namespace."""
    server = {"k8s-app": "kube-dns"}
    place = {"kubernetes.io/metadata.name": "kube-system"}
    return all(_permits(items, "Egress", source, server, (53, protocol), place=place) for protocol in ("UDP", "TCP"))


def lets_in_strangers(items: Sequence[Fields], target: dict[str, str]) -> bool:
    """Whether a pod of another namespace, whatever its labels, may reach a port of a pod."""
    stranger = {**target, "phys4d/reaches-postgres": "true", "phys4d/reaches-mlflow": "true"}
    place = {"kubernetes.io/metadata.name": "other"}
    return any(
        _permits(items, "Ingress", target, stranger, (port, "TCP"), place=place) for port in (5432, 5000, 4200, 1)
    )


def _permits(
    items: Sequence[Fields],
    direction: str,
    subject: dict[str, str],
    peer: dict[str, str] | str,
    port: tuple[int, str],
    *,
    place: dict[str, str] | None = None,
) -> bool:
    """Kubernetes' own rule: no policy of a direction takes the pod, or one of those that do has a rule that fits."""
    policies = [
        item["spec"]
        for item in of_kind(items, "NetworkPolicy")
        if direction in item["spec"]["policyTypes"] and matches(item["spec"]["podSelector"], subject)
    ]
    field, peers = ("egress", "to") if direction == "Egress" else ("ingress", "from")
    rules = [rule for policy in policies for rule in policy.get(field, ())]
    return not policies or any(
        _has_port(rule, *port) and any(_is_peer(entry, peer, place or NAMESPACE) for entry in rule[peers])
        for rule in rules
    )


def _has_port(rule: Fields, port: int, protocol: str) -> bool:
    ports: list[Any] = rule.get("ports", [])
    return not ports or any(entry["port"] == port and entry["protocol"] == protocol for entry in ports)


def _is_peer(entry: Fields, peer: dict[str, str] | str, place: dict[str, str]) -> bool:
    if isinstance(peer, str):
        block = entry.get("ipBlock")
        address = ipaddress.ip_address(peer)
        return (
            block is not None
            and address in ipaddress.ip_network(block["cidr"])
            and not any(address in ipaddress.ip_network(cidr) for cidr in block.get("except", ()))
        )
    if "ipBlock" in entry:
        return False
    there = matches(entry["namespaceSelector"], place) if "namespaceSelector" in entry else place == NAMESPACE
    return there and matches(entry.get("podSelector", {}), peer)
