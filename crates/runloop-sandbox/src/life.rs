//! The life of a box: running, stopped, gone, and what moves it between these.
//!
//! A stopped box is only a directory, with its root still mounted where that can be used again, and its empty namespaces.
//! `kill_all` and snapshots of idle boxes stop it: the kernel itself then ends whatever was left, the memory file systems
//! go with their namespace, and the next operation starts it anew, which takes milliseconds. A box that is not used again
//! never pays for that.

use std::ffi::OsString;
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::groups::{BoxGroups, Groups};
use crate::guarantees::{DriverKind, Guarantees};
use crate::layers::{Layers, MAX_LAYERS, Meta};
use crate::linux_box::{BoxFailure, ExecError, SnapshotError};
use crate::places::BOXES;
use crate::protocol::{Lower, Plan, Remains, Request, Shape};
use crate::sandbox::{CreateError, Shared};
use crate::session::{Notice, RequestError, Session};
use crate::skeleton::Foundation;
use crate::spec::{BoxSpec, Network, SnapshotId, User};
use crate::tree::{self, Owners};

/// `PATH` of every command that does not bring its own.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/// Threads that copy a layer.
const COPY_THREADS: usize = 2;

/// Limits with the defaults filled in.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Caps {
    pub(crate) memory: u64,
    pub(crate) pids: u32,
    pub(crate) disk: u64,
}

/// A box, shared by its handles, its watchers and its sandbox.
#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) shared: Arc<Shared>,
    pub(crate) spec: BoxSpec,
    pub(crate) name: String,
    pub(crate) caps: Caps,
    /// What it stands on below its snapshots; empty for the process driver.
    foundation: Foundation,
    /// Home directory as commands see it.
    home: PathBuf,
    /// User of its own, for the process driver run by root.
    own_uid: Option<u32>,
    groups: BoxGroups,
    life: tokio::sync::Mutex<Life>,
    /// The running session, for those who cannot wait for the lock.
    current: Mutex<Option<Arc<Session>>>,
    failure: Mutex<Option<BoxFailure>>,
    kills: Mutex<Kills>,
    gone: watch::Sender<bool>,
}

/// Processes that the kernel killed for lack of memory. A box that is lost was lost to one of them if it is not known to
/// have outlived them all.
#[derive(Debug, Default)]
struct Kills {
    /// As many were noticed.
    noticed: u64,
    /// As many the broker has outlived.
    outlived: u64,
    /// As many it will have outlived when it answers this probe.
    asked: Option<(u64, u64)>,
}

impl Kills {
    /// Takes note of a count; whether it has grown.
    fn notice(&mut self, count: u64) -> bool {
        let grown = count > self.noticed;
        self.noticed = self.noticed.max(count);
        grown
    }

    /// A probe was sent after `count` had been read.
    fn ask(&mut self, probe: u64, count: u64) {
        self.asked = Some((probe, count));
    }

    fn answered(&mut self, probe: u64) {
        if let Some((_, count)) = self.asked.take_if(|(asked, _)| *asked == probe) {
            self.outlived = self.outlived.max(count);
        }
    }

    /// Whether a box that has just been lost, with this count, was lost to one of them.
    fn took_the_box(&self, count: u64) -> bool {
        count > self.outlived
    }
}

#[derive(Debug)]
struct Life {
    stage: Stage,
    /// Snapshots below the writable layer, the uppermost first.
    layers: Vec<SnapshotId>,
    /// How often it was started.
    generation: u32,
    frozen: bool,
    /// Of the last start, for the next one.
    remains: Remains,
    /// Mounts of earlier starts, being taken down.
    unmounting: Vec<JoinHandle<()>>,
}

impl Life {
    /// Until the mounts of earlier starts are taken down.
    async fn unmounted(&mut self) {
        // One that is given up while it waits is waited for again.
        while let Some(unmounting) = self.unmounting.last_mut() {
            let _ = unmounting.await;
            self.unmounting.pop();
        }
    }
}

#[derive(Debug)]
enum Stage {
    Running(Arc<Session>),
    Stopped,
    Gone,
}

/// Everything that is decided about a box before it is started.
pub(crate) struct Blueprint {
    pub(crate) spec: BoxSpec,
    pub(crate) caps: Caps,
    pub(crate) foundation: Foundation,
    /// Snapshots to stand on, held already.
    pub(crate) layers: Vec<SnapshotId>,
    pub(crate) own_uid: Option<u32>,
}

