"""``logshed policy``: what redaction policies there are, what each does, and whether they and their rules are sound."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from logshed.cli import tables, terminal
from logshed.cli.cells import shown
from logshed.cli.commands import FAILED, JsonOption, add

if TYPE_CHECKING:
    from logshed.redaction.model import Policy
    from logshed.redaction.treatments import Treatment
    from logshed.settings import Settings

Name = Annotated[str, typer.Argument(metavar="NAME|FILE", help="A policy's name, or a policy file.")]
RULE_COLUMNS = ("rule", "class", "action", "in its place", "what it finds", "check from")
DIFF_COLUMNS = ("what", "name", "first", "second")
KEEP = "keep"
SHOW_EXAMPLES = ("logshed policy show strict", "logshed policy show ./ours.toml --json")
CHECK_EXAMPLES = ("logshed policy check", "logshed policy check ./ours.toml")
DIFF_EXAMPLES = ("logshed policy diff default strict",)


def register(app: typer.Typer) -> None:
    """Add the group of commands."""
    group = typer.Typer(help="Show, check and compare redaction policies.", no_args_is_help=True, rich_markup_mode=None)
    add(group, "list", list_policies)
    add(group, "show", show, examples=SHOW_EXAMPLES)
    add(group, "check", check, examples=CHECK_EXAMPLES)
    add(group, "diff", diff, examples=DIFF_EXAMPLES)
    app.add_typer(group, name="policy")


def list_policies(*, as_json: JsonOption = False) -> None:
    """List all policies: ours, installed packages' and your own; the one that is set is marked."""
    from logshed.redaction.policy_files import describe_policy, policy_names  # noqa: PLC0415 - heavy

    settings = _settings()
    found = [describe_policy(name, settings.plugins) for name in policy_names(settings.plugins)]
    if as_json:
        _print_json(
            [
                {"name": one.name, "title": one.title, "rules": len(one.rules), "set": one.name == settings.policy}
                for one in found
            ]
        )
        return
    rows = [[one.name + (" *" if one.name == settings.policy else ""), len(one.rules), one.title] for one in found]
    terminal.page(tables.table(["policy", "rules", "title"], rows, terminal.width()))


def show(name: Name, *, as_json: JsonOption = False) -> None:
    """Show what a policy does: what it covers and leaves out, and what each rule puts in place of what it finds."""
    from logshed.redaction.policy_files import describe_policy  # noqa: PLC0415 - heavy
    from logshed.redaction.registry import load_rules  # noqa: PLC0415 - heavy

    settings = _settings()
    policy = describe_policy(name, settings.plugins)
    rules = [
        {
            "rule": rule.name,
            "class": rule.kind,
            **_treated(policy.treatments.get(rule.name)),
            "title": rule.title,
            "source": rule.source,
        }
        for rule in load_rules(settings.plugins).values()
    ]
    columns = {column: _treated(treatment) for column, treatment in policy.columns.items()}
    if as_json:
        described = {"name": policy.name, "title": policy.title, "covers": policy.covers}
        overrides = [_override(one.collection, one.source, one.policy, policy) for one in policy.overrides]
        _print_json(
            {**described, "rules": rules, "columns": columns, "allowed": policy.allowed, "overrides": overrides}
        )
        return
    terminal.page(_described(policy, rules, columns))


