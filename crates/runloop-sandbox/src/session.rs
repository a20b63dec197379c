//! The harness's end of one running broker: requests, answers, the ends of commands, and the broker's own end.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::unix::AsyncFd;
use tokio::sync::{oneshot, watch};

use crate::linux_box::ExitStatus;
use crate::protocol::{self, Failure, MAX_REPLY, Reply, Request};
use crate::sys::files::{self, Kind};
use crate::sys::{process, readiness, socket};

/// Answers that may be outstanding in the broker's direction before it is taken for broken.
const MAX_PENDING: usize = 100_000;

/// What a request can come to, other than its answer.
#[derive(Debug)]
pub(crate) enum RequestError {
    /// The broker is gone.
    Gone,
    /// The broker, or the kernel on its behalf, said no.
    Refused(Failure),
    /// Sending failed on this side.
    Local(io::Error),
}

/// Something that happened to the box and that nobody asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Notice {
    /// The broker killed a process because of the memory limit.
    OutOfMemory,
    /// A command was ended by SIGKILL, by whomever.
    CommandKilled,
    /// The broker answered this [`Session::probe`]: it lived when it was asked.
    Alive(u64),
    /// The broker is gone.
    Ended,
}

/// How a command stands: running, ended, or lost with its box.
pub(crate) type Progress = watch::Receiver<Option<ExitStatus>>;

/// One life of a broker.
#[derive(Debug)]
pub(crate) struct Session {
    socket: AsyncFd<OwnedFd>,
    broker: AsyncFd<OwnedFd>,
    state: Mutex<State>,
    next: AtomicU64,
    /// The end of the broker is wanted: commands that die with it were killed, not lost.
    ending: AtomicBool,
}

#[derive(Debug, Default)]
struct State {
    pending: HashMap<u64, oneshot::Sender<(Reply, Option<OwnedFd>)>>,
    commands: HashMap<u64, watch::Sender<Option<ExitStatus>>>,
    probes: HashSet<u64>,
    closed: bool,
}

impl Session {
    /// Takes over the socket of a broker that has just been forked.
    pub(crate) fn new(socket: OwnedFd, broker: OwnedFd) -> io::Result<Arc<Self>> {
        Ok(Arc::new(Self {
            socket: readiness::socket(socket)?,
            broker: readiness::process(broker)?,
            state: Mutex::default(),
            next: AtomicU64::new(1),
            ending: AtomicBool::new(false),
        }))
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for the broker's first word: that the box is ready, with its root if that may be used again, or why it could
    /// not be made.
    pub(crate) async fn ready(&self) -> Result<Option<OwnedFd>, RequestError> {
        let mut buffer = vec![0u8; MAX_REPLY];
        match self.receive(&mut buffer).await {
            Some((0, Reply::Ready { .. }, root)) => Ok(root),
            Some((0, Reply::Failed { failure }, _)) => Err(RequestError::Refused(failure)),
            _ => Err(RequestError::Gone),
        }
    }

    /// Reads answers until the broker is gone; `notice` hears what was not asked for.
    pub(crate) async fn listen(self: Arc<Self>, notice: impl Fn(Notice)) {
        let mut buffer = vec![0u8; MAX_REPLY];
        while let Some((number, reply, fd)) = self.receive(&mut buffer).await {
            match reply {
                Reply::Ended { status } => {
                    if status == -libc::SIGKILL {
                        // First, so that whoever waits for the command finds the reason there.
                        notice(Notice::CommandKilled);
                    }
                    self.command_ended(number, status);
                }
                Reply::OutOfMemory {} => notice(Notice::OutOfMemory),
                answer => {
                    let (waiting, probe) = {
                        let mut state = self.state();
                        (state.pending.remove(&number), state.probes.remove(&number))
                    };
                    if probe {
                        notice(Notice::Alive(number));
                    }
                    // An answer to a question that was not asked, or given up, is dropped.
                    if let Some(waiting) = waiting {
                        let _ = waiting.send((answer, fd));
                    }
                }
            }
        }
        // Whatever closed the socket, a broker that does not serve has to end, and all of the box with it.
        self.kill();
        self.ended().await;
        let killed = self.ending.load(Ordering::Acquire);
        let state = std::mem::take(&mut *self.state());
        self.state().closed = true;
        if killed {
            for command in state.commands.into_values() {
                let _ = command.send(Some(ExitStatus::Signaled(libc::SIGKILL)));
            }
        }
        drop(state.pending);
        notice(Notice::Ended);
    }

    fn command_ended(&self, number: u64, status: i32) {
        let command = self.state().commands.remove(&number);
        if let Some(command) = command {
            let status = match status {
                0..=255 => ExitStatus::Exited(status),
                _ => ExitStatus::Signaled(status.saturating_neg().clamp(1, 127)),
            };
            let _ = command.send(Some(status));
        }
    }

    /// The next message, if there is one and it is well-formed.
    async fn receive(&self, buffer: &mut [u8]) -> Option<(u64, Reply, Option<OwnedFd>)> {
        loop {
            let mut guard = self.socket.readable().await.ok()?;
            let received = guard.try_io(|socket| socket::receive(socket.as_fd(), buffer, false));
            match received {
                Err(_would_block) => {}
                Ok(Err(_)) => return None,
                Ok(Ok(received)) => {
                    if received.length == 0 || received.cut || received.fds.len() > 1 {
                        return None;
                    }
                    let fd = received.fds.into_iter().next();
                    // Sealed memory is for the other direction: an answer that claims to use it is not one of ours.
                    let mut none = Vec::new();
                    let (number, reply) = protocol::unpack::<Reply>(&buffer[..received.length], &mut none)?;
                    return Some((number, reply, fd));
                }
            }
        }
    }

    async fn send(&self, number: u64, request: &Request, fds: &[BorrowedFd<'_>]) -> Result<(), RequestError> {
        let (packet, memory) = protocol::pack(number, request).map_err(RequestError::Local)?;
        let all: Vec<_> = memory.iter().map(AsFd::as_fd).chain(fds.iter().copied()).collect();
        loop {
            match socket::send(self.socket.as_fd(), &packet, &all, false) {
                Ok(()) => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    let mut guard = self.socket.writable().await.map_err(RequestError::Local)?;
                    guard.clear_ready();
                }
                Err(error)
                    if matches!(
                        error.raw_os_error(),
                        Some(libc::EPIPE | libc::ECONNRESET | libc::ENOTCONN)
                    ) =>
                {
                    return Err(RequestError::Gone);
                }
                Err(error) => return Err(RequestError::Local(error)),
            }
        }
    }

    fn expect(&self, number: u64) -> Result<oneshot::Receiver<(Reply, Option<OwnedFd>)>, RequestError> {
        let (sender, receiver) = oneshot::channel();
        let mut state = self.state();
        if state.closed || state.pending.len() >= MAX_PENDING {
            return Err(RequestError::Gone);
        }
        state.pending.insert(number, sender);
        Ok(receiver)
    }

    async fn exchange(
        &self,
        number: u64,
        request: &Request,
        fds: &[BorrowedFd<'_>],
    ) -> Result<(Reply, Option<OwnedFd>), RequestError> {
        let answer = self.expect(number)?;
        if let Err(error) = self.send(number, request, fds).await {
            self.state().pending.remove(&number);
            return Err(error);
        }
        match answer.await {
            Ok((Reply::Failed { failure }, _)) => Err(RequestError::Refused(failure)),
            Ok(answer) => Ok(answer),
            Err(_) => Err(RequestError::Gone),
        }
    }

    /// Asks for something whose answer is "done".
    pub(crate) async fn ask(&self, request: &Request) -> Result<(), RequestError> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        match self.exchange(number, request, &[]).await? {
            (Reply::Done {}, _) => Ok(()),
            _ => Err(RequestError::Gone),
        }
    }

    /// Asks for a sign of life, which will be [`Notice::Alive`] with the number returned. Does not wait: `None` if that
    /// cannot be asked for now.
    pub(crate) fn probe(&self) -> Option<u64> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let (packet, _) = protocol::pack(number, &Request::IsIdle {}).ok()?;
        self.state().probes.insert(number);
        let sent = socket::send(self.socket.as_fd(), &packet, &[], false);
        if sent.is_err() {
            self.state().probes.remove(&number);
        }
        sent.ok().map(|()| number)
    }

