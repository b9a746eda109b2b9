"""Which rules the kernel's audit has: those in force, else those that files give it when the host starts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dockertls.audit.material import content_of
from dockertls.documents.audit_rules import Rules, parse
from dockertls.escaping import visible
from dockertls.facts import AUDIT_DIR, AUDIT_RULES, AUDITCTL
from dockertls.host import NOT_FOUND

if TYPE_CHECKING:
    from dockertls.facts import HostFacts
    from dockertls.host import Output


def rules_of(facts: HostFacts) -> tuple[Rules, str]:
    """The rules, and why the kernel did not tell them itself; empty: it did.

    Args:
        facts: gathered with the row "audit".
    """
    answer = facts.outputs.get(AUDITCTL)
    if answer is not None and answer.code == 0:
        return parse(answer.out), ""
    names = (AUDIT_DIR / name for name in facts.names.get(AUDIT_DIR, ()) if name.endswith(".rules"))
    texts = [(content_of(facts, path) or b"").decode(errors="replace") for path in (*sorted(names),) or (AUDIT_RULES,)]
    return parse("\n".join(texts)), _why_not(answer)


def _why_not(answer: Output | None) -> str:
    if answer is None:
        return "the kernel was not asked for its rules"
    if answer.code == NOT_FOUND:
        return "there is no auditctl here: it comes with auditd"
    said = answer.err.strip().splitlines()
    return visible(said[-1]) if said else f"auditctl ended with {answer.code}"
