use std::time::Duration;

use claviger_crds::names::ObjectName;
use claviger_crds::published::acknowledgement::{HEARTBEAT, PROTOCOL};
use claviger_crds::published::{Content, Document, UserDocument};
use futures::StreamExt as _;
use futures::stream::BoxStream;

use super::*;

fn stored(name: &str, revision: u64) -> Stored {
    let user = UserDocument {
        subject: name.to_owned(),
        username: name.to_owned(),
        claims: BTreeMap::new(),
        groups: Vec::new(),
        password_hash: None,
        password_source: None,
        disabled: false,
        sessions_not_before: None,
    };
    let document = Document::serving("acme", ObjectName::new("identity", name), Content::User(user));
    Stored { name: name.to_owned(), revision, digest: Digest::of(format!("{name}{revision}").as_bytes()), document }
}

fn told(stored: &Stored) -> acknowledgement::Served {
    told_since(stored, stored.revision)
}

/// What is told of a document whose first revision was `first`.
fn told_since(stored: &Stored, first: u64) -> acknowledgement::Served {
    let Stored { name, revision, digest, .. } = stored;
    let (revision, digest, revoked, revoked_secrets) = (*revision, *digest, BTreeSet::new(), Vec::new());
    acknowledgement::Served { name: name.clone(), revision, digest, first, revoked, revoked_secrets }
}

fn subscribe(served: &Arc<Served>) -> BoxStream<'static, Frame> {
    let pod = Pod { name: "provider-0".to_owned(), uid: "uid-0".to_owned() };
    Arc::clone(served).subscribe(pod, || Timestamp::UNIX_EPOCH).boxed()
}

/// The next frame that is there without waiting.
async fn now(stream: &mut BoxStream<'static, Frame>) -> Option<Frame> {
    tokio::time::timeout(Duration::from_millis(1), stream.next()).await.ok().flatten()
}

async fn all_now(stream: &mut BoxStream<'static, Frame>) -> Vec<Frame> {
    let mut frames = Vec::new();
    while let Some(frame) = now(stream).await {
        frames.push(frame);
    }
    frames
}

fn hello(served: &Served) -> Frame {
    Frame::Hello {
        protocol: PROTOCOL,
        pod: "provider-0".to_owned(),
        uid: "uid-0".to_owned(),
        process: served.process.clone(),
        now: Timestamp::UNIX_EPOCH,
    }
}

#[tokio::test(start_paused = true)]
async fn a_subscriber_hears_who_then_everything_then_changes() {
    let served = Arc::new(Served::new());
    let (a, b) = (stored("a", 1), stored("b", 4));
    served.record(&a);
    served.record(&b);
    served.refuse("c", "no sense");
    served.loaded();
    let mut stream = subscribe(&served);
    assert_eq!(
        all_now(&mut stream).await,
        [
            hello(&served),
            Frame::Serving { documents: vec![told(&a), told(&b)] },
            Frame::Refused {
                documents: vec![acknowledgement::Refused { name: "c".to_owned(), reason: "no sense".to_owned() }]
            },
            Frame::Synced,
        ]
    );
    let newer = stored("a", 2);
    served.record(&newer);
    served.drop_document("b");
    assert_eq!(
        all_now(&mut stream).await,
        [Frame::Serving { documents: vec![told_since(&newer, 1)] }, Frame::Dropped { names: vec!["b".to_owned()] }]
    );
}

#[tokio::test(start_paused = true)]
async fn everything_is_not_said_to_be_told_before_everything_is_loaded() {
    let served = Arc::new(Served::new());
    let a = stored("a", 1);
    let mut stream = subscribe(&served);
    served.record(&a);
    assert_eq!(all_now(&mut stream).await, [hello(&served), Frame::Serving { documents: vec![told(&a)] }]);
    served.loaded();
    assert_eq!(all_now(&mut stream).await, [Frame::Synced]);
}

