#!/usr/bin/env bash
# Brings into the cluster what Terraform's outputs say is to be there: namespaces, releases of Helm, other objects.
#   ./kubernetes.sh up      install or bring up to date; what a switch has turned off is removed
#   ./kubernetes.sh down    remove it, disks too, so that `terraform destroy` leaves nothing behind
#   ./kubernetes.sh show    print what `up` would run, and change nothing
set -euo pipefail
cd "$(dirname "$0")"
what=${1:?up, down or show}

fail() {
    echo "cannot $what: $1; $2" >&2
    exit 1
}

for tool in terraform jq; do
    command -v "$tool" >/dev/null || fail "$tool is not installed" "install it"
done
if [ "$what" != show ]; then
    # helm uninstall takes --ignore-not-found from 3.14 on.
    for tool in helm kubectl; do
        command -v "$tool" >/dev/null || fail "$tool is not installed" "install it"
    done
fi

out() { terraform output -raw "$1"; }

run() {
    if [ "$what" = show ]; then
        printf '%q ' "$@"
        echo
    else
        "$@"
    fi
}

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
out namespaces >"$folder/namespaces.json" || fail "there are no outputs" "make apply first"
out releases >"$folder/releases.json"
out objects >"$folder/objects.json"
# By name, so that nothing is done to whichever cluster kubectl happens to speak to.
context=$(out cluster_arn)
project=$(jq -r '.items[0].metadata.labels["app.kubernetes.io/part-of"]' "$folder/namespaces.json")

releases() { jq -r '.[] | [.name, .namespace, .repository, .chart, .version] | @tsv' "$folder/releases.json"; }

# Kinds that a switch may turn off.
pruned() {
    printf -- '--prune-allowlist=%s\n' core/v1/Service core/v1/ServiceAccount core/v1/ConfigMap apps/v1/Deployment apps/v1/StatefulSet \
        networking.k8s.io/v1/NetworkPolicy policy/v1/PodDisruptionBudget external-secrets.io/v1/ExternalSecret \
        sparkoperator.k8s.io/v1beta2/SparkApplication sparkoperator.k8s.io/v1beta2/ScheduledSparkApplication
}

up() {
    run kubectl --context "$context" apply -f "$folder/namespaces.json"
    while IFS=$'\t' read -r name namespace repository chart version; do
        jq --arg name "$name" '.[] | select(.name == $name) | .values' "$folder/releases.json" >"$folder/$name.json"
        run helm upgrade --install "$name" "$chart" --kube-context "$context" --repo "$repository" --version "$version" \
            --namespace "$namespace" --create-namespace --values "$folder/$name.json" --wait --timeout 10m
    done < <(releases)
    mapfile -t kinds < <(pruned)
    run kubectl --context "$context" apply -f "$folder/objects.json" --prune -l "app.kubernetes.io/part-of=$project,app.kubernetes.io/managed-by=terraform" "${kinds[@]}"
}

down() {
    mapfile -t namespaces < <(jq -r '.items[].metadata.name' "$folder/namespaces.json")
    run kubectl --context "$context" delete -f "$folder/objects.json" --ignore-not-found --wait
    for namespace in "${namespaces[@]}"; do
        # A claim outlives its StatefulSet, and its disk the cluster.
        run kubectl --context "$context" delete persistentvolumeclaims --all --namespace "$namespace" --ignore-not-found --wait
    done
    while IFS=$'\t' read -r name namespace _; do
        run helm uninstall "$name" --kube-context "$context" --namespace "$namespace" --ignore-not-found --wait
    done < <(releases | tac)
    run kubectl --context "$context" delete -f "$folder/namespaces.json" --ignore-not-found --wait
}

case $what in
    up | show) up ;;
    down) down ;;
    *) fail "there is no $what" "write up, down or show" ;;
esac
