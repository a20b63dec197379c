//! The gate itself: who may send, who waits, and what is learnt from answers.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use runloop_client::{Attempt, Gate, Method, Outcome, Pass, Traffic, TransportKind};
use tokio::sync::{Notify, oneshot, watch};
use tokio::time::{Instant, sleep, sleep_until};

use super::health::{Health, Record};
use super::lane::Lane;
use super::limit::{HALF, Limit, TENTH_LESS};
use super::queue::Queue;

/// How long a request counts that stays open for as long as some work takes.
const SETTLED: Duration = Duration::from_secs(1);

/// The pause of a long poll that was refused, where the target names none: no limit holds it back.
const HOLD_PAUSE: Duration = Duration::from_secs(1);

/// Longest pause that a target may ask of everyone.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// What a request is to the limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    /// Counts until it is answered.
    Request,
    /// The same, but of a limit of its own: asks for a devbox.
    Creation,
    /// Counts as a request for a moment.
    Work,
    /// Does not count.
    Hold,
}

impl Class {
    fn of(attempt: &Attempt<'_>) -> Self {
        let creates = ["/v1/devboxes", "/v1/devboxes/create_and_await_running"];
        match attempt.traffic {
            _ if attempt.method == Method::Post && creates.contains(&attempt.path) => Self::Creation,
            Traffic::Hold => Self::Hold,
            Traffic::Work => Self::Work,
            _ => Self::Request,
        }
    }
}

/// What a run learns from its gate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum News {
    /// There may be at most so many in flight from now on.
    Lowered { creations: bool, limit: u32 },
    /// There is no limit any more.
    Lifted { creations: bool },
    /// Someone should ask whether the target is there.
    Doubt,
}

/// How much a run asks of its target at once; see the crate's documentation. Clones are the same gate.
///
/// One gate belongs to one client and one run: hand it to [`ClientBuilder::gate`](runloop_client::ClientBuilder::gate), and
/// to the run as [`RunOptions::pressure`](crate::RunOptions::pressure).
#[derive(Debug, Clone, Default)]
pub struct Pressure(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    news: Notify,
    health: watch::Sender<()>,
}

#[derive(Debug)]
struct State {
    requests: Line,
    creations: Line,
    holds: Line,
    record: Record,
    news: VecDeque<News>,
}

/// Those who wait for the same thing.
#[derive(Debug)]
struct Line {
    limit: Limit,
    paused: Option<Instant>,
    waiting: Queue<oneshot::Sender<Slot>>,
}

impl Line {
    fn new() -> Self {
        Self { limit: Limit::default(), paused: None, waiting: Queue::new() }
    }

    fn is_paused(&self, now: Instant) -> bool {
        self.paused.is_some_and(|until| now < until)
    }
}

impl Default for State {
    fn default() -> Self {
        Self {
            requests: Line::new(),
            creations: Line::new(),
            holds: Line::new(),
            record: Record::new(),
            news: VecDeque::new(),
        }
    }
}

impl State {
    fn line(&mut self, class: Class) -> &mut Line {
        match class {
            Class::Request | Class::Work => &mut self.requests,
            Class::Creation => &mut self.creations,
            Class::Hold => &mut self.holds,
        }
    }

    /// Whether one of these may be sent.
    fn admits(&mut self, class: Class, now: Instant) -> bool {
        match self.record.health {
            Health::Down => false,
            // What all have to wait for, creations have to wait for too.
            Health::Up | Health::Doubtful | Health::Released => {
                let is_paused = self.requests.is_paused(now);
                let line = self.line(class);
                !is_paused && !line.is_paused(now) && line.limit.has_room()
            }
        }
    }
}

