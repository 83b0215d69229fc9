//! The connections of a listener at which nobody waits.

use std::sync::Arc;

use tokio::task::AbortHandle;

use super::activity::Activity;

/// Those that are open, the oldest first.
#[derive(Default)]
pub(super) struct Crowd(Vec<(Arc<Activity>, AbortHandle)>);

impl Crowd {
    /// Takes in the connection that `task` serves.
    pub(super) fn join(&mut self, activity: Arc<Activity>, task: AbortHandle) {
        self.0.retain(|(_, task)| !task.is_finished());
        self.0.push((activity, task));
    }

    /// Ends the connection that would be missed the least; of equals the oldest, which had its time.
    pub(super) fn make_room(&mut self) {
        self.0.retain(|(_, task)| !task.is_finished());
        let least = self.0.iter().enumerate().min_by_key(|(_, (activity, _))| activity.standing());
        if let Some((at, _)) = least {
            let (activity, task) = self.0.remove(at);
            tracing::debug!(standing = ?activity.standing(), "closed a connection to make room");
            task.abort();
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::task::JoinSet;

    use super::*;

    #[tokio::test]
    async fn who_is_busy_goes_last_and_who_has_not_shown_himself_first() {
        let mut tasks = JoinSet::new();
        let mut crowd = Crowd::default();
        let mut join = |established: bool| {
            let activity = Arc::new(Activity::default());
            if established {
                activity.establish();
            }
            let task = tasks.spawn(std::future::pending::<()>());
            crowd.join(Arc::clone(&activity), task.clone());
            (activity, task)
        };
        let [operator, idle, knocking, idle_too, knocking_too] = [true, true, false, true, false].map(&mut join);
        let underway = operator.0.begin();
        for next in [knocking, knocking_too, idle, idle_too, operator] {
            assert!(!next.1.is_finished(), "too early");
            crowd.make_room();
            tokio::task::yield_now().await;
            assert!(next.1.is_finished(), "not yet");
        }
        crowd.make_room();
        drop(underway);
    }
}