#[tokio::test(start_paused = true)]
async fn the_same_again_is_no_change() {
    let served = Arc::new(Served::new());
    served.record(&stored("a", 1));
    served.refuse("b", "no sense");
    let mut stream = subscribe(&served);
    assert_eq!(all_now(&mut stream).await.len(), 3);
    served.record(&stored("a", 1));
    served.refuse("b", "no sense");
    served.drop_document("never heard of");
    assert_eq!(all_now(&mut stream).await, []);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_stands_beside_the_last_good_document_until_the_next_good_one() {
    let served = Arc::new(Served::new());
    let (good, next) = (stored("a", 1), stored("a", 3));
    served.record(&good);
    served.refuse("a", "no sense");
    let refused = Frame::Refused {
        documents: vec![acknowledgement::Refused { name: "a".to_owned(), reason: "no sense".to_owned() }],
    };
    let mut stream = subscribe(&served);
    let first = all_now(&mut stream).await;
    assert_eq!(first, [hello(&served), Frame::Serving { documents: vec![told(&good)] }, refused]);
    served.record(&next);
    assert_eq!(all_now(&mut stream).await, [Frame::Serving { documents: vec![told_since(&next, 1)] }]);
    assert_eq!(served.documents(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_document_that_comes_after_the_first_list_was_missing_until_then() {
    let served = Arc::new(Served::new());
    served.record(&stored("a", 4));
    served.loaded();
    for (name, revision) in [("b", 1), ("b", 2), ("a", 5)] {
        served.record(&stored(name, revision));
    }
    let mut stream = subscribe(&served);
    let Frame::Serving { mut documents } = all_now(&mut stream).await.remove(1) else { panic!("nothing is served") };
    documents.sort_by(|one, other| one.name.cmp(&other.name));
    assert_eq!(documents, [told_since(&stored("a", 5), 4), told_since(&stored("b", 2), 0)]);
}

#[tokio::test(start_paused = true)]
async fn many_documents_come_in_bounded_frames_and_many_changes_of_one_as_the_last() {
    let served = Arc::new(Served::new());
    for n in 0..2 * DOCUMENTS_PER_FRAME + 1 {
        served.record(&stored(&format!("user-{n}"), 1));
    }
    served.loaded();
    let mut stream = subscribe(&served);
    let sizes: Vec<usize> = all_now(&mut stream)
        .await
        .iter()
        .filter_map(|frame| match frame {
            Frame::Serving { documents } => Some(documents.len()),
            _ => None,
        })
        .collect();
    assert_eq!(sizes, [DOCUMENTS_PER_FRAME, DOCUMENTS_PER_FRAME, 1]);
    for revision in 2..100 {
        served.record(&stored("user-0", revision));
    }
    assert_eq!(all_now(&mut stream).await, [Frame::Serving { documents: vec![told_since(&stored("user-0", 99), 1)] }]);
}

#[tokio::test(start_paused = true)]
async fn something_is_said_every_heartbeat() {
    let served = Arc::new(Served::new());
    let mut stream = subscribe(&served);
    assert_eq!(all_now(&mut stream).await, [hello(&served)]);
    for _ in 0..3 {
        let frame = tokio::time::timeout(HEARTBEAT + Duration::from_millis(5), stream.next()).await;
        assert_eq!(frame.unwrap(), Some(Frame::Heartbeat { now: Timestamp::UNIX_EPOCH }));
    }
}

#[tokio::test(start_paused = true)]
async fn a_drop_that_is_no_longer_remembered_ends_the_stream_of_whoever_missed_it_alone() {
    let served = Arc::new(Served::new());
    let drops = REMEMBERED_DROPS + 1;
    for n in 0..drops {
        served.record(&stored(&format!("user-{n}"), 1));
    }
    let mut slow = subscribe(&served);
    assert_eq!(now(&mut slow).await, Some(hello(&served)));
    for n in 0..drops {
        served.drop_document(&format!("user-{n}"));
    }
    assert_eq!(slow.next().await, None);

    served.loaded();
    let mut fresh = subscribe(&served);
    let frames = all_now(&mut fresh).await;
    assert_eq!((frames.first(), frames.last()), (Some(&hello(&served)), Some(&Frame::Synced)));
    assert_eq!(served.lock().entries.len(), REMEMBERED_DROPS, "what is forgotten takes no memory");
}

#[tokio::test(start_paused = true)]
async fn keys_that_a_refused_ring_revokes_are_told_beside_what_is_served() {
    let served = Arc::new(Served::new());
    let ring = |revision, revoked: &[&str]| {
        let stored = stored("ring", revision);
        let mut document = stored.document;
        document.content = serde_json::from_value(serde_json::json!({"kind": "SigningKey", "spec": {
            "algorithm": "ES256", "createdAt": "1970-01-01T00:00:00Z", "cacheLifetime": 900,
            "maxTokenLifetime": 3600, "keys": [], "revoked": revoked,
        }}))
        .unwrap();
        Stored { document, ..stored }
    };
    let kid = "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs";
    served.record(&ring(7, &[]));
    served.loaded();
    let mut stream = subscribe(&served);
    all_now(&mut stream).await;
    served.revoke(&ring(3, &[kid]));
    let Some(Frame::Serving { documents }) = now(&mut stream).await else { panic!() };
    assert_eq!((documents[0].revision, documents[0].digest), (7, stored("ring", 7).digest));
    assert!(documents[0].revoked.iter().any(|revoked| revoked.as_str() == kid));
    served.revoke(&ring(3, &[kid]));
    assert_eq!(all_now(&mut stream).await, [], "it is no news");
}
