//! How much memory hashes may take together.
//!
//! A hash takes what it demands, and whose it is decides a stranger who types names. As many at once as there
//! are cores may be more than the pod has: the kernel would end it, and those who wait with it, and the next one the same way.

use std::fs;
use std::path::Path;

use crate::tenant::password_cost::PasswordCost;

/// Where cgroups of version 2 are mounted.
const CGROUPS: &str = "/sys/fs/cgroup";

/// In KiB: half of what the process may have, for everything else takes some too; where it has no bound, what
/// `parallel` of the dearest hashes take. One of these always fits.
pub(super) fn of_this_process(parallel: usize) -> usize {
    let own = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let limit = fs::read_to_string(Path::new(CGROUPS).join(folder(&own)).join("memory.max"));
    budget(limit.ok().and_then(|limit| bytes(&limit)), parallel)
}

/// The cgroup of version 2 in `/proc/self/cgroup`, below the mount. In a container it is the root of what is seen there.
fn folder(own: &str) -> &str {
    own.lines().find_map(|line| line.strip_prefix("0::/")).unwrap_or_default()
}

/// None of `max`.
fn bytes(limit: &str) -> Option<u64> {
    limit.trim_ascii().parse().ok()
}

fn budget(limit: Option<u64>, parallel: usize) -> usize {
    let dearest = PasswordCost::MOST.memory() as usize;
    let all = dearest.saturating_mul(parallel.max(1));
    let half = limit.map_or(usize::MAX, |bytes| usize::try_from(bytes / 2 / 1024).unwrap_or(usize::MAX));
    half.clamp(dearest, all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_take_half_of_what_there_is_at_most_and_one_always_fits() {
        let mebibytes = |many: u64| Some(many << 20);
        assert_eq!(budget(mebibytes(512), 8), 256 * 1024);
        assert_eq!(budget(mebibytes(512), 2), 128 * 1024, "no more than the cores can use");
        assert_eq!(budget(mebibytes(32), 8), 64 * 1024);
        assert_eq!(budget(None, 8), 8 * 64 * 1024);
        assert_eq!(budget(None, 0), 64 * 1024);
    }

    #[test]
    fn the_kernels_files_are_read() {
        assert_eq!(bytes("536870912\n"), Some(512 << 20));
        assert_eq!(bytes("max\n"), None);
        assert_eq!(folder("0::/\n"), "");
        assert_eq!(folder("3:cpu:/x\n0::/system.slice/claviger.service\n"), "system.slice/claviger.service");
        assert_eq!(folder("4:memory:/docker/1\n"), "");
    }
}