impl Inner {
    /// Makes and starts a box.
    pub(crate) async fn create(shared: Arc<Shared>, blueprint: Blueprint) -> Result<Arc<Self>, CreateError> {
        let name = crate::layers::unique_name("box");
        let home = match shared.kind {
            DriverKind::Process => shared.boxes_path.join(&name).join("home"),
            _ => blueprint.spec.user.home.clone(),
        };
        let Blueprint { spec, caps, foundation, layers, own_uid } = blueprint;
        let groups = match &shared.groups {
            None => BoxGroups::default(),
            Some(groups) => match groups.for_box(&name, caps.memory, spec.limits.cpus) {
                Ok(groups) => groups,
                Err(source) => {
                    shared.layers.release(&layers);
                    return Err(CreateError::Kernel { step: "making a control group".into(), source });
                }
            },
        };
        let inner = Arc::new(Self {
            shared,
            spec,
            name,
            caps,
            foundation,
            home,
            own_uid,
            groups,
            life: tokio::sync::Mutex::new(Life {
                stage: Stage::Stopped,
                layers,
                generation: 0,
                frozen: false,
                remains: Remains::default(),
                unmounting: Vec::new(),
            }),
            current: Mutex::new(None),
            failure: Mutex::new(None),
            kills: Mutex::default(),
            gone: watch::Sender::new(false),
        });
        inner.shared.remember(&inner);
        let mut life = inner.life.lock().await;
        let started = match inner.restore(&life.layers).await {
            Ok(()) => inner.start(&mut life).await,
            Err(error) => Err(error),
        };
        drop(life);
        if let Err(error) = started {
            inner.destroy().await;
            return Err(error);
        }
        Ok(inner)
    }

    pub(crate) fn home(&self) -> &Path {
        &self.home
    }

    pub(crate) fn guarantees(&self) -> &Guarantees {
        &self.shared.guarantees
    }

    /// Directory of the box, relative to the state directory.
    pub(crate) fn directory(&self) -> PathBuf {
        Path::new(BOXES).join(&self.name)
    }

    /// What of it counts against the disk limit, relative to the state directory.
    pub(crate) fn written(&self) -> PathBuf {
        match self.shared.kind {
            DriverKind::Process => self.directory(),
            _ => self.directory().join("up"),
        }
    }

    fn is_process(&self) -> bool {
        self.shared.kind == DriverKind::Process
    }

    /// The process driver's snapshots are copied back.
    async fn restore(&self, layers: &[SnapshotId]) -> Result<(), CreateError> {
        let (true, Some(id)) = (self.is_process(), layers.first()) else { return Ok(()) };
        let (from, directory) = (Layers::tree(id, "home"), self.directory());
        let owners = self.own_uid.map_or(Owners::Keep, Owners::Set);
        let shared = Arc::clone(&self.shared);
        let copied = blocking(move || {
            std::fs::create_dir_all(shared.layers.root().join(&directory))?;
            tree::copy(shared.layers.state(), &from, &directory.join("home"), owners, COPY_THREADS)
        });
        copied.await.map_err(|source| CreateError::Kernel { step: "copying the snapshot".into(), source })
    }

    fn plan(&self, layers: &[SnapshotId], generation: u32) -> Plan {
        let offline = self.spec.network == Network::None;
        let shape = if self.is_process() {
            Shape::Directory {
                path: self.shared.boxes_path.join(&self.name),
                uid: self.own_uid,
                readable: self.shared.readable.clone(),
            }
        } else {
            let mut trees = self.foundation.trees.clone();
            for tree in &mut trees {
                let above = layers.iter().filter(|id| self.shared.layers.has_tree(id, &tree.name));
                let above: Vec<_> =
                    above.map(|id| Lower::Layer { path: Layers::tree(id, &tree.name) }).collect();
                tree.lowers.splice(0..0, above);
            }
            let mut shown = self.foundation.shown.clone();
            shown.extend(self.spec.expose.iter().map(|path| (path.clone(), path.clone())));
            let resolver = if offline { None } else { std::fs::read("/etc/resolv.conf").ok() };
            Shape::Namespaces {
                trees,
                shown,
                resolver: resolver.map(std::os::unix::ffi::OsStringExt::from_vec),
                fake_owners: self.shared.kind == DriverKind::NamespacesUser && self.spec.user.uid == 0,
            }
        };
        let counts_per_box = !self.is_process() || self.own_uid.is_some();
        Plan {
            directory: self.directory(),
            generation,
            shape,
            hostname: self.spec.hostname.clone(),
            offline,
            uid: self.spec.user.uid,
            home: self.spec.user.home.clone(),
            max_processes: counts_per_box.then_some(u64::from(self.caps.pids)),
            max_file_size: self.caps.disk,
            max_memory: self.caps.memory,
            watch_memory: !self.groups.hold_memory(),
            processors: self.spec.limits.cpus.map(|cpus| cpus.ceil().clamp(1.0, 4096.0) as u32),
            groups: self.groups.entrances(),
            group_roots: self.shared.groups.iter().flat_map(Groups::roots).collect(),
        }
    }

