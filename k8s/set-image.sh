#!/usr/bin/env bash
# Writes the image of Phys4D into the manifests: k8s/set-image.sh registry.example/phys4d@sha256:...
set -euo pipefail

image=${1:-}
if [[ ! $image =~ ^[a-z0-9][a-z0-9._/:-]*(@sha256:[0-9a-f]{64}|:[A-Za-z0-9_][A-Za-z0-9_.-]*)$ || $image == *:latest ]]; then
  printf "set-image: '%s' is wrong, expected an image with a digest or a tag other than latest\n" "$image" >&2
  exit 78
fi
cd "$(dirname "${BASH_SOURCE[0]}")"
# the lines are those that say so; the reference is their last word before that
sed -E -i "s|[^ \"]+(\"?\}?  # k8s/set-image.sh)\$|$image\1|" [0-9]*.yaml
