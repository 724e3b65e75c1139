"""The load balancer's shares, against recorded rows of the categories Health checks and Load balancing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pomprobe.balance import Host, shares

UP, DOWN, SLOWER = Host(1, True), Host(1, False), Host(1, True, degraded=True)


@pytest.mark.parametrize(
    ("row", "hosts", "threshold", "expected"),
    [
        ("hc-503-panic-1", [DOWN], 1, [1.0]),
        ("hc-503-panic0", [DOWN], 0, [0.0]),
        ("hc-2hosts-1-failing", [UP, DOWN], 50, [1.0, 0.0]),
        ("hc-3hosts-2-failing", [UP, DOWN, DOWN], 50, [1 / 3, 1 / 3, 1 / 3]),
        ("hc-3hosts-2-failing-panic0", [UP, DOWN, DOWN], 0, [1.0, 0.0, 0.0]),
        ("hc-3hosts-2-failing-panic33", [UP, DOWN, DOWN], 33, [1.0, 0.0, 0.0]),
        ("hc-2hosts-both-failing", [DOWN, DOWN], 50, [0.5, 0.5]),
        ("lb-weight-mixed", [UP, Host(3, True)], 50, [0.25, 0.75]),
        ("own-lb-least_request-weights", [UP, Host(3, True)], 50, [0.25, 0.75]),
        ("own-lb-two-addresses-weights", [UP, UP, Host(2, True)], 50, [0.25, 0.25, 0.5]),
        ("own-hc-degraded-1-of-2", [UP, SLOWER], 50, [0.7, 0.3]),
        ("own-hc-degraded-2-of-3", [UP, SLOWER, SLOWER], 50, [46 / 100, 27 / 100, 27 / 100]),
        ("own-hc-degraded-1-failing-1", [SLOWER, DOWN], 50, [1.0, 0.0]),
        ("own-hc-degraded-1-failing-1-fine-1", [SLOWER, DOWN, UP], 50, [0.5, 0.0, 0.5]),
    ],
)
def test_shares_are_those_of_the_recorded_rows(row: str, hosts: list[Host], threshold: int, expected: list[float]) -> None:
    """Each row's hosts get the share of the requests that Envoy gave them."""
    assert expected == pytest.approx(shares(hosts, threshold, "ROUND_ROBIN"))


def test_overprovisioning_keeps_a_cluster_with_three_of_four_hosts_out_of_panic() -> None:
    """75 % times 1.4 is more than 100 %: no panic even with a threshold of 100, as load_balancer_impl.cc has it."""
    assert [1 / 3, 1 / 3, 1 / 3, 0.0] == shares([UP, UP, UP, DOWN], 100, "ROUND_ROBIN")
    assert [1 / 3, 1 / 3, 1 / 3] == shares([UP, UP, DOWN], 100, "ROUND_ROBIN")


def test_random_does_not_look_at_weights() -> None:
    """RANDOM picks any host alike."""
    assert [0.5, 0.5] == shares([UP, Host(9, True)], 50, "RANDOM")


def test_no_hosts_have_no_shares() -> None:
    """A cluster without hosts has nobody to send to."""
    assert [] == shares([], 50, "ROUND_ROBIN")


@given(st.lists(st.builds(Host, st.integers(1, 1000), st.booleans(), st.booleans()), min_size=1), st.integers(0, 100))
def test_shares_add_up_to_one_or_nobody_is_asked(hosts: list[Host], threshold: int) -> None:
    """Whatever the hosts: all of the requests are shared out, or none (UH), and that only if every host is unhealthy."""
    total = sum(shares(hosts, threshold, "ROUND_ROBIN"))
    assert total == pytest.approx(1.0) or (total == 0 and not any(host.healthy for host in hosts))
