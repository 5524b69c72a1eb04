#!/usr/bin/env bash
# What checkov says of the manifests as they are applied (an image by digest), of Jobs of every kind, and of the
# Dockerfile. `make k8s-lint` gives it an environment of its own, for its packages do not go with ours:
# k8s/lint.sh PYTHON CHECKOV. Exceptions of one object stand in its annotations.
set -euo pipefail

python=$1 checkov=$2
cd "$(dirname "${BASH_SOURCE[0]}")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp -R k8s "$work/k8s"
image=registry.example/phys4d@sha256:$(printf '0%.0s' {1..64})
"$work/k8s/set-image.sh" "$image"
"$python" -m tests.cluster.objects "$image" > "$work/k8s/jobs.yaml"
# CKV_K8S_15, to pull an image always: it is named by digest, and a registry that is away shall stop no restart.
"$checkov" --quiet --compact --skip-download --framework kubernetes --skip-check CKV_K8S_15 --directory "$work/k8s"
"$checkov" --quiet --compact --skip-download --framework dockerfile --file Dockerfile