def check(
    name: Annotated[str | None, typer.Argument(metavar="[NAME|FILE]", show_default=False)] = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Check that a policy, or all, and every rule file are sound: one line a problem, with the file and the key.

    Every rule's own examples must come out as its file says. Of the policy that is named, or else set, the keys of
    pseudonyms must be readable where it needs them. Exits with 1 if anything is wrong.
    """
    from logshed.errors import RedactionError  # noqa: PLC0415 - only here
    from logshed.redaction.policy_files import describe_policy, load_policy, policy_names  # noqa: PLC0415 - heavy
    from logshed.redaction.registry import rule_problems  # noqa: PLC0415 - heavy

    settings = _settings()
    rules, problems = rule_problems(settings.plugins)
    names = [name] if name else [*policy_names(settings.plugins), settings.policy]
    used = name or settings.policy
    for one in dict.fromkeys(names):
        try:
            if one == used:
                load_policy(one, settings.plugins, keys=settings.keys)
            else:
                describe_policy(one, settings.plugins)
        except RedactionError as error:
            text = str(error).removeprefix("cannot load ").removeprefix("redaction rule ")
            problems += [] if text in problems else [text]
    if as_json:
        _print_json({"ok": not problems, "policies": list(dict.fromkeys(names)), "rules": rules, "problems": problems})
    else:
        for problem in problems:
            print(shown(problem))
        count = len(dict.fromkeys(names))
        what = f"{count} {'policy' if count == 1 else 'policies'}, {rules} rules"
        print(f"{what}: {f'{len(problems)} problems' if problems else 'all sound'}.")
    if problems:
        raise typer.Exit(FAILED)


def diff(first: Name, second: Name, *, as_json: JsonOption = False) -> None:
    """Show what two policies treat differently: rules, columns of logs, and values that stay in any case."""
    from logshed.redaction.policy_files import describe_policy  # noqa: PLC0415 - heavy
    from logshed.redaction.registry import load_rules  # noqa: PLC0415 - heavy

    settings = _settings()
    one, other = (describe_policy(name, settings.plugins) for name in (first, second))
    places = [
        *(("rule", name, one.treatments, other.treatments) for name in load_rules(settings.plugins)),
        *(("column", name, one.columns, other.columns) for name in sorted({*one.columns, *other.columns})),
    ]
    found = [
        (what, name, _treated(before.get(name)), _treated(after.get(name)))
        for what, name, before, after in places
        if before.get(name) != after.get(name)
    ]
    found += [
        (what, "", {"action": "", "in_place": before}, {"action": "", "in_place": after})
        for what, before, after in (
            ("allowed", one.allowed, other.allowed),
            ("overrides", str(len(one.overrides)), str(len(other.overrides))),
        )
        if before != after
    ]
    if as_json:
        _print_json([{"what": what, "name": name, "first": a, "second": b} for what, name, a, b in found])
        return
    if not found:
        print(f"{one.name} and {other.name} treat everything alike.")
        return
    rows = [[what, name, _short(a), _short(b)] for what, name, a, b in found]
    header = ("what", "name", one.name, other.name)
    terminal.page(tables.table(header, rows, terminal.width()))


def _described(policy: Policy, rules: list[dict[str, Any]], columns: dict[str, dict[str, str]]) -> list[str]:
    lines = [f"{terminal.bold(policy.name)}: {policy.title}", *(policy.covers.splitlines() or ["It says nothing."]), ""]
    rows = [[one[key] for key in ("rule", "class", "action", "in_place", "title", "source")] for one in rules]
    lines += tables.table(RULE_COLUMNS, rows, terminal.width())
    lines += [""] if columns or policy.allowed or policy.overrides else []
    lines += [f"column {column}: {_short(treated)}" for column, treated in columns.items()]
    lines += [f"stays in any case: {policy.allowed}"] if policy.allowed else []
    for one in policy.overrides:
        changed = _override(one.collection, one.source, one.policy, policy)
        told = ", ".join(f"{name} {_short(treated)}" for name, treated in changed["differs"].items())
        lines.append(f"for collection {one.collection}, source {one.source}: {told or 'as above'}")
    return lines


def _override(collection: str, source: str, policy: Policy, base: Policy) -> dict[str, Any]:
    names = {*policy.treatments, *base.treatments}
    differs = {
        name: _treated(policy.treatments.get(name))
        for name in sorted(names)
        if policy.treatments.get(name) != base.treatments.get(name)
    }
    columns = {*policy.columns, *base.columns}
    differs |= {
        name: _treated(policy.columns.get(name))
        for name in sorted(columns)
        if policy.columns.get(name) != base.columns.get(name)
    }
    return {"collection": collection, "source": source, "differs": differs}


def _treated(treatment: Treatment | None) -> dict[str, str]:
    """The action and what stands in place of a value."""
    if treatment is None:
        return {"action": KEEP, "in_place": "the value"}
    if treatment.pseudonyms is not None:
        made = treatment.pseudonyms
        form = made.form.format(kind=made.kind, key="{key}", digest=f"{{{made.digits} hex digits}}")
        return {"action": "pseudonym", "in_place": form}
    if treatment.mask is not None:
        return {"action": "mask", "in_place": treatment.mask.shows}
    return {"action": "tag", "in_place": treatment.tag} if treatment.tag else {"action": "drop", "in_place": "nothing"}


def _short(treated: dict[str, str]) -> str:
    return f"{treated['action']} {treated['in_place']}".strip()


def _settings() -> Settings:
    from logshed.settings import Settings  # noqa: PLC0415 - heavy

    return Settings.load()


def _print_json(value: object) -> None:
    import orjson  # noqa: PLC0415 - only for --json

    print(orjson.dumps(value, option=orjson.OPT_INDENT_2).decode())
