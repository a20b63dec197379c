//! The harness's end of the zygote.

use std::collections::HashMap;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::unix::AsyncFd;
use tokio::sync::oneshot;

use crate::protocol::{
    self, Failure, MAX_PACKET, Plan, Remains, Reply, Setup, ZYGOTE_ARGUMENT, ZygoteReply, ZygoteRequest,
};
use crate::sys::{process, readiness, socket};

/// A zygote that has been started and has prepared itself.
pub(crate) struct Started {
    control: OwnedFd,
    child: Child,
}

/// Starts the zygote of a state directory. Blocks for the milliseconds that takes.
pub(crate) fn start(
    program: Option<&Path>,
    state_dir: &Path,
    setup: Setup,
    lock: OwnedFd,
) -> Result<Started, Failure> {
    let failed = |step: &str| {
        let step = step.to_owned();
        move |error: io::Error| Failure::new(step, &error)
    };
    let (control, theirs) = socket::pair().map_err(failed("making a socket"))?;
    let child = Command::new(program.unwrap_or(Path::new("/proc/self/exe")))
        .arg0("runloop-zygote")
        .arg(ZYGOTE_ARGUMENT)
        .env_clear()
        .current_dir(state_dir)
        .stdin(Stdio::from(theirs))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map_err(failed("starting the helper process"))?;
    let started = Started { control, child };
    let ready = protocol::send(started.control.as_fd(), 0, &ZygoteRequest::Begin { setup }, &[lock.as_fd()])
        .and_then(|()| started.next())
        .map_err(failed("starting the helper process: does its main call runloop_sandbox::init() first?"));
    match ready {
        Ok((ZygoteReply::Ready {}, _)) => Ok(started),
        Ok((ZygoteReply::Failed { failure }, _)) => {
            started.end();
            Err(failure)
        }
        Ok(_) => {
            started.end();
            Err(Failure::new("starting the helper process", &io::Error::from_raw_os_error(libc::EPROTO)))
        }
        Err(failure) => {
            started.end();
            Err(failure)
        }
    }
}

impl Started {
    fn next(&self) -> io::Result<(ZygoteReply, Option<OwnedFd>)> {
        let mut buffer = vec![0u8; MAX_PACKET];
        let received = socket::receive(self.control.as_fd(), &mut buffer, true)?;
        let fd = received.fds.into_iter().next();
        let message = protocol::unpack::<ZygoteReply>(&buffer[..received.length], &mut Vec::new());
        message.map(|(_, reply)| (reply, fd)).ok_or_else(|| io::Error::from_raw_os_error(libc::EPROTO))
    }

    /// Makes one box and ends it: whether the driver works is found by using it. Says whether the box saw its own
    /// processes only.
    pub(crate) fn try_box(&self, plan: Plan) -> Result<bool, Failure> {
        let failed = |error: io::Error| Failure::new("making a box", &error);
        let (ours, theirs) = socket::pair().map_err(failed)?;
        protocol::send(
            self.control.as_fd(),
            0,
            &ZygoteRequest::Create { plan: Box::new(plan), kept: Remains::default().kept() },
            &[theirs.as_fd()],
        )
        .map_err(failed)?;
        drop(theirs);
        let pidfd = match self.next().map_err(failed)? {
            (ZygoteReply::Created { .. }, Some(pidfd)) => pidfd,
            (ZygoteReply::Failed { failure }, _) => return Err(failure),
            _ => return Err(failed(io::Error::from_raw_os_error(libc::EPROTO))),
        };
        let mut buffer = vec![0u8; protocol::MAX_REPLY];
        let received = socket::receive(ours.as_fd(), &mut buffer, true).map_err(failed)?;
        let word = protocol::unpack::<Reply>(&buffer[..received.length], &mut Vec::new());
        drop(ours);
        let _ = process::kill_handle(pidfd.as_fd(), libc::SIGKILL);
        let _ = process::wait_readable([pidfd.as_fd()], None);
        match word {
            Some((_, Reply::Ready { own_processes })) => Ok(own_processes),
            Some((_, Reply::Failed { failure })) => Err(failure),
            _ => Err(failed(io::Error::from_raw_os_error(libc::EPIPE))),
        }
    }

    /// Ends the zygote and waits for it.
    pub(crate) fn end(mut self) {
        drop(self.control);
        let _ = self.child.wait();
    }
}

/// The zygote in use.
#[derive(Debug)]
pub(crate) struct Helper {
    control: Mutex<Option<Arc<AsyncFd<OwnedFd>>>>,
    child: Mutex<Option<Child>>,
    pending: Arc<Mutex<Pending>>,
    next: AtomicU64,
}

/// A broker that was forked.
#[derive(Debug)]
struct Forked {
    pidfd: OwnedFd,
    remains: Remains,
}

