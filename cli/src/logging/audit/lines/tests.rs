use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;

use tracing::field::{Field, Visit};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};

use super::*;

/// Keeps each write apart, and makes none before it is let.
struct Gate {
    writes: Arc<Mutex<Vec<String>>>,
    let_through: mpsc::Receiver<()>,
}

impl Write for Gate {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.let_through.recv().unwrap();
        self.writes.lock().unwrap().push(String::from_utf8(bytes.to_vec()).unwrap());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn gate() -> (AuditStream, Arc<Mutex<Vec<String>>>, mpsc::Sender<()>) {
    let (let_through, receiver) = mpsc::channel();
    let writes = Arc::<Mutex<Vec<String>>>::default();
    let gate = Gate { writes: Arc::clone(&writes), let_through: receiver };
    (AuditStream::start(gate).unwrap(), writes, let_through)
}

#[test]
fn lines_of_a_busy_moment_are_one_write_and_the_end_writes_the_last() {
    let (stream, writes, let_through) = gate();
    let lines = stream.lines();
    (0..1000).for_each(|number| lines.push(format!("{number}\n").as_bytes()));
    (0..1000).for_each(|_| let_through.send(()).unwrap());
    drop(stream);
    let writes = writes.lock().unwrap();
    let expected: String = (0..1000).map(|number| format!("{number}\n")).collect();
    assert_eq!(writes.concat(), expected);
    assert!(writes.len() < 10, "{} writes", writes.len());
}

#[test]
fn a_reader_that_is_too_slow_is_waited_for_and_no_line_is_lost() {
    let (stream, writes, let_through) = gate();
    let (lines, done) = (stream.lines(), Arc::new(AtomicBool::new(false)));
    let told = Arc::clone(&done);
    let line = format!("{}\n", "x".repeat(1023));
    let pushing = thread::spawn(move || {
        // Twice what has room, and what the writer holds besides.
        (0..4 * ROOM / 1024).for_each(|_| lines.push(line.as_bytes()));
        told.store(true, Ordering::SeqCst);
    });
    thread::sleep(Duration::from_millis(200));
    assert!(!done.load(Ordering::SeqCst), "nothing was written, and everything had room");
    (0..100).for_each(|_| let_through.send(()).unwrap());
    pushing.join().unwrap();
    drop(stream);
    assert_eq!(writes.lock().unwrap().concat().lines().count(), 4 * ROOM / 1024);
}

#[test]
fn a_lone_line_does_not_wait() {
    let (stream, writes, let_through) = gate();
    let_through.send(()).unwrap();
    stream.lines().push(b"lone\n");
    for _ in 0..200 {
        if !writes.lock().unwrap().is_empty() {
            return;
        }
        thread::sleep(Duration::from_millis(10));
    }
    panic!("the line waits for another");
}

/// Refuses everything.
struct Broken;

impl Write for Broken {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(io::Error::other("no space"))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_stream_that_cannot_be_written_holds_nobody_up() {
    let stream = AuditStream::start(Broken).unwrap();
    let line = [b'\n'; 1024];
    (0..4 * ROOM / 1024).for_each(|_| stream.lines().push(&line));
    drop(stream);
}

/// How many lines each complaint says are lost.
#[derive(Clone, Default)]
struct Told(Arc<Mutex<Vec<u64>>>);

impl<S: tracing::Subscriber> Layer<S> for Told {
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        event.record(&mut self.clone());
    }
}

impl Visit for Told {
    fn record_u64(&mut self, field: &Field, value: u64) {
        assert_eq!(field.name(), "lost");
        self.0.lock().unwrap().push(value);
    }

    fn record_debug(&mut self, _: &Field, _: &dyn std::fmt::Debug) {}
}

fn told(work: impl FnOnce()) -> Vec<u64> {
    let told = Told::default();
    tracing::subscriber::with_default(tracing_subscriber::registry().with(told.clone()), work);
    let told = told.0.lock().unwrap();
    told.clone()
}

#[test]
fn the_log_tells_how_many_lines_are_lost() {
    let lines = Lines::default();
    (0..7).for_each(|_| lines.push(b"{}\n"));
    lines.close();
    assert_eq!(told(|| write(&lines, Broken)), [7]);
    let lines = Lines::default();
    lines.push(b"{}\n");
    lines.close();
    assert!(told(|| write(&lines, io::sink())).is_empty());
}

#[test]
fn a_stream_that_stays_broken_is_told_of_now_and_then_and_at_the_end_and_no_lost_line_twice() {
    let broken = || io::Error::other("no space");
    let told = told(|| {
        let mut complaint = Complaint::default();
        complaint.add(2, broken());
        complaint.add(3, broken());
        complaint.add(4, broken());
        complaint.tell();
        complaint.tell();
    });
    assert_eq!(told, [2, 7]);
}