    async fn start(self: &Arc<Self>, life: &mut Life) -> Result<Arc<Session>, CreateError> {
        if life.remains.root.is_none() {
            // The root is mounted anew, and no two mounts may write to one layer.
            life.unmounted().await;
        }
        let plan = self.plan(&life.layers, life.generation);
        life.generation += 1;
        let kernel = |failure: crate::protocol::Failure| CreateError::Kernel {
            step: failure.step.clone(),
            source: failure.into_error(),
        };
        let created = self.shared.helper.create(plan, std::mem::take(&mut life.remains));
        let created = created.await.ok_or(CreateError::Closed)?.map_err(kernel)?;
        let session = Session::new(created.socket, created.broker)
            .map_err(|source| CreateError::Kernel { step: "watching the box".into(), source })?;
        match session.ready().await {
            Ok(root) => life.remains = Remains { root, ..created.remains },
            Err(RequestError::Refused(failure)) => return Err(kernel(failure)),
            Err(_) => return Err(CreateError::Closed),
        }
        let (weak, own) = (Arc::downgrade(self), Arc::downgrade(&session));
        tokio::spawn(Arc::clone(&session).listen(move |notice| heard(&weak, &own, notice)));
        life.stage = Stage::Running(Arc::clone(&session));
        life.frozen = false;
        if life.generation > 1 && self.groups.hold_memory() {
            // Whatever was killed in an earlier life, the box has begun another.
            let count = self.groups.memory_kills();
            let mut kills = self.lock_kills();
            if kills.notice(count) {
                self.fail(BoxFailure::OutOfMemory);
            }
            kills.outlived = count;
        }
        *self.lock_current() = Some(Arc::clone(&session));
        Ok(session)
    }

    fn lock_current(&self) -> std::sync::MutexGuard<'_, Option<Arc<Session>>> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The running session, started if need be. The error is `None` if the box is gone.
    pub(crate) async fn session(self: &Arc<Self>) -> Result<Arc<Session>, Option<Box<CreateError>>> {
        let mut life = self.life.lock().await;
        match &life.stage {
            Stage::Running(session) => Ok(Arc::clone(session)),
            Stage::Gone => Err(None),
            Stage::Stopped => self.start(&mut life).await.map_err(|error| Some(Box::new(error))),
        }
    }

    /// Environment of a command: ours, below the box's, below its own.
    pub(crate) fn environment(
        &self,
        user: &User,
        own: Vec<(OsString, OsString)>,
    ) -> Vec<(OsString, OsString)> {
        let home = if user.home == self.spec.user.home { &self.home } else { &user.home };
        let mut env: Vec<(OsString, OsString)> = vec![
            ("HOME".into(), home.into()),
            ("USER".into(), user.name.clone().into()),
            ("LOGNAME".into(), user.name.clone().into()),
            ("PATH".into(), PATH.into()),
            ("SHELL".into(), "/bin/bash".into()),
            ("TERM".into(), "dumb".into()),
        ];
        // Of C.UTF-8 only the characters differ from what is built in; LANG would have each program open a dozen files.
        // Who sets LANG means the characters too.
        if self.spec.env.iter().chain(&own).all(|(key, _)| key != "LANG") {
            env.push(("LC_CTYPE".into(), "C.UTF-8".into()));
        }
        if self.is_process() {
            let tmp = self.shared.boxes_path.join(&self.name).join("tmp");
            env.push(("TMPDIR".into(), tmp.into()));
        }
        for (key, value) in self.spec.env.iter().cloned().chain(own) {
            match env.iter_mut().find(|(known, _)| *known == key) {
                Some(entry) => entry.1 = value,
                None => env.push((key, value)),
            }
        }
        env
    }