impl Pressure {
    /// Waits until a request may be sent, in the lane of the present task.
    pub(crate) fn enter(&self, class: Class) -> impl Future<Output = Ticket> + Send + 'static {
        let lane = Lane::current();
        let shared = Arc::clone(&self.0);
        let entered = match lane {
            Lane::Probe => Entered::Unseen,
            lane => shared.enter(class, lane),
        };
        async move {
            let slot = match entered {
                Entered::Unseen => return Ticket { seen: None, sent: Instant::now(), settling: None },
                Entered::At(slot) => slot,
                Entered::Waits(turn) => match turn.await {
                    Ok(slot) => slot,
                    // Only without the gate, which is in this very future.
                    Err(_) => Slot { shared, class, counts: false },
                },
            };
            Ticket::new(slot)
        }
    }

    pub(super) fn health(&self) -> Health {
        self.0.lock().record.health
    }

    /// Outages so far.
    pub(crate) fn outages(&self) -> u32 {
        self.0.lock().record.outages
    }

    /// Waits until it is known whether the target is there, and until it is. Ends at once when the run ends.
    pub(crate) async fn settled(&self) {
        let mut changes = self.0.health.subscribe();
        while matches!(self.health(), Health::Doubtful | Health::Down) {
            // The sender is in this very gate.
            let _ = changes.changed().await;
        }
    }

    pub(super) async fn news(&self) -> News {
        loop {
            let next = self.0.lock().news.pop_front();
            match next {
                Some(news) => return news,
                None => self.0.news.notified().await,
            }
        }
    }

    /// The doubt was wrong.
    pub(super) fn trust(&self) {
        self.0.change(|state, _| {
            state.record.answered();
            state.record.health = Health::Up;
        });
    }

    /// The target is down: all wait. Answers since when nothing came through.
    pub(super) fn shut(&self) -> Instant {
        self.0.change(|state, now| {
            state.record.health = Health::Down;
            state.record.outages += 1;
            state.record.failing_since().unwrap_or(now)
        })
    }

    /// The target is back: those who waited go on, not all at once.
    pub(super) fn open(&self) {
        self.0.change(|state, now| {
            state.record.answered();
            state.record.health = Health::Up;
            state.requests.limit.restart(now);
            state.creations.limit.restart(now);
        });
    }

    /// The run ends: what is still asked is asked, whether the target is there or not.
    pub(super) fn release(&self) {
        self.0.change(|state, _| state.record.health = Health::Released);
    }
}

impl Gate for Pressure {
    fn admit(&self, attempt: Attempt<'_>) -> BoxFuture<'static, Box<dyn Pass>> {
        let entering = self.enter(Class::of(&attempt));
        async move { Box::new(entering.await) as Box<dyn Pass> }.boxed()
    }
}

enum Entered {
    Unseen,
    At(Slot),
    Waits(oneshot::Receiver<Slot>),
}

impl Shared {
    /// A panic elsewhere leaves the state whole: every change of it is one step.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn enter(self: &Arc<Self>, class: Class, lane: Lane) -> Entered {
        let now = Instant::now();
        let mut state = self.lock();
        let has_turn = state.line(class).waiting.is_empty();
        if has_turn && state.admits(class, now) {
            return Entered::At(self.slot(&mut state, class, now));
        }
        let (turn, waiting) = oneshot::channel();
        let line = state.line(class);
        line.limit.held_back(now);
        line.waiting.push(lane, turn);
        Entered::Waits(waiting)
    }

    fn slot(self: &Arc<Self>, state: &mut State, class: Class, now: Instant) -> Slot {
        let counts = class != Class::Hold;
        if counts {
            state.line(class).limit.enter(now);
        }
        Slot { shared: Arc::clone(self), class, counts }
    }

    /// Lets those go whose turn has come.
    fn dispatch(self: &Arc<Self>, state: &mut State, now: Instant) {
        for class in [Class::Request, Class::Creation, Class::Hold] {
            while state.admits(class, now) {
                let Some(turn) = state.line(class).waiting.pop() else { break };
                if turn.is_closed() {
                    continue;
                }
                let slot = self.slot(state, class, now);
                if let Err(mut slot) = turn.send(slot) {
                    // Who waited is gone. Dropped as it is, the slot would ask for the lock that is held here.
                    if std::mem::take(&mut slot.counts) {
                        state.line(class).limit.leave();
                    }
                }
            }
            let line = state.line(class);
            if line.waiting.is_empty() && line.limit.lift(now) {
                state.news.push_back(News::Lifted { creations: class == Class::Creation });
                self.news.notify_one();
            }
        }
    }

    fn change<T>(self: &Arc<Self>, change: impl FnOnce(&mut State, Instant) -> T) -> T {
        let now = Instant::now();
        let mut state = self.lock();
        let changed = change(&mut state, now);
        self.dispatch(&mut state, now);
        drop(state);
        self.health.send_replace(());
        changed
    }

