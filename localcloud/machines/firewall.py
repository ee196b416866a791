"""Cloud firewalls as packet rules for iptables-restore, replaced as a whole in the chains that `platform` jumps to.

Once a firewall is attached everything is dropped that no rule lets through, both ways, on the public and on the private
interface; answers to what was let through pass. Droplets have no IPv6 here, rules for it are left out.
"""

from __future__ import annotations

from collections.abc import Iterator

from localcloud.machines.model import MachineError, Rule

PROTOCOLS = {"tcp", "udp", "icmp"}


def _rule(chain: str, side: str, rule: Rule) -> Iterator[str]:
    if rule.protocol not in PROTOCOLS:
        raise MachineError(f"firewall rule: expected protocol tcp, udp or icmp, got {rule.protocol!r}")
    what = f"-p {rule.protocol}"
    if rule.ports and rule.protocol != "icmp":
        what += f" -m {rule.protocol} --dport {rule.ports[0]}:{rule.ports[1]}"
    for peer in rule.peers:
        if ":" not in peer:
            yield f"-A {chain} {what} {side} {peer} -j RETURN"


def _chain(chain: str, side: str, rules: tuple[Rule, ...] | None) -> Iterator[str]:
    if rules is None:  # no firewall: an empty chain lets everything through
        return
    yield f"-A {chain} -m conntrack --ctstate ESTABLISHED,RELATED -j RETURN"
    for rule in rules:
        yield from _rule(chain, side, rule)
    yield f"-A {chain} -j DROP"


def render(inbound: tuple[Rule, ...] | None, outbound: tuple[Rule, ...] | None) -> str:
    """Text for `iptables-restore --noflush`: naming a chain empties it, so this is the whole truth at once."""
    lines = ["*mangle", ":REHEARSAL-IN - [0:0]", ":REHEARSAL-OUT - [0:0]"]
    lines += _chain("REHEARSAL-IN", "-s", inbound)
    lines += _chain("REHEARSAL-OUT", "-d", outbound)
    return "\n".join([*lines, "COMMIT", ""])