    pub(crate) async fn freeze(self: &Arc<Self>, freeze: bool) -> Result<(), ExecError> {
        let mut life = self.life.lock().await;
        match &life.stage {
            Stage::Gone => Err(ExecError::Gone),
            Stage::Stopped => Ok(()),
            Stage::Running(session) => {
                let request = if freeze { Request::Freeze {} } else { Request::Thaw {} };
                let asked = session.ask(&request).await;
                asked.map_err(refused)?;
                life.frozen = freeze;
                Ok(())
            }
        }
    }

    pub(crate) async fn kill_all(self: &Arc<Self>) -> Result<(), ExecError> {
        let mut life = self.life.lock().await;
        match &life.stage {
            Stage::Gone => return Err(ExecError::Gone),
            Stage::Stopped => {}
            Stage::Running(session) => {
                session.stop(self.is_process()).await;
                self.stopped(&mut life);
            }
        }
        Ok(())
    }

    fn stopped(&self, life: &mut Life) {
        life.stage = Stage::Stopped;
        life.frozen = false;
        // Its memory file systems go with it, so not later than now; but nobody has to wait for that.
        life.unmounting.retain(|unmounting| !unmounting.is_finished());
        life.unmounting.extend(life.remains.mounts.take().map(drop_aside));
        *self.lock_current() = None;
    }

    pub(crate) async fn snapshot(self: &Arc<Self>) -> Result<SnapshotId, SnapshotError> {
        let mut life = self.life.lock().await;
        if let Stage::Gone = life.stage {
            return Err(SnapshotError::Gone);
        }
        if self.is_process() {
            return self.copy_home(&life).await;
        }
        let taken = self.layer(&mut life).await;
        if let Ok(id) = &taken {
            self.shared.merge_below_soon(id);
        }
        taken
    }

    /// Makes a layer of what was written.
    async fn layer(self: &Arc<Self>, life: &mut Life) -> Result<SnapshotId, SnapshotError> {
        if let (MAX_LAYERS.., Some(top)) = (life.layers.len(), life.layers.first()) {
            self.shared.merge_below(top).await;
        }
        if let Stage::Running(session) = &life.stage {
            let session = Arc::clone(session);
            if !session.is_idle().await.map_err(|_| SnapshotError::Gone)? {
                return self.copy_live(&session, life).await;
            }
            session.stop(false).await;
            self.stopped(life);
        }
        self.stack(life).await
    }

    fn meta(&self, layers: &[SnapshotId]) -> Meta {
        Meta::new(self.shared.kind, self.spec.base.clone(), layers.to_vec())
    }

    /// Of a stopped box: its writable layer becomes the snapshot, and it gets a new one above.
    async fn stack(&self, life: &mut Life) -> Result<SnapshotId, SnapshotError> {
        // What is mounted must not be moved. Unmounting takes as long as there are files that the kernel remembers.
        life.unmounting.extend(life.remains.root.take().map(drop_aside));
        life.unmounted().await;
        // Nothing of it is mounted: the next start may be over layers that were merged since the last.
        life.layers = self.shared.layers.hold_shorter(&life.layers);
        check_count(&life.layers)?;
        let meta = self.meta(&life.layers);
        let root = self.shared.layers.root();
        let upper = root.join(self.directory()).join("up");
        let moved = self.shared.layers.add(meta, |path| {
            // Not there if the box was not started since its last snapshot.
            std::fs::create_dir_all(&upper)?;
            std::fs::rename(&upper, root.join(path))
        });
        let id = moved.map_err(|source| SnapshotError::Io { step: "stacking the writable layer", source })?;
        self.shared.layers.hold(std::slice::from_ref(&id));
        life.layers.insert(0, id.clone());
        Ok(id)
    }

    /// Of a box with running processes: they stand still while its writable layer is copied.
    async fn copy_live(&self, session: &Session, life: &Life) -> Result<SnapshotId, SnapshotError> {
        // What is mounted stays held by the box; the copy shall stand on as few layers as there can be.
        if !self.shared.layers.hold(&life.layers) {
            return Err(SnapshotError::Gone);
        }
        let below = self.shared.layers.hold_shorter(&life.layers);
        let copied = self.copy_over(session, life, &below).await;
        let shared = Arc::clone(&self.shared);
        let _ = tokio::task::spawn_blocking(move || shared.layers.release(&below)).await;
        copied
    }