    /// Whether no process but the broker is there.
    pub(crate) async fn is_idle(&self) -> Result<bool, RequestError> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        match self.exchange(number, &Request::IsIdle {}, &[]).await? {
            (Reply::Idle { idle }, _) => Ok(idle),
            _ => Err(RequestError::Gone),
        }
    }

    /// Asks for a file.
    pub(crate) async fn open(&self, request: &Request) -> Result<File, RequestError> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let (Reply::Opened {}, Some(fd)) = self.exchange(number, request, &[]).await? else {
            return Err(RequestError::Gone);
        };
        // Said by a process of the box: looked at before it is believed.
        let regular = files::status(fd.as_fd()).is_ok_and(|status| status.kind == Kind::Regular);
        if !regular {
            let error = io::Error::new(io::ErrorKind::InvalidInput, "not a regular file");
            return Err(RequestError::Refused(Failure::new("opening", &error)));
        }
        Ok(File::from(fd))
    }

    /// Starts something that ends with a status; returns its number and a view on its progress.
    pub(crate) async fn start(
        &self,
        request: &Request,
        fds: &[BorrowedFd<'_>],
    ) -> Result<(u64, Progress), RequestError> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let (sender, progress) = watch::channel(None);
        self.state().commands.insert(number, sender);
        match self.exchange(number, request, fds).await {
            Ok((Reply::Done {}, _)) => Ok((number, progress)),
            other => {
                self.state().commands.remove(&number);
                Err(other.err().unwrap_or(RequestError::Gone))
            }
        }
    }

    /// Kills the broker, and by the kernel's hand everything in its pid namespace.
    fn kill(&self) {
        let _ = process::kill_handle(self.broker.as_fd(), libc::SIGKILL);
    }

    /// Resolves when the broker's process is over.
    async fn ended(&self) {
        // A pidfd becomes readable when the process has ended; it has nothing to read.
        let _ = self.broker.readable().await;
    }

    /// Ends the box's processes and waits until none is left. `ask_first` is for brokers that have no pid namespace
    /// and must do the killing themselves.
    pub(crate) async fn stop(&self, ask_first: bool) {
        self.ending.store(true, Ordering::Release);
        if ask_first {
            let patience = std::time::Duration::from_secs(10);
            let _ = tokio::time::timeout(patience, self.ask(&Request::End {})).await;
        }
        self.kill();
        self.ended().await;
    }

    /// Whether its end was asked for.
    pub(crate) fn is_ending(&self) -> bool {
        self.ending.load(Ordering::Acquire)
    }

    /// Its end, by whoever's hand, is wanted from here on.
    pub(crate) fn expect_end(&self) {
        self.ending.store(true, Ordering::Release);
    }

    /// The box's end is wanted from here on, without waiting: for a handle that is dropped.
    pub(crate) fn abandon(&self) {
        self.ending.store(true, Ordering::Release);
        self.kill();
    }
}