/// A broker that was forked, and this side's end of its socket.
pub(crate) struct Created {
    pub(crate) socket: OwnedFd,
    pub(crate) broker: OwnedFd,
    /// For another start of the same box.
    pub(crate) remains: Remains,
}

#[derive(Debug, Default)]
struct Pending {
    answers: HashMap<u64, oneshot::Sender<Result<Forked, Failure>>>,
    closed: bool,
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Helper {
    /// Goes on with a started zygote. Within a tokio runtime.
    pub(crate) fn new(started: Started) -> io::Result<Self> {
        let control = Arc::new(readiness::socket(started.control)?);
        let pending = Arc::new(Mutex::new(Pending::default()));
        tokio::spawn(listen(Arc::clone(&control), Arc::clone(&pending)));
        Ok(Self {
            control: Mutex::new(Some(control)),
            child: Mutex::new(Some(started.child)),
            pending,
            next: AtomicU64::new(1),
        })
    }

    /// Has a broker forked, with what an earlier one of the same box left. `None` if the zygote is gone.
    pub(crate) async fn create(&self, plan: Plan, remains: Remains) -> Option<Result<Created, Failure>> {
        let control = lock(&self.control).clone()?;
        let (ours, theirs) = match socket::pair() {
            Ok(pair) => pair,
            Err(error) => return Some(Err(Failure::new("making a socket", &error))),
        };
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let (sender, answer) = oneshot::channel();
        {
            let mut pending = lock(&self.pending);
            if pending.closed {
                return None;
            }
            pending.answers.insert(number, sender);
        }
        let request = ZygoteRequest::Create { plan: Box::new(plan), kept: remains.kept() };
        let (packet, memory) = match protocol::pack(number, &request) {
            Ok(packed) => packed,
            Err(error) => return Some(Err(Failure::new("asking for a box", &error))),
        };
        loop {
            let first = memory.iter().chain([&theirs]).map(AsFd::as_fd);
            let all: Vec<_> = first.chain(remains.descriptors()).collect();
            match socket::send(control.get_ref().as_fd(), &packet, &all, false) {
                Ok(()) => break,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    control.writable().await.ok()?.clear_ready();
                }
                Err(_) => return None,
            }
        }
        drop((theirs, remains));
        let forked = answer.await.ok()?;
        Some(forked.map(|Forked { pidfd, remains }| Created { socket: ours, broker: pidfd, remains }))
    }

    /// Whether it was let go.
    pub(crate) fn is_released(&self) -> bool {
        lock(&self.control).is_none()
    }

    /// Lets the zygote end: it kills every box and removes their directories. Returns it to be waited for.
    pub(crate) fn release(&self) -> Option<Child> {
        let control = lock(&self.control).take();
        if let Some(control) = control {
            // Not only closed, which a request under way would delay.
            let _ = socket::shut(control.get_ref().as_fd());
        }
        lock(&self.child).take()
    }
}

impl Drop for Helper {
    fn drop(&mut self) {
        if let Some(mut child) = self.release() {
            // Nobody waits for its end, but somebody must take note of it, or it stays as a zombie.
            let _ = std::thread::Builder::new().name("runloop-zygote-end".into()).spawn(move || child.wait());
        }
    }
}

async fn listen(control: Arc<AsyncFd<OwnedFd>>, pending: Arc<Mutex<Pending>>) {
    let mut buffer = vec![0u8; MAX_PACKET];
    while let Some((number, answer)) = next(&control, &mut buffer).await {
        let waiting = lock(&pending).answers.remove(&number);
        if let Some(waiting) = waiting {
            let _ = waiting.send(answer);
        }
    }
    let mut pending = lock(&pending);
    pending.closed = true;
    pending.answers.clear();
}

async fn next(control: &AsyncFd<OwnedFd>, buffer: &mut [u8]) -> Option<(u64, Result<Forked, Failure>)> {
    loop {
        let mut guard = control.readable().await.ok()?;
        match guard.try_io(|control| socket::receive(control.as_fd(), buffer, false)) {
            Err(_would_block) => {}
            Ok(Err(_)) => return None,
            Ok(Ok(received)) if received.length == 0 => return None,
            Ok(Ok(received)) => {
                let mut fds = received.fds.into_iter();
                let message = protocol::unpack::<ZygoteReply>(&buffer[..received.length], &mut Vec::new())?;
                return Some(match (message, fds.next()) {
                    ((number, ZygoteReply::Created { kept }), Some(pidfd)) => {
                        (number, Ok(Forked { pidfd, remains: Remains::take(&kept, &mut fds) }))
                    }
                    ((number, ZygoteReply::Failed { failure }), _) => (number, Err(failure)),
                    _ => return None,
                });
            }
        }
    }
}
