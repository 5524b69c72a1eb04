"""What the executor asks of the API server, as few verbs as its role allows; objects are read as plain JSON.

The client's models refuse fields that they do not know, so what a newer server says is not read through them; what is
created goes through them, so that a wrong field is refused before it is sent.
"""

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Protocol, cast

from components.errors import ParametersError, Phys4dError

Fields = dict[str, Any]

TIMEOUT = 30.0  # seconds of a request
PAGE = 100  # objects of a listing
FOLLOWED = 3600.0  # seconds without a line, after which a log is asked for again


class ClusterError(Phys4dError):
    """The API server is out of reach, or refused; the same request may pass later."""


class JobsApi(Protocol):
    """What an executor needs of a cluster."""

    def create_job(self, document: Fields) -> bool:
        """Create a Job; False when one of that name is there already."""
        ...

    def jobs(self, labels: Mapping[str, str]) -> list[Fields]:
        """All Jobs that have these labels."""
        ...

    def job(self, name: str) -> Fields | None:
        """A Job; None when there is none."""
        ...

    def pods(self, job: str) -> list[Fields]:
        """The pods of a Job."""
        ...

    def refusal(self, job: str) -> str:
        """Why a Job's last pod could not be made; empty when nothing is said of it."""
        ...

    def log(self, pod: str, container: str) -> Iterator[str]:
        """The lines of a container from its first one on, as they come, until it ends."""
        ...

    def delete_job(self, name: str) -> None:
        """Delete a Job; its pods get TERM and their time to save."""
        ...


class ClusterClient:
    """The API of one namespace. context: of the kubeconfig; None: the pod's own account, or the current context."""

    def __init__(self, namespace: str, context: str | None = None) -> None:
        from kubernetes import client, config
        from kubernetes.config import ConfigException

        configuration, loader = client.Configuration(), cast("Any", config)  # whose functions have no types
        file = os.environ.get("KUBECONFIG")  # the client reads it when it is imported, and never again
        try:
            if context is None:
                try:
                    loader.load_incluster_config(client_configuration=configuration)
                except ConfigException:
                    loader.load_kube_config(config_file=file, client_configuration=configuration)
            else:
                loader.load_kube_config(config_file=file, context=context, client_configuration=configuration)
        except (ConfigException, OSError) as error:
            raise ParametersError(
                f"cluster.context: {context or 'none'}: no cluster is configured ({_one_line(error)}): set KUBECONFIG, "
                "or name a context of kubectl config get-contexts"
            ) from error
        self._namespace = namespace
        self._api = client.ApiClient(configuration)
        self._batch, self._core = client.BatchV1Api(self._api), client.CoreV1Api(self._api)
        self._authorization = client.AuthorizationV1Api(self._api)

    def create_job(self, document: Fields) -> bool:
        """Create a Job; False when one of that name is there already. ParametersError: the server calls it invalid."""
        from kubernetes import client
        from pydantic import ValidationError

        try:
            body = client.V1Job.model_validate(document)  # from_dict leaves out what it does not know
        except ValidationError as error:
            wrong = error.errors()[0]
            where = ".".join(map(str, wrong["loc"]))
            raise ParametersError(f"{document['metadata']['name']}: {where}: {wrong['msg']}") from error
        try:
            with _told("create", document["metadata"]["name"]):
                _raw(self._batch.create_namespaced_job, self._namespace, body, field_validation="Strict")
        except _ExistsError:
            return False
        return True

    def jobs(self, labels: Mapping[str, str]) -> list[Fields]:
        """All Jobs that have these labels."""
        selector = ",".join(f"{name}={value}" for name, value in labels.items())
        with _told("list", f"Jobs of {selector}"):
            return self._items(self._batch.list_namespaced_job, label_selector=selector)

    def job(self, name: str) -> Fields | None:
        """A Job; None when there is none."""
        try:
            with _told("get", name):
                answer = _raw(self._batch.read_namespaced_job, name, self._namespace)
        except _MissingError:
            return None
        found: Fields = json.loads(answer.data)
        return found

    def pods(self, job: str) -> list[Fields]:
        """The pods of a Job."""
        with _told("list", f"pods of {job}"):
            return self._items(self._core.list_namespaced_pod, label_selector=f"batch.kubernetes.io/job-name={job}")

    def refusal(self, job: str) -> str:
        """Why a Job's last pod could not be made, such as a quota; empty when nothing is said of it."""
        selector = f"involvedObject.kind=Job,involvedObject.name={job},reason=FailedCreate"
        with _told("list", f"events of {job}"):
            events = self._items(self._core.list_namespaced_event, field_selector=selector)
        last = max(events, key=lambda event: str(event.get("lastTimestamp") or ""), default={})
        message = " ".join(str(last.get("message") or "").split())
        return message.partition(" is forbidden: ")[2] or message  # before it is a pod's name, another one each time

    def log(self, pod: str, container: str) -> Iterator[str]:
        """The lines of a container from its first one on, as they come, until it ends or the connection does."""
        with _told("read the log of", pod):
            reading: Callable[..., Any] = self._core.read_namespaced_pod_log
            answer = _raw(reading, pod, self._namespace, container=container, follow=True, timeout=(TIMEOUT, FOLLOWED))
            left = b""
            for chunk in answer.stream(65_536):
                *lines, left = (left + chunk).split(b"\n")
                yield from (line.decode(errors="replace") for line in lines)
            if left:
                yield left.decode(errors="replace")

    def delete_job(self, name: str) -> None:
        """Delete a Job; its pods get TERM and their time to save."""
        try:
            with _told("delete", name):
                _raw(self._batch.delete_namespaced_job, name, self._namespace, propagation_policy="Foreground")
        except _MissingError:
            return

    def may(self, verb: str, resource: str, *, group: str = "", subresource: str | None = None) -> bool:
        """Whether the server would let us (SelfSubjectAccessReview)."""
        from kubernetes import client

        attributes = client.V1ResourceAttributes(
            namespace=self._namespace, verb=verb, group=group, resource=resource, subresource=subresource
        )
        review = client.V1SelfSubjectAccessReview(
            spec=client.V1SelfSubjectAccessReviewSpec(resource_attributes=attributes)
        )
        with _told("ask about", f"{verb} {resource}"):
            answer = _raw(self._authorization.create_self_subject_access_review, review)
        return bool(json.loads(answer.data)["status"]["allowed"])

    def _items(self, listing: Any, **options: Any) -> list[Fields]:  # noqa: ANN401 -- a method of the client
        found: list[Fields] = []
        more: str | None = None
        while True:
            pages: dict[str, Any] = {"limit": PAGE, **({"_continue": more} if more else {})}
            answer = _raw(listing, self._namespace, **options, **pages)
            page = json.loads(answer.data)
            found += page.get("items") or []
            more = page.get("metadata", {}).get("continue")
            if not more:
                return found


