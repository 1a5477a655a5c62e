"""``logshed rules``: lists, shows, tests, adds, lints, tries and switches detection rules."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - typer reads the annotations
from typing import TYPE_CHECKING, Annotated, Any

import typer

from logshed.cli import charts, tables, terminal
from logshed.cli.commands import FAILED, JsonOption, LakeOption, add

if TYPE_CHECKING:
    from logshed.detections.model import Rule

NameArgument = Annotated[str, typer.Argument(metavar="RULE", help="The rule's name.")]
GlobArgument = Annotated[
    list[str] | None,
    typer.Argument(metavar="[GLOB]…", help="Names or globs; all rules unless given.", show_default=False),
]
COLUMNS = ("rule", "level", "confidence", "kind", "log source", "title", "author")


def register(app: typer.Typer) -> None:
    """Add the group of commands."""
    group = typer.Typer(help="List, test and try detection rules.", no_args_is_help=True, rich_markup_mode=None)
    add(group, "list", list_rules, examples=("logshed rules list", "logshed rules list 'web_*' --json"))
    add(
        group,
        "show",
        show,
        examples=("logshed rules show ssh_brute_force", "logshed rules show web_sql_injection --sql"),
    )
    add(group, "test", test_rules, examples=("logshed rules test", "logshed rules test my_rule"))
    add(group, "add", add_rules, examples=("logshed rules add sigma/rules/web", "logshed rules add sigma_core.zip"))
    add(group, "lint", lint, examples=("logshed rules lint 'my_*'",))
    add(group, "backtest", backtest, examples=("logshed rules backtest web_sql_injection --since 30d",))
    add(group, "disable", disable, examples=("logshed rules disable web_crawl --reason 'our own crawler'",))
    add(
        group,
        "enable",
        enable,
        examples=("logshed rules enable web_crawl", "logshed rules enable --as-settings web_crawl"),
    )
    app.add_typer(group, name="rules")


def list_rules(globs: GlobArgument = None, *, as_json: JsonOption = False) -> None:
    """List the rules that can run, and the files that cannot."""
    loaded, rules = _chosen(globs)
    if as_json:
        _print_json([_about(rule) for rule in rules])
    else:
        rows = [
            [row[name] for name in ("name", "level", "confidence", "kind", "logsource", "title", "author")]
            for row in map(_about, rules)
        ]
        terminal.page(tables.table(COLUMNS, rows, terminal.width()))
        print(f"{len(rules):,} rules.")
    _tell_broken(loaded.broken)


def show(
    name: NameArgument,
    *,
    sql: Annotated[bool, typer.Option("--sql", help="Print it as a statement over `logs`.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Show a rule: what it finds, why, and its source."""
    from logshed.detections import registry  # noqa: PLC0415 - heavy
    from logshed.pipeline.rule_scan import statement  # noqa: PLC0415 - heavy
    from logshed.settings import Settings  # noqa: PLC0415 - heavy

    rule = registry.rule(name, Settings.load().plugins)
    if sql:
        print("\n\n".join(f"-- {one.title}\n{statement(one)}" for one in (rule.bases or (rule,))))
    elif as_json:
        _print_json(_about(rule) | {"description": rule.description, "source": rule.text})
    else:
        print(rule.text.rstrip())


def test_rules(globs: GlobArgument = None, *, as_json: JsonOption = False) -> None:
    """Run the cases inside rules: what each must find, and what it must not. Exit code 1 where one fails."""
    from logshed.pipeline.rule_cases import run  # noqa: PLC0415 - heavy

    loaded, rules = _chosen(globs)
    outcomes = run(rules)
    wrong = [one for one in outcomes if not one.ok]
    if as_json:
        _print_json([{"rule": one.rule, "case": one.case.title, "ok": one.ok} for one in outcomes])
    else:
        for one in wrong:
            print(one)
        without = sum(not rule.cases for rule in rules)
        print(
            f"{len(outcomes) - len(wrong):,} of {len(outcomes):,} cases of {len(rules):,} rules came as they should"
            + (f"; {without:,} rules have none." if without else ".")
        )
    _tell_broken(loaded.broken)
    if wrong:
        raise typer.Exit(FAILED)


def add_rules(
    source: Annotated[
        Path, typer.Argument(metavar="DIR|ZIP|FILE", help="Sigma rules (.yml), in folders or in a zip file.")
    ],
    *,
    as_json: JsonOption = False,
) -> None:
    """Take Sigma rules of others into your own folder; those that cannot run here are told and left.

    Rules keep their author and licence, which every finding names: SigmaHQ's (DRL 1.1) want that.
    """
    from logshed.detections.adding import add_from  # noqa: PLC0415 - heavy
    from logshed.settings import Settings  # noqa: PLC0415 - heavy

    added = add_from(source, Settings.load().plugins)
    if as_json:
        _print_json({"added": added.added, "refused": added.refused, "folder": str(added.folder)})
        return
    for name, reason in sorted(added.refused.items()):
        print(f"left {name}: {reason}")
    print(
        f"Added {len(added.added):,} rules to {added.folder}"
        + (f"; {len(added.refused):,} were left." if added.refused else ".")
    )


