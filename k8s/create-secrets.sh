#!/usr/bin/env bash
# Makes what the manifests refer to and never contain: passwords of the databases, the keys of S3, and where S3 is.
#
#   PHYS4D_STORAGE         s3://bucket/prefix, for runs and MLflow's artifacts
#   AWS_ACCESS_KEY_ID      with AWS_SECRET_ACCESS_KEY: keys of that bucket alone
#   AWS_SESSION_TOKEN      only for keys that have one
#   AWS_ENDPOINT_URL       of a server other than AWS
#   AWS_REGION             default: us-east-1
#   POSTGRES_PASSWORD      and POSTGRES_MLFLOW_PASSWORD, POSTGRES_PREFECT_PASSWORD; made up where not given
#
# Run it again to change keys: the S3 variables are then all wanted again, or none of them. Passwords that are there
# stay, because the databases were made with them. Values go to kubectl by its standard input, so that no list of
# processes shows them.
set -euo pipefail

namespace=phys4d  # as the manifests have it
folder=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

fail() {
  printf 'create-secrets: %s\n' "$1" >&2
  exit 78
}

exists() {  # kind, name; a cluster that cannot be asked is an error, not a no
  local found
  found=$(kubectl --namespace "$namespace" get "$1" "$2" --ignore-not-found --output name) || exit 1
  [[ -n $found ]]
}

base64_of() {
  printf '%s' "$1" | base64 | tr -d '\n'
}

made_up() {
  od -An -N24 -tx1 /dev/urandom | tr -d ' \n'
}

apply() {  # on the server's side: kubectl's own way would keep a second copy in an annotation
  kubectl --namespace "$namespace" apply --server-side --force-conflicts --field-manager create-secrets --filename -
}

secret() {  # name, then a key and a value, and so on
  local name=$1
  shift
  {
    printf 'apiVersion: v1\nkind: Secret\ntype: Opaque\nmetadata: {name: %s}\ndata:\n' "$name"
    while (($#)); do
      printf '  %s: "%s"\n' "$1" "$(base64_of "$2")"
      shift 2
    done
  } | apply
}

password() {  # name of the secret, value or nothing
  if exists secret "$1"; then
    [[ -z $2 ]] || printf 'create-secrets: %s is there and stays: change it in the database and the secret by hand\n' "$1" >&2
    return
  fi
  secret "$1" password "${2:-$(made_up)}"
}

storage() {
  [[ ${PHYS4D_STORAGE:-} =~ ^s3://[a-z0-9][a-z0-9.-]+[a-z0-9](/[A-Za-z0-9_.-]+)*$ ]] ||
    fail "PHYS4D_STORAGE: '${PHYS4D_STORAGE:-}' is wrong, expected s3://bucket/prefix"
  [[ -n ${AWS_ACCESS_KEY_ID:-} && -n ${AWS_SECRET_ACCESS_KEY:-} ]] ||
    fail "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY: set both, to keys of the bucket"
  local name
  for name in AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN AWS_ENDPOINT_URL AWS_REGION; do
    [[ ${!name:-} != *[[:space:]]* ]] || fail "$name: it has a space or a line's end in it"
  done
  local credentials config
  credentials=$(printf '[default]\naws_access_key_id = %s\naws_secret_access_key = %s\n%s' "$AWS_ACCESS_KEY_ID" \
    "$AWS_SECRET_ACCESS_KEY" "${AWS_SESSION_TOKEN:+aws_session_token = $AWS_SESSION_TOKEN}")
  config=$(printf '[default]\nregion = %s\n%s' "${AWS_REGION:-us-east-1}" "${AWS_ENDPOINT_URL:+endpoint_url = $AWS_ENDPOINT_URL}")
  secret s3 credentials "$credentials"$'\n' config "$config"$'\n'
  printf 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: storage}\ndata:\n  uri: "%s"\n' "$PHYS4D_STORAGE" | apply
}

command -v kubectl > /dev/null || fail "kubectl is not on the PATH"
kubectl apply --filename "$folder/00-namespace.yaml"
password postgres-admin "${POSTGRES_PASSWORD:-}"
password postgres-mlflow "${POSTGRES_MLFLOW_PASSWORD:-}"
password postgres-prefect "${POSTGRES_PREFECT_PASSWORD:-}"
if [[ -n ${PHYS4D_STORAGE:-}${AWS_ACCESS_KEY_ID:-}${AWS_SECRET_ACCESS_KEY:-} ]] || ! exists secret s3 || ! exists configmap storage; then
  storage
fi