def _raw(
    method: Callable[..., Any],
    *arguments: object,
    timeout: float | tuple[float, float] = TIMEOUT,
    **options: object,
) -> Any:  # noqa: ANN401 -- urllib3's response
    """A request whose answer is not put into the client's models."""
    return method(*arguments, _preload_content=False, _request_timeout=timeout, **options)


class _ExistsError(ClusterError):
    pass


class _MissingError(ClusterError):
    pass


class ForbiddenError(ParametersError):
    """Not allowed; an API server that has just started says so too, until it has read its roles."""


@contextmanager
def _told(verb: str, what: str) -> Iterator[None]:
    """What goes wrong with a request as an error of one line."""
    from kubernetes.client.exceptions import ApiException
    from urllib3.exceptions import HTTPError

    try:
        yield
    except ApiException as error:
        message = _message(error)
        kinds: Mapping[int, type[Phys4dError]] = {
            400: ParametersError, 403: ForbiddenError, 404: _MissingError, 409: _ExistsError, 422: ParametersError,
        }  # fmt: skip
        kind = kinds.get(int(error.status or 0), ClusterError)
        if kind is _ExistsError and "already exists" not in message:
            kind = ClusterError
        if kind is ForbiddenError and "exceeded quota" in message:
            kind = ClusterError  # there is room again when Jobs that ended are gone
        raise kind(f"the cluster refused to {verb} {what}: {error.status} {message}") from error
    except HTTPError as error:
        raise ClusterError(f"the cluster is out of reach, to {verb} {what}: {_one_line(error)}") from error


def _message(error: Any) -> str:  # noqa: ANN401 -- kubernetes' ApiException
    try:
        return " ".join(str(json.loads(error.body)["message"]).split())
    except (TypeError, ValueError, KeyError):
        return str(error.reason or "")


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())[:300]


def newest(jobs: Sequence[Fields]) -> Fields | None:
    """Of the Jobs of one stage the one of the last attempt."""
    return max(jobs, key=lambda job: int(job["metadata"]["labels"]["phys4d/attempt"]), default=None)
