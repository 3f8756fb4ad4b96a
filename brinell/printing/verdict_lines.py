"""A verdict on a terminal: one line a rule, with why it does not pass where it does not, and what it comes to."""

from collections.abc import Sequence

from brinell.printing.scores_table import number
from brinell.printing.terminal import out, plain
from brinell.records import RuleOutcome, Waiver


def print_verdict(verdict: str | None, rules: Sequence[RuleOutcome]) -> None:
    """Prints every rule and the verdict; nothing where there is no policy."""
    if not rules:
        return
    width = max(len(rule["verdict"]) for rule in rules)
    out.print()
    for rule in rules:
        out.print(plain(f"{rule['verdict']:{width}}  {_told(rule)}"), soft_wrap=True)
    out.print(f"\nVerdict: {verdict or 'none'}")


def _told(rule: RuleOutcome) -> str:
    told = f"{rule['name']}: {_wanted(rule)}, observed {_observed(rule)} ({rule['evidence']})"
    return f"{told}. {why}" if (why := _why(rule)) else told


def _wanted(rule: RuleOutcome) -> str:
    where = "" if rule["at"] is None else f" at {rule['at']:g}"
    bounds = {"≥": rule["at_least"], "≤": rule["at_most"], "drop ≤": rule["max_drop_from_baseline"]}
    wanted = " and ".join(f"{sign} {bound:g}" for sign, bound in bounds.items() if bound is not None)
    return f"{rule['metric']}{where} {wanted}"


def _observed(rule: RuleOutcome) -> str:
    if rule["low"] is None or rule["high"] is None:
        return number(rule["observed"])
    return f"{number(rule['observed'])} in [{number(rule['low'])}, {number(rule['high'])}]"


def _why(rule: RuleOutcome) -> str:
    waived_alarms = " ".join(f"The alarm {one['alarm']} is {_waived(one)}" for one in rule.get("waived_alarms", ()))
    if rule["verdict"] == "pass":
        return waived_alarms
    needed, waiver = rule["needed_samples"], rule["waiver"]
    more = f"{needed} samples would decide it, were the rate to stay." if needed else ""
    answered_for = f"W{_waived(waiver)[1:]}" if waiver else ""
    return " ".join(part for part in (rule["detail"], more, waived_alarms, answered_for) if part)


def _waived(waiver: Waiver) -> str:
    until = f" until {waiver['until']}" if waiver.get("until") else ""
    return f"waived by {waiver['by']}{until}: {waiver['reason'].rstrip('.')}."
