"""``logshed policy``: what redaction policies there are, what each does, and whether they and their rules are sound."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from logshed.cli import tables, terminal
from logshed.cli.cells import shown
from logshed.cli.commands import FAILED, JsonOption, add

if TYPE_CHECKING:
    from logshed.settings import Settings

Name = Annotated[str, typer.Argument(metavar="NAME|FILE", help="A policy's name, or a policy file.")]
RULE_COLUMNS = ("rule", "class", "action", "in its place", "what it finds", "check from")
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
    from logshed.redaction.describing import described  # noqa: PLC0415 - heavy

    found = described(name, _settings().plugins)
    if as_json:
        _print_json(found)
        return
    terminal.page(_described(found))


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
    from logshed.redaction.describing import differences  # noqa: PLC0415 - heavy

    found = differences(first, second, _settings().plugins)
    if as_json:
        _print_json(found)
        return
    if not found:
        print(f"{first} and {second} treat everything alike.")
        return
    rows = [[one["what"], one["name"], _short(one["first"]), _short(one["second"])] for one in found]
    terminal.page(tables.table(("what", "name", first, second), rows, terminal.width()))


def _described(found: dict[str, Any]) -> list[str]:
    covers = found["covers"].splitlines() or ["It says nothing."]
    lines = [f"{terminal.bold(found['name'])}: {found['title']}", *covers, ""]
    rows = [[one[key] for key in ("rule", "class", "action", "in_place", "title", "source")] for one in found["rules"]]
    lines += tables.table(RULE_COLUMNS, rows, terminal.width())
    lines += [""] if found["columns"] or found["allowed"] or found["overrides"] else []
    lines += [f"column {column}: {_short(treated)}" for column, treated in found["columns"].items()]
    lines += [f"stays in any case: {found['allowed']}"] if found["allowed"] else []
    for one in found["overrides"]:
        told = ", ".join(f"{name} {_short(treated)}" for name, treated in one["differs"].items())
        lines.append(f"for collection {one['collection']}, source {one['source']}: {told or 'as above'}")
    return lines


def _short(treated: dict[str, str]) -> str:
    return f"{treated['action']} {treated['in_place']}".strip()


def _settings() -> Settings:
    from logshed.settings import Settings  # noqa: PLC0415 - heavy

    return Settings.load()


def _print_json(value: object) -> None:
    import orjson  # noqa: PLC0415 - only for --json

    print(orjson.dumps(value, option=orjson.OPT_INDENT_2).decode())
