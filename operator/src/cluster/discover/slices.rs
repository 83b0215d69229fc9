//! EndpointSlices to addresses: pure.

use std::collections::BTreeMap;

use k8s_openapi::api::discovery::v1::{Endpoint, EndpointPort, EndpointSlice};

use super::Target;

/// The name of the acknowledgement port in the Service; a Service with one port needs none.
pub(super) const PORT: &str = "acknowledgements";

/// Whom the slices name, by the Pod's UID or else by address. A Pod of two address families stands
/// in two slices and is one target.
pub(super) fn targets<'a>(slices: impl Iterator<Item = &'a EndpointSlice>) -> BTreeMap<String, Target> {
    let mut targets: BTreeMap<String, Target> = BTreeMap::new();
    // While a Pod moves from one slice to another it may stand in both: what says that it serves wins.
    for (key, target) in slices.flat_map(of_slice) {
        let better = targets.get(&key).is_none_or(|before| {
            let rank = |target: &Target| (!target.serving, target.address.starts_with('['), target.address.clone());
            rank(&target) < rank(before)
        });
        if better {
            targets.insert(key, target);
        }
    }
    targets
}

fn of_slice(slice: &EndpointSlice) -> Vec<(String, Target)> {
    let Some(port) = port(slice.ports.as_deref().unwrap_or_default()) else { return Vec::new() };
    let six = slice.address_type == "IPv6";
    slice.endpoints.iter().filter_map(|endpoint| of_endpoint(endpoint, port, six)).collect()
}

fn of_endpoint(endpoint: &Endpoint, port: i32, six: bool) -> Option<(String, Target)> {
    // The addresses of one endpoint are interchangeable.
    let host = endpoint.addresses.first()?;
    let address = if six { format!("[{host}]:{port}") } else { format!("{host}:{port}") };
    // Unknown counts as serving, as the API has it.
    let serving = endpoint.conditions.as_ref().and_then(|conditions| conditions.serving).unwrap_or(true);
    let pod = endpoint.target_ref.as_ref().filter(|target| target.kind.as_deref() == Some("Pod"));
    let key = pod.and_then(|pod| pod.uid.clone()).unwrap_or_else(|| address.clone());
    let name = pod.and_then(|pod| pod.name.clone()).unwrap_or_else(|| address.clone());
    Some((key, Target { name, address, serving }))
}

fn port(ports: &[EndpointPort]) -> Option<i32> {
    let named = ports.iter().find(|port| port.name.as_deref() == Some(PORT));
    let port = match (named, ports) {
        (Some(named), _) => named,
        (None, [only]) => only,
        _ => return None,
    };
    port.port
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn slice(family: &str, endpoints: Value) -> EndpointSlice {
        serde_json::from_value(json!({
            "metadata": {"name": "s", "namespace": "claviger-system"},
            "addressType": family,
            "ports": [{"name": "http", "port": 8080}, {"name": "acknowledgements", "port": 9443}],
            "endpoints": endpoints,
        }))
        .unwrap()
    }

    fn pod(uid: &str, address: &str, conditions: Value) -> Value {
        let target = json!({"kind": "Pod", "name": format!("provider-{uid}"), "uid": uid});
        json!({"addresses": [address], "conditions": conditions, "targetRef": target})
    }

    #[test]
    fn a_pod_that_ends_still_serves_and_one_that_starts_does_not() {
        let ending = json!({"ready": false, "serving": true, "terminating": true});
        let starting = json!({"ready": false, "serving": false, "terminating": false});
        let slices = [slice("IPv4", json!([pod("a", "10.0.0.1", ending), pod("b", "10.0.0.2", starting)]))];
        let seen = targets(slices.iter());
        assert_eq!(seen["a"].address, "10.0.0.1:9443");
        assert!(seen["a"].serving && !seen["b"].serving);
        assert_eq!(seen["a"].name, "provider-a");
    }

    #[test]
    fn serving_that_is_not_said_counts() {
        let slices = [slice("IPv4", json!([{"addresses": ["10.0.0.9"]}]))];
        assert!(targets(slices.iter())["10.0.0.9:9443"].serving);
    }

    #[test]
    fn a_pod_of_two_address_families_is_dialed_once() {
        let both = [
            slice("IPv6", json!([pod("a", "fd00::1", json!({}))])),
            slice("IPv4", json!([pod("a", "10.0.0.1", json!({}))])),
        ];
        assert_eq!(targets(both.iter()).len(), 1);
        assert_eq!(targets(both.iter())["a"].address, "10.0.0.1:9443");
        assert_eq!(targets(both[..1].iter())["a"].address, "[fd00::1]:9443");
    }

    #[test]
    fn a_service_whose_port_cannot_be_told_names_nobody() {
        let mut slice = slice("IPv4", json!([pod("a", "10.0.0.1", json!({}))]));
        slice.ports.as_mut().unwrap()[1].name = Some("other".to_owned());
        assert!(targets([&slice].into_iter()).is_empty());
        slice.ports.as_mut().unwrap().remove(0);
        assert_eq!(targets([&slice].into_iter())["a"].address, "10.0.0.1:9443");
    }
}