def lint(globs: GlobArgument = None, *, as_json: JsonOption = False) -> None:
    """Look for what is likely wrong: unknown fields, conditions that never hold or always do. Exit code 1 on a find."""
    from logshed.pipeline.rule_lint import problems  # noqa: PLC0415 - heavy

    loaded, rules = _chosen(globs)
    found = {rule.name: told for rule in rules if (told := problems(rule))}
    if as_json:
        _print_json(found | loaded.broken)
    else:
        for name, sentences in found.items():
            for sentence in sentences:
                print(f"{name}: {sentence}")
        print(f"{len(rules) - len(found):,} of {len(rules):,} rules look sound.")
    _tell_broken(loaded.broken)
    if found or loaded.broken:
        raise typer.Exit(FAILED)


def backtest(
    name: NameArgument,
    *,
    since: Annotated[str, typer.Option(help="How far back: 30d, 2026-01-01, all.")] = "30d",
    until: Annotated[str | None, typer.Option(help="First moment after.", show_default=False)] = None,
    lake: LakeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Try a rule on what the lake holds: hits a day, who made the most, sample records, the share of all records."""
    from logshed.api import Lake  # noqa: PLC0415 - heavy

    found = Lake.open(lake).security.backtest(name, since=since, until=until)
    if as_json:
        _print_json(found.as_dict())
        return
    print(
        terminal.bold(
            f"{name}: {found.hits:,} hits in {found.rows:,} records ({found.share:.4%}), {found.findings:,} findings"
        )
    )
    for title, pairs in (("Hits by day", found.days), ("By actor", found.actors)):
        if pairs:
            print(f"\n{title}")
            for line in charts.bars(
                [str(one) for one, _ in pairs], [hits for _, hits in pairs], width=terminal.width() or 80
            ):
                print(line)
    if found.samples:
        print("\nSample records, with the fields that the rule looks at")
        for sample in found.samples:
            print("  " + "  ".join(f"{terminal.bold(key)}={_cell(value)}" for key, value in sample.items()))


def disable(
    name: NameArgument,
    *,
    reason: Annotated[str, typer.Option(help="Why.")] = "",
    lake: LakeOption = None,
) -> None:
    """Switch a rule, an anomaly detector or a check off in a lake, whatever the settings say."""
    _switch(lake, name, on=False, reason=reason)


def enable(
    name: NameArgument,
    *,
    reason: Annotated[str, typer.Option(help="Why.")] = "",
    as_settings: Annotated[bool, typer.Option("--as-settings", help="Let the settings decide again.")] = False,
    lake: LakeOption = None,
) -> None:
    """Switch it on again, whatever the settings say."""
    _switch(lake, name, on=None if as_settings else True, reason=reason)


def _switch(path: Path | None, name: str, *, on: bool | None, reason: str) -> None:
    from logshed.api import Lake  # noqa: PLC0415 - heavy

    opened = Lake.open(path)
    opened.security.switch(name, on=on, reason=reason)
    print(f"{name} is {'on' if opened.security.switches().on(name) else 'off'}.")


def _cell(value: object) -> str:
    from logshed.cli.cells import shown  # noqa: PLC0415 - rich, only for people

    return shown(value)


def _chosen(globs: list[str] | None) -> tuple[Any, list[Rule]]:
    from logshed.detections import registry  # noqa: PLC0415 - heavy
    from logshed.errors import DetectionError  # noqa: PLC0415 - only here
    from logshed.pipeline.switches import chosen  # noqa: PLC0415 - heavy
    from logshed.settings import Settings  # noqa: PLC0415 - heavy

    loaded = registry.load(Settings.load().plugins)
    rules = list(chosen(loaded.rules, globs or ()).values())
    if globs and not rules and not loaded.broken:
        raise DetectionError(f"cannot find a rule {' '.join(globs)}: there is none; `logshed rules list` shows them")
    return loaded, rules


def _about(rule: Rule) -> dict[str, Any]:
    from logshed.pipeline.rule_book import kind_of  # noqa: PLC0415 - heavy

    return {
        "name": rule.name,
        "id": rule.id,
        "title": rule.title,
        "level": rule.level,
        "confidence": rule.confidence,
        "kind": kind_of(rule),
        "logsource": rule.logsource,
        "technique": rule.techniques,
        "author": rule.author,
        "license": rule.license,
        "version": rule.version,
        "status": rule.status,
        "cases": len(rule.cases),
        "file": rule.file,
    }


def _tell_broken(broken: dict[str, str]) -> None:
    for reason in broken.values():
        typer.echo(f"warning: {reason}", err=True)


def _print_json(value: object) -> None:
    import orjson  # noqa: PLC0415 - only for --json

    print(orjson.dumps(value, option=orjson.OPT_INDENT_2, default=str).decode())