    async fn copy_over(
        &self,
        session: &Session,
        life: &Life,
        below: &[SnapshotId],
    ) -> Result<SnapshotId, SnapshotError> {
        let gone = |_| SnapshotError::Gone;
        check_count(below)?;
        session.ask(&Request::Freeze {}).await.map_err(gone)?;
        let meta = self.meta(below);
        let (shared, from) = (Arc::clone(&self.shared), self.directory().join("up"));
        let copied = blocking(move || {
            shared
                .layers
                .add(meta, |path| tree::copy(shared.layers.state(), &from, path, Owners::Keep, COPY_THREADS))
        });
        let copied = copied.await;
        if !life.frozen {
            session.ask(&Request::Thaw {}).await.map_err(gone)?;
        }
        copied.map_err(|source| SnapshotError::Io { step: "copying the writable layer", source })
    }

    /// The process driver has no layers: its snapshot is a copy of the home directory.
    async fn copy_home(&self, life: &Life) -> Result<SnapshotId, SnapshotError> {
        let gone = |_| SnapshotError::Gone;
        if let Stage::Running(session) = &life.stage {
            session.ask(&Request::Freeze {}).await.map_err(gone)?;
        }
        let meta = self.meta(&[]);
        let (shared, from) = (Arc::clone(&self.shared), self.directory().join("home"));
        let copied = blocking(move || {
            shared.layers.add(meta, |path| {
                std::fs::create_dir(shared.layers.root().join(path))?;
                let to = path.join("home");
                tree::copy(shared.layers.state(), &from, &to, Owners::Keep, COPY_THREADS)
            })
        });
        let copied = copied.await;
        if let Stage::Running(session) = &life.stage
            && !life.frozen
        {
            session.ask(&Request::Thaw {}).await.map_err(gone)?;
        }
        copied.map_err(|source| SnapshotError::Io { step: "copying the home directory", source })
    }

    pub(crate) fn failure(&self) -> Option<BoxFailure> {
        *self.failure.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Each event stands for itself: what a box has outlived is not why it is lost later.
    fn fail(&self, failure: BoxFailure) {
        *self.failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(failure);
    }

    fn lock_kills(&self) -> std::sync::MutexGuard<'_, Kills> {
        self.kills.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes note if the kernel killed something for lack of memory.
    pub(crate) fn check_memory(&self) {
        if !self.groups.hold_memory() {
            return;
        }
        let current = self.lock_current().clone();
        // Held while asking, so that the answer finds the question.
        let mut kills = self.lock_kills();
        let count = self.groups.memory_kills();
        if kills.notice(count) {
            self.fail(BoxFailure::OutOfMemory);
            if let Some(probe) = current.and_then(|session| session.probe()) {
                kills.ask(probe, count);
            }
        }
    }

    /// Why the box, whose broker has ended unasked, is lost.
    fn cause_of_loss(&self) -> BoxFailure {
        let killed = self.groups.hold_memory() && self.lock_kills().took_the_box(self.groups.memory_kills());
        if killed { BoxFailure::OutOfMemory } else { BoxFailure::Lost }
    }

    pub(crate) async fn gone(&self) {
        let mut gone = self.gone.subscribe();
        let _ = gone.wait_for(|gone| *gone).await;
    }

    /// Whether processes may be running: only then anything can grow.
    pub(crate) fn is_running(&self) -> bool {
        self.lock_current().is_some()
    }

    pub(crate) async fn destroy(self: &Arc<Self>) {
        let mut life = self.life.lock().await;
        match std::mem::replace(&mut life.stage, Stage::Gone) {
            Stage::Gone => return,
            Stage::Running(session) => session.stop(self.is_process()).await,
            Stage::Stopped => {}
        }
        self.bury(&mut life).await;
    }

    /// Removes what is left of a box that has ended.
    async fn bury(self: &Arc<Self>, life: &mut Life) {
        let layers = std::mem::take(&mut life.layers);
        *self.lock_current() = None;
        self.shared.forget(&self.name);
        let remains = std::mem::take(&mut life.remains);
        self.shared.reaper.remove(remains, self.directory(), self.groups.clone());
        if !layers.is_empty() {
            let shared = Arc::clone(&self.shared);
            // Deleted snapshots may go with the last box that stood on them.
            let _ = tokio::task::spawn_blocking(move || shared.layers.release(&layers)).await;
        }
        self.gone.send_replace(true);
    }

    /// The last handle is gone: nobody can use the box any more.
    pub(crate) fn abandon(self: &Arc<Self>) {
        if *self.gone.borrow() {
            return;
        }
        let current = self.lock_current().take();
        if let Some(session) = current {
            session.abandon();
        }
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            let inner = Arc::clone(self);
            runtime.spawn(async move { inner.destroy().await });
        }
        // Without a runtime the directory goes with the sandbox.
    }

