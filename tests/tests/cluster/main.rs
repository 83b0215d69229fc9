//! Tests on a real one-node cluster, one behaviour a module. `scripts/test-cluster` starts it and
//! runs them inside, one after the other: they share a release of the chart, and each begins
//! by bringing it into order (`release`). See ../../README.md.

mod alerts;
mod release;
mod service;

mod an_uninstalled_release_comes_back_with_its_keys;
mod every_object_of_the_quickstart_becomes_ready;
mod logins_are_no_pods;
mod nobody_may_do_more_than_he_needs;
mod operator_pods_are_replaced;
mod provider_pods_are_replaced;
mod the_chart_refuses_what_cannot_work;
mod tokens_are_good_for_others;
