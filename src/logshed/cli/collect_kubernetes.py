"""``logshed collect kubernetes``: the logs of all containers of all pods that match, by reading the cluster's API."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from logshed.cli.collecting import CollectionOption, FollowOption, IntoLakeOption, run
from logshed.cli.commands import JsonOption, LakeOption, add
from logshed.errors import UsageError

EXAMPLES = (
    "logshed collect kubernetes --namespace shop --follow --into-lake",
    "logshed collect kubernetes --context prod -l app=checkout --since 24h --save k8s_logs.jsonl",
    "logshed collect kubernetes --all-containers --previous --into-lake",
)
KubeconfigOption = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="The kubeconfig; KUBECONFIG or ~/.kube/config unless set.", show_default=False),
]
SaveOption = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Append to a file of JSON lines, redacted.", show_default=False)
]


def register(group: typer.Typer) -> None:
    """Add the command."""
    add(group, "kubernetes", kubernetes, examples=EXAMPLES, logs=True)


def kubernetes(
    *,
    context: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Context in the kubeconfig; the current one unless set.", show_default=False),
    ] = None,
    kubeconfig: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="The kubeconfig; KUBECONFIG or ~/.kube/config unless set.", show_default=False
        ),
    ] = None,
    namespace: Annotated[
        list[str] | None,
        typer.Option(
            "--namespace", "-n", metavar="NAME", help="Namespace, all unless set; may be repeated.", show_default=False
        ),
    ] = None,
    selector: Annotated[
        str | None,
        typer.Option("--selector", "-l", metavar="LABELS", help="Pods with these labels.", show_default=False),
    ] = None,
    since: Annotated[
        str | None,
        typer.Option(metavar="WHEN", help="First moment (24h, 2026-01-05); all that is there.", show_default=False),
    ] = None,
    all_containers: Annotated[
        bool, typer.Option("--all-containers", help="Init and ephemeral containers too, not only those that stay.")
    ] = False,
    follow: FollowOption = False,
    previous: Annotated[
        bool, typer.Option("--previous", help="Begin with the run before the current one, where a container restarted.")
    ] = False,
    into_lake: IntoLakeOption = False,
    save: SaveOption = None,
    collection: CollectionOption = None,
    lake: LakeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Collect the logs of every container of every matching pod, new ones too, by reading the API and nothing else.

    Running it again goes on where it was: nothing is taken twice, and nothing is missed that the cluster still has.
    """
    from logshed.pipeline.planning import Options  # noqa: PLC0415 - heavy
    from logshed.queries.times import moment  # noqa: PLC0415 - only for this
    from logshed.settings import Settings  # noqa: PLC0415 - heavy
    from logshed.sources.kubernetes import KubernetesFeed  # noqa: PLC0415 - heavy
    from logshed.sources.kubernetes_wanted import Wanted  # noqa: PLC0415 - as above

    if save and into_lake:
        raise UsageError("cannot use --save with --into-lake: lines go to one of them; run it once for each")
    settings = Settings.load()
    zone = settings.timezone or "UTC"
    begin = moment(since, now=datetime.now(UTC), timezone=zone) if since else None
    feeds = [
        KubernetesFeed(
            Wanted(
                context=context or "",
                kubeconfig=str(kubeconfig or ""),
                namespace=one,
                selector=selector or "",
                since=begin,
                every=all_containers,
                follow=follow,
                previous=previous,
            )
        )
        for one in dict.fromkeys(namespace or [""])
    ]
    options = Options(collection=collection or settings.collection, timezone=settings.timezone)
    run(feeds, settings, options, into_lake=into_lake, lake=lake, as_json=as_json, save=save)