    /// The sandbox is about to end: that the broker goes is nothing lost.
    pub(crate) fn expect_end(&self) {
        if let Some(session) = &*self.lock_current() {
            session.expect_end();
        }
    }

    /// The sandbox ends: the zygote has killed everything and removed the directory.
    pub(crate) async fn swept(self: &Arc<Self>) {
        let mut life = self.life.lock().await;
        if let Stage::Gone = std::mem::replace(&mut life.stage, Stage::Gone) {
            return;
        }
        *self.lock_current() = None;
        life.remains = Remains::default();
        self.gone.send_replace(true);
    }

    /// Kills everything because a limit was passed.
    pub(crate) async fn punish(self: &Arc<Self>, failure: BoxFailure) {
        self.fail(failure);
        let _ = self.kill_all().await;
    }
}

/// Whether one more can be stacked on these.
fn check_count(layers: &[SnapshotId]) -> Result<(), SnapshotError> {
    match layers.len() {
        layers @ MAX_LAYERS.. => Err(SnapshotError::TooManyLayers { layers }),
        _ => Ok(()),
    }
}

/// Something happened in a session that nobody asked for.
fn heard(inner: &Weak<Inner>, session: &Weak<Session>, notice: Notice) {
    let (Some(inner), Some(session)) = (inner.upgrade(), session.upgrade()) else { return };
    match notice {
        Notice::OutOfMemory => inner.fail(BoxFailure::OutOfMemory),
        Notice::CommandKilled => inner.check_memory(),
        Notice::Alive(probe) => inner.lock_kills().answered(probe),
        Notice::Ended => {
            tokio::spawn(async move {
                let mut life = inner.life.lock().await;
                // Whoever ended it on purpose has moved it on before letting go of the lock.
                let lost = matches!(&life.stage, Stage::Running(current) if Arc::ptr_eq(current, &session));
                if lost && !session.is_ending() {
                    inner.fail(inner.cause_of_loss());
                    life.stage = Stage::Gone;
                    inner.bury(&mut life).await;
                }
            });
        }
    }
}

fn refused(error: RequestError) -> ExecError {
    match error {
        RequestError::Refused(failure) => {
            ExecError::Refused { step: failure.step.clone(), source: failure.into_error() }
        }
        _ => ExecError::Gone,
    }
}

/// Lets go of something whose end takes the kernel a while, away from the runtime's threads.
fn drop_aside(held: OwnedFd) -> JoinHandle<()> {
    tokio::task::spawn_blocking(move || drop(held))
}

/// Runs blocking file work away from the runtime's threads.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => Err(io::Error::other(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_box_is_lost_to_a_kill_that_it_is_not_known_to_have_outlived() {
        let mut kills = Kills::default();
        assert!(!kills.notice(0) && !kills.took_the_box(0));
        assert!(kills.notice(2) && !kills.notice(2));
        kills.ask(7, 2);
        assert!(kills.took_the_box(2), "no sign of life since");
        kills.answered(6);
        assert!(kills.took_the_box(2), "the answer to an older question says nothing");
        kills.answered(7);
        assert!(!kills.took_the_box(2));
        assert!(kills.took_the_box(3), "another one, not noticed before the end");
        assert!(kills.notice(3));
    }

    #[test]
    fn an_answer_covers_the_kills_before_its_question_only() {
        let mut kills = Kills::default();
        kills.notice(1);
        kills.ask(1, 1);
        kills.notice(2);
        kills.answered(1);
        assert!(kills.took_the_box(2) && !kills.took_the_box(1));
    }
}
