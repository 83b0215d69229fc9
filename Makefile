# One command set for people and CI. What each needs beside Rust and Go is found or installed by
# scripts/tools; what is built for tests lives in ~/.cache/claviger.
.PHONY: help run test test-fast test-cluster soak model bench fmt generate check-generated control-plane
.DEFAULT_GOAL := help
EXAMPLE := quickstart
claviger := cargo build --quiet --locked --workspace --bin claviger && $${CARGO_TARGET_DIR:-target}/debug/claviger

help:             ## this list
	@sed -n 's/^\([a-z-]*\): *## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 24

run:              ## serve examples/quickstart (or EXAMPLE=applications) on 127.0.0.1:8080, no cluster needed
	cargo run --locked --profile quick -p claviger -- dev examples/$(EXAMPLE)

test:             ## every check but the cluster's: style, licences, unit, HTTP, control plane, browser
	scripts/test

test-fast:        ## the checks that need no server
	scripts/test --fast

test-cluster:     ## the tests on a real one-node cluster; needs root
	scripts/tools cluster
	scripts/test-cluster

soak:             ## 10,000 key rotations under fire, every token verified by others; ARGS='promotions=500 rings=2'
	scripts/tools
	scripts/soak $(ARGS)

# Optimised, a case takes a thirtieth of the time; in a target folder of its own, so that nothing else is built again.
model:            ## other cases of the model of key rotation than the tests have; SEED=7 CASES=600
	PROPTEST_RNG_SEED=$(or $(SEED),$(shell date +%s)) PROPTEST_CASES=$(or $(CASES),600) RUST_BACKTRACE=0 \
	  CARGO_TARGET_DIR=$${CARGO_TARGET_DIR:-target}/model CARGO_PROFILE_DEV_OPT_LEVEL=2 CARGO_PROFILE_DEV_DEBUG=false \
	  cargo test --locked -p claviger-operator --lib -- rotation::tests::model

bench:            ## the benchmarks
	scripts/tools bench
	scripts/bench

control-plane:    ## an API server to try things on by hand, until Ctrl-C
	cargo run --quiet --locked -p claviger-tests --bin control_plane

fmt:              ## format all code
	cargo fmt --all

generate:         ## write what is made from the code: the chart's CustomResourceDefinitions, their page in docs/
	$(claviger) crds --out charts/claviger/files/crds
	$(claviger) crds --markdown >docs/reference/custom-resources.md

check-generated:  ## fail when `make generate` would change something
	scripts/check generated
