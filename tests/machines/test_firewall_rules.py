"""What a cloud firewall becomes for iptables-restore."""

from __future__ import annotations

import pytest

from localcloud.machines import MachineError, Rule
from localcloud.machines.firewall import render

EVERYBODY = ("0.0.0.0/0", "::/0")


def test_without_a_firewall_both_chains_are_emptied() -> None:
    assert render(None, None) == "*mangle\n:REHEARSAL-IN - [0:0]\n:REHEARSAL-OUT - [0:0]\nCOMMIT\n"


def test_a_firewall_without_rules_lets_only_answers_through_both_ways() -> None:
    lines = render((), ()).splitlines()
    for chain in ("REHEARSAL-IN", "REHEARSAL-OUT"):
        own = [line for line in lines if line.startswith(f"-A {chain} ")]
        assert own == [f"-A {chain} -m conntrack --ctstate ESTABLISHED,RELATED -j RETURN", f"-A {chain} -j DROP"]


def test_rules_name_protocol_ports_and_peer_and_come_before_the_drop() -> None:
    inbound = (Rule("tcp", (8000, 8010), ("10.1.0.0/16", "10.2.0.3/32")),)
    lines = [line for line in render(inbound, None).splitlines() if line.startswith("-A REHEARSAL-IN")]
    assert lines[1:] == [
        "-A REHEARSAL-IN -p tcp -m tcp --dport 8000:8010 -s 10.1.0.0/16 -j RETURN",
        "-A REHEARSAL-IN -p tcp -m tcp --dport 8000:8010 -s 10.2.0.3/32 -j RETURN",
        "-A REHEARSAL-IN -j DROP",
    ]


def test_what_goes_out_is_told_by_its_destination_and_icmp_has_no_ports() -> None:
    text = render(None, (Rule("icmp", None, EVERYBODY), Rule("udp", None, EVERYBODY)))
    assert "-A REHEARSAL-OUT -p icmp -d 0.0.0.0/0 -j RETURN" in text
    assert "-A REHEARSAL-OUT -p udp -d 0.0.0.0/0 -j RETURN" in text
    assert "::/0" not in text, "droplets have no IPv6 here, and iptables would refuse the whole text"


def test_an_unknown_protocol_is_refused_by_name() -> None:
    with pytest.raises(MachineError, match="expected protocol tcp, udp or icmp, got 'gre'"):
        render((Rule("gre", None, EVERYBODY),), ())
