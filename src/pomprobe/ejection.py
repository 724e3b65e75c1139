"""Hosts that outlier detection will eject once they have failed often enough, and who gets their requests then (pure).

Sources: Envoy's source/common/upstream/outlier_detection_impl.cc; rows od-*; which answers count, tests/envoy/test_ejection.py asks.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from . import balance
from .model import Cluster, RouteKind
from .record import Record, replace
from .retries import VIA_UPSTREAM, Answer

GATEWAY = (502, 503, 504)


class Ejection(Record, frozen=True):
    """What happens after `count` failures in a row: the host is out for `time`, and its requests go to `others` or to nobody."""

    count: int
    time: str
    others: bool


def expected(cluster: Cluster, hosts: Sequence[balance.Host], answers: Sequence[Sequence[Answer]]) -> Ejection | None:
    """None where Envoy ejects nobody, or panics then and goes on as before; Kubernetes routes go by Pomerium's own proxy."""
    settings = cluster.route.outlier_detection
    if settings is None or not hosts or cluster.route.kind is not RouteKind.HTTP:
        return None
    counts = [_count(settings, some) for some in answers]
    bad = [index for index, count in enumerate(counts) if count is not None]
    most = len(hosts) * _number(settings, "max_ejection_percent", 10) // 100
    out = bad[: max(most, 1 if settings.get("always_eject_one_host") else 0)]
    for number in range(len(out), 0, -1):  # one after the other, until Envoy panics
        left = [replace(host, healthy=host.healthy and index not in out[:number]) for index, host in enumerate(hosts)]
        if not balance.panics(left, cluster.panic_threshold):
            count = min(count for index in out if (count := counts[index]))
            return Ejection(count, str(settings.get("base_ejection_time", "30s")), any(host.healthy for host in left))
    return None


def _count(settings: Mapping[str, object], answers: Sequence[Answer]) -> int | None:
    """After how many requests a host with these answers is ejected; None: never, or not for certain."""
    kinds = [_kinds(settings, answer) for answer in answers]
    return min((_number(settings, kind, 5) for kind in set.intersection(*kinds)), default=None) if kinds else None


def _kinds(settings: Mapping[str, object], answer: Answer) -> set[str]:
    """The counters that the answer adds to, as far as they lead to an ejection. Without the split every 5xx counts, whoever made it."""
    status, external = answer.reply.status, answer.reply.response_code_details == VIA_UPSTREAM
    split = bool(settings.get("split_external_local_origin_errors"))
    if split and not external:
        found = ["consecutive_local_origin_failure"] if answer.reply.response_flags == "UF" else []
    else:
        found = [*(["consecutive_5xx"] if status >= 500 else []), *(["consecutive_gateway_failure"] if status in GATEWAY else [])]
    return set(_enforced(settings, found))


def _enforced(settings: Mapping[str, object], kinds: Iterable[str]) -> Iterable[str]:
    for kind in kinds:
        if _number(settings, f"enforcing_{kind}", 0 if kind == "consecutive_gateway_failure" else 100) > 0:
            yield kind


def _number(settings: Mapping[str, object], key: str, default: int) -> int:
    value = settings.get(key, default)
    return value if isinstance(value, int) else default