    /// Learns from what came of a request.
    fn learn(self: &Arc<Self>, class: Class, sent: Instant, outcome: Outcome) {
        let now = Instant::now();
        let mut state = self.lock();
        match outcome {
            Outcome::Answered { status: status @ (429 | 500..), retry_after } => {
                let is_about_number = matches!(status, 429 | 503);
                if class != Class::Hold {
                    let ratio = if is_about_number { HALF } else { TENTH_LESS };
                    self.complained(&mut state, class, ratio, sent, now);
                }
                let wished = retry_after.filter(|pause| !pause.is_zero());
                let hold = (class == Class::Hold && is_about_number).then_some(HOLD_PAUSE);
                if let Some(pause) = wished.or(hold) {
                    self.pause(&mut state, class, now + pause.min(LONGEST_PAUSE), wished.is_some());
                }
                if status == 429 {
                    state.record.answered();
                } else if state.record.failed(now) {
                    self.doubt(&mut state);
                }
            }
            Outcome::Answered { status, .. } => {
                state.record.answered();
                if matches!(status, 401 | 403) && state.record.refused(now) {
                    self.doubt(&mut state);
                }
                if class != Class::Hold {
                    state.line(class).limit.raise(sent);
                }
            }
            Outcome::Failed(kind) => {
                if kind == TransportKind::ReadTimeout && class != Class::Hold {
                    self.complained(&mut state, class, TENTH_LESS, sent, now);
                }
                let is_way = matches!(
                    kind,
                    TransportKind::Connect
                        | TransportKind::ConnectTimeout
                        | TransportKind::ReadTimeout
                        | TransportKind::Interrupted
                );
                if is_way && state.record.failed(now) {
                    self.doubt(&mut state);
                }
            }
            _ => {}
        }
    }

    fn complained(&self, state: &mut State, class: Class, ratio: f64, sent: Instant, now: Instant) {
        if let Some(limit) = state.line(class).limit.lower(ratio, sent, now) {
            state.news.push_back(News::Lowered { creations: class == Class::Creation, limit });
            self.news.notify_one();
        }
    }

    fn doubt(&self, state: &mut State) {
        state.news.push_back(News::Doubt);
        self.news.notify_one();
        self.health.send_replace(());
    }

    /// Holds a line back; where the target wished it for a request or a hold, all of them.
    fn pause(self: &Arc<Self>, state: &mut State, class: Class, until: Instant, is_for_all: bool) {
        let class = if is_for_all && class != Class::Creation { Class::Request } else { class };
        let line = state.line(class);
        if line.paused.is_some_and(|paused| paused >= until) {
            return;
        }
        line.paused = Some(until);
        let shared = Arc::clone(self);
        tokio::spawn(async move {
            sleep_until(until).await;
            let mut state = shared.lock();
            shared.dispatch(&mut state, Instant::now());
        });
    }
}

/// A place among those in flight.
struct Slot {
    shared: Arc<Shared>,
    class: Class,
    counts: bool,
}

impl std::fmt::Debug for Slot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Slot")
            .field("class", &self.class)
            .field("counts", &self.counts)
            .finish_non_exhaustive()
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        if self.counts {
            let mut state = self.shared.lock();
            state.line(self.class).limit.leave();
            self.shared.dispatch(&mut state, Instant::now());
        }
    }
}

/// Leave to send one request.
pub(crate) struct Ticket {
    /// Where its outcome is told; nowhere for a probe.
    seen: Option<Seen>,
    sent: Instant,
    /// Dropped with the ticket: ends the time for which work counts.
    settling: Option<oneshot::Sender<()>>,
}

struct Seen {
    shared: Arc<Shared>,
    class: Class,
    /// `None` where a task of its own gives it back.
    slot: Option<Slot>,
}

impl Ticket {
    fn new(slot: Slot) -> Self {
        let (shared, class) = (Arc::clone(&slot.shared), slot.class);
        let (slot, settling) = if class == Class::Work {
            let (settling, answered) = oneshot::channel();
            tokio::spawn(async move {
                tokio::select! {
                    _ = answered => {}
                    () = sleep(SETTLED) => {}
                }
                drop(slot);
            });
            (None, Some(settling))
        } else {
            (Some(slot), None)
        };
        Self { seen: Some(Seen { shared, class, slot }), sent: Instant::now(), settling }
    }
}

impl Pass for Ticket {
    fn done(mut self: Box<Self>, outcome: Outcome) {
        if let Some(Seen { shared, class, slot }) = self.seen.take() {
            shared.learn(class, self.sent, outcome);
            // Only now, so that what was learnt is about as many as there were.
            drop(slot);
        }
        drop(self.settling.take());
    }
}
