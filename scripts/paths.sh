# Where things are; sourced by the other scripts. Everything that is built or fetched for tests
# lives outside the tree, keyed by what made it, so that a second run has nothing to do.
# shellcheck shell=bash disable=SC2034
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/claviger
modules=$root/tests/controlplane

# controlplane_bin: the folder of the Kubernetes programs for the versions that go.mod names now.
controlplane_bin() {
  local key
  if [ -n "${KUBEBUILDER_ASSETS:-}" ]; then
    echo "$KUBEBUILDER_ASSETS"
    return
  fi
  key=$(cat "$modules"/{kubernetes,helm,coredns}/go.mod "$modules/coredns/main.go" | sha256sum | cut -c1-12)
  echo "$cache/controlplane-$key/bin"
}

# python_bin: the folder of the Python environment with the token verifier's pinned packages.
python_bin() {
  echo "$cache/verifier-$(sha256sum <"$root/tests/verifier/requirements.txt" | cut -c1-12)/bin"
}

# verifier_program: the verifier in Go, for its sources of now.
verifier_program() {
  echo "$cache/verifier-go-$(cd "$root/tests/verifier/go" && cat ./* | sha256sum | cut -c1-12)/keep_verifying"
}

# clients_built: the folder of the clients in other languages, for their sources of now.
clients_built() {
  echo "$cache/clients-$(cd "$root/tests/clients" && cat python/requirements.txt javascript/* go/* java/* rust/Cargo.* rust/src/* | sha256sum | cut -c1-12)"
}

# locked NAME CMD...: one at a time on this machine. The lock goes away with its holder.
locked() {
  local name=$1
  shift
  mkdir -p "$cache"
  (
    exec 9>"$cache/$name.lock"
    flock -n 9 || {
      echo "$name: waiting for another build of the same" >&2
      flock 9
    }
    "$@" 9>&-
  )
}
