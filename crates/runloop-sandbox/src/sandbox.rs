//! The factory of boxes.

use std::collections::HashMap;
use std::fs::{File, TryLockError};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use crate::drivers::{self, Driver};
use crate::groups::Groups;
use crate::guarantees::{DriverKind, Guarantee, Guarantees, Probe};
use crate::helper::Helper;
use crate::layers::{Layers, MAX_LAYERS};
use crate::life::{Blueprint, Caps, Inner};
use crate::linux_box::LinuxBox;
use crate::reaper::Reaper;
use crate::skeleton::{Foundation, Skeletons};
use crate::spec::{Base, BoxSpec, Network, SnapshotId};
use crate::sys::files::{self, Space};
use crate::{machine, places, probe, watcher, zygote};

/// How long the end of a predecessor is waited for: its helper removes what is left of its boxes.
const PREDECESSOR_PATIENCE: Duration = Duration::from_secs(5);
/// Processes and threads of a box that does not say how many.
const DEFAULT_PIDS: u32 = 2048;
/// Writable bytes of a box that does not say how many.
const DEFAULT_DISK: u64 = 10 << 30;

/// Call this in the first line of `main`, before threads are started and secrets are loaded.
///
/// In the re-executed helper process it never returns; otherwise it does nothing.
pub fn init() {
    if zygote::is_asked_for(std::env::args_os().nth(1).as_deref()) {
        zygote::main();
    }
}

/// Which driver to use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DriverChoice {
    /// The best that works; the process driver only inside a container or with `allow_weak`.
    #[default]
    Auto,
    /// This one or an error.
    Only(DriverKind),
}

/// How a sandbox is opened.
#[derive(Debug, Clone)]
pub struct SandboxOptions {
    /// Directory for layers and boxes; created if absent. Locked while in use.
    pub state_dir: PathBuf,
    /// Which driver to use.
    pub driver: DriverChoice,
    /// Accept the process driver on a bare host, and specs that the driver cannot enforce.
    pub allow_weak: bool,
    /// Program that calls [`init`] first in its `main`; `None` for the running program itself.
    pub helper: Option<PathBuf>,
}

/// Why no sandbox could be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The state directory cannot be made or read.
    #[error("the state directory {} cannot be used", path.display())]
    StateDir {
        /// The directory.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Another process uses the state directory.
    #[error("the state directory {} is in use by another process; end it or choose another directory", path.display())]
    InUse {
        /// The directory.
        path: PathBuf,
    },
    /// Neither driver works, or the chosen one does not.
    #[error("no isolation works here: {reason}; {hint}")]
    NoDriver {
        /// What was tried and what the kernel answered.
        reason: String,
        /// What to do about it.
        hint: String,
    },
    /// Only the process driver works, on a machine that is not a container; [`SandboxOptions::allow_weak`] accepts it.
    #[error("only the process driver works here ({reason}), which does not hide the host; {hint}")]
    OnlyWeak {
        /// Why nothing better works.
        reason: String,
        /// What would make a better driver work.
        hint: String,
    },
    /// The helper process could not be talked to.
    #[error("the helper process cannot be used")]
    Helper(#[source] io::Error),
}

/// Why a box could not be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CreateError {
    /// The spec names a snapshot that is not there (any more).
    #[error("there is no snapshot {0}")]
    NoSuchSnapshot(SnapshotId),
    /// The snapshot was taken over another base, or by another driver: its files would not fit.
    #[error("snapshot {id} was taken over {found}, not over {wanted}; make the box over the same base")]
    SnapshotMismatch {
        /// The snapshot.
        id: SnapshotId,
        /// What it was taken over.
        found: String,
        /// What the spec asks for.
        wanted: String,
    },
    /// The base is not a directory.
    #[error("there is no base directory {}", path.display())]
    NoSuchBase {
        /// The directory that was asked for.
        path: PathBuf,
        /// Why it cannot be used.
        source: io::Error,
    },
    /// The spec asks for what this driver cannot hold.
    #[error("the {driver} driver cannot enforce {what}; {hint}")]
    CannotEnforce {
        /// What was asked for.
        what: &'static str,
        /// Name of the driver in use.
        driver: &'static str,
        /// What to do about it.
        hint: String,
    },
    /// The spec contradicts itself or names something impossible.
    #[error("the box cannot be made as asked: {0}")]
    Invalid(String),
    /// The kernel refused a step.
    #[error("making the box failed at {step}")]
    Kernel {
        /// What was being done.
        step: String,
        /// What the kernel said.
        source: io::Error,
    },
    /// The sandbox was closed, or its helper process died.
    #[error("the sandbox is closed")]
    Closed,
}

/// Makes boxes. Cheap to clone; the last clone that is dropped ends the helper process and with it every box.
#[derive(Debug, Clone)]
pub struct Sandbox {
    guard: Arc<Guard>,
}

/// Ends the sandbox with its last handle.
#[derive(Debug)]
struct Guard {
    shared: Arc<Shared>,
    watcher: tokio::task::JoinHandle<()>,
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.watcher.abort();
        self.shared.layers.close();
        if let Some(mut child) = self.shared.helper.release() {
            let groups = self.shared.groups.clone();
            let _ = std::thread::Builder::new().name("runloop-zygote-end".into()).spawn(move || {
                let _ = child.wait();
                groups.iter().for_each(Groups::remove);
            });
        }
    }
}

/// What a sandbox and its boxes have in common.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) kind: DriverKind,
    pub(crate) guarantees: Guarantees,
    pub(crate) layers: Layers,
    pub(crate) helper: Helper,
    pub(crate) reaper: Reaper,
    /// Where the directories of boxes are.
    pub(crate) boxes_path: PathBuf,
    /// System directories that boxes of the process driver may read.
    pub(crate) readable: Vec<PathBuf>,
    skeletons: Option<Skeletons>,
    pub(crate) groups: Option<Groups>,
    allow_weak: bool,
    /// First of the users that boxes of the process driver run as.
    first_uid: Option<u32>,
    boxes_made: AtomicU32,
    boxes: Mutex<HashMap<String, Weak<Inner>>>,
    /// When the file system of the boxes was last seen full.
    last_full: Mutex<Option<Instant>>,
    /// Held while layers are merged.
    merging: tokio::sync::Mutex<()>,
}

impl Shared {
    /// Merges the layers below a snapshot if there are many. A failure is logged only: it goes on without for a while.
    pub(crate) async fn merge_below(self: &Arc<Self>, id: &SnapshotId) {
        let _turn = self.merging.lock().await;
        let (shared, id) = (Arc::clone(self), id.clone());
        let merged = tokio::task::spawn_blocking(move || shared.layers.merge_below(&id)).await;
        match merged.map_err(io::Error::other).flatten() {
            Err(error) if error.kind() != io::ErrorKind::Interrupted => {
                tracing::warn!(%error, "snapshots that lie upon each other could not be merged");
            }
            _ => {}
        }
    }

    /// The same without waiting for it.
    pub(crate) fn merge_below_soon(self: &Arc<Self>, id: &SnapshotId) {
        // Also while another merging is under way: this snapshot may stand on what that is replacing, and be too late for it.
        if self.layers.are_many_below(id) {
            let (shared, id) = (Arc::clone(self), id.clone());
            tokio::spawn(async move { shared.merge_below(&id).await });
        }
    }

    /// The space where the boxes are, remembered if there is none left.
    pub(crate) fn look_at_room(&self) -> Option<Space> {
        let space =
            files::open_directory(&self.boxes_path).and_then(|boxes| files::space(boxes.as_fd())).ok()?;
        if space.is_full {
            *self.last_full.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        }
        Some(space)
    }

    fn lock_boxes(&self) -> std::sync::MutexGuard<'_, HashMap<String, Weak<Inner>>> {
        self.boxes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The boxes that are there.
    pub(crate) fn boxes(&self) -> Vec<Arc<Inner>> {
        self.lock_boxes().values().filter_map(Weak::upgrade).collect()
    }

    /// A box begins.
    pub(crate) fn remember(&self, inner: &Arc<Inner>) {
        self.lock_boxes().insert(inner.name.clone(), Arc::downgrade(inner));
    }

    /// A box is gone.
    pub(crate) fn forget(&self, name: &str) {
        self.lock_boxes().remove(name);
    }
}

impl Sandbox {
    /// Opens the sandbox over a state directory: removes what a dead predecessor left there, picks a driver by trying,
    /// starts the helper process.
    ///
    /// # Errors
    /// When no driver works, the chosen one does not, or the state directory is unusable or in use.
    pub async fn open(options: SandboxOptions) -> Result<Self, OpenError> {
        let path = options.state_dir.clone();
        let opened = tokio::task::spawn_blocking(move || open_blocking(&options)).await;
        let opened = opened.map_err(|error| OpenError::Helper(io::Error::other(error)))??;
        let Opened { layers, driver, allow_weak } = opened;
        let helper = Helper::new(driver.started).map_err(OpenError::Helper)?;
        tracing::debug!(path = %path.display(), driver = ?driver.guarantees.driver, "sandbox open");
        let state = layers.state().try_clone_to_owned().map_err(OpenError::Helper)?;
        let reaper = Reaper::start(state, driver.groups.clone().ok());
        let shared = Arc::new(Shared {
            reaper,
            kind: driver.guarantees.driver,
            guarantees: driver.guarantees,
            layers,
            helper,
            boxes_path: driver.boxes,
            readable: driver.readable,
            skeletons: driver.skeletons,
            groups: driver.groups.ok(),
            allow_weak,
            first_uid: driver.first_uid,
            boxes_made: AtomicU32::new(0),
            boxes: Mutex::default(),
            last_full: Mutex::default(),
            merging: tokio::sync::Mutex::default(),
        });
        let watcher = tokio::spawn(watcher::watch(Arc::downgrade(&shared)));
        Ok(Self { guard: Arc::new(Guard { shared, watcher }) })
    }

    /// Tries what this machine offers, without opening anything. Used by `doctor`.
    pub fn probe(options: &SandboxOptions) -> Probe {
        probe::probe(options)
    }

    /// What boxes of this sandbox guarantee.
    pub fn guarantees(&self) -> &Guarantees {
        &self.guard.shared.guarantees
    }

    /// Whether the host's file system that holds the boxes is full, or was seen full since then. What a command or a file
    /// came to meanwhile tells nothing about who made it. Costs one `statvfs`; between calls it is looked at many
    /// times a second while boxes run. A box that passes its own disk limit does not count.
    pub fn was_full_since(&self, since: Instant) -> bool {
        self.guard.shared.look_at_room();
        let last = *self.guard.shared.last_full.lock().unwrap_or_else(PoisonError::into_inner);
        last.is_some_and(|last| last >= since)
    }

    /// The directory of the boxes, on whose file system they need room.
    pub fn boxes_directory(&self) -> &Path {
        &self.guard.shared.boxes_path
    }

    /// Makes a box that is ready to run commands.
    ///
    /// # Errors
    /// When the spec names a snapshot or base that is not there, asks for what the driver cannot enforce (unless
    /// `allow_weak`), or the kernel refuses.
    pub async fn create(&self, spec: BoxSpec) -> Result<LinuxBox, CreateError> {
        let shared = &self.guard.shared;
        if shared.helper.is_released() {
            return Err(CreateError::Closed);
        }
        check(&spec)?;
        self.check_enforceable(&spec)?;
        let layers = self.layers_below(&spec).await?;
        let foundation = match self.foundation(&spec).await {
            Ok(foundation) => foundation,
            Err(error) => {
                shared.layers.release(&layers);
                return Err(error);
            }
        };
        let caps = Caps {
            memory: spec.limits.memory_bytes.unwrap_or_else(|| machine::memory() / 4 * 3),
            pids: spec.limits.pids.unwrap_or(DEFAULT_PIDS),
            disk: spec.limits.disk_bytes.unwrap_or(DEFAULT_DISK),
        };
        let number = shared.boxes_made.fetch_add(1, Ordering::Relaxed);
        let own_uid = shared.first_uid.map(|first| first + number % drivers::OWN_UIDS);
        let blueprint = Blueprint { spec, caps, foundation, layers, own_uid };
        let inner = Inner::create(Arc::clone(shared), blueprint).await?;
        Ok(LinuxBox::new(inner))
    }

    fn check_enforceable(&self, spec: &BoxSpec) -> Result<(), CreateError> {
        let shared = &self.guard.shared;
        let driver = drivers::name(shared.kind);
        let refuse =
            |what, hint: &str| Err(CreateError::CannotEnforce { what, driver, hint: hint.to_owned() });
        if shared.kind == DriverKind::Process
            && let Base::Dir(_) = spec.base
        {
            return refuse(
                "a root file system of its own",
                "make namespaces available: see the doctor's remedies",
            );
        }
        let network = &shared.guarantees.network_none;
        if spec.network == Network::None && matches!(network, Guarantee::None(_)) && !shared.allow_weak {
            return refuse("network: none", "allow the network, or accept the weakness explicitly");
        }
        Ok(())
    }

    /// The snapshots that a box stands on, the uppermost first, held for it.
    async fn layers_below(&self, spec: &BoxSpec) -> Result<Vec<SnapshotId>, CreateError> {
        let Some(id) = &spec.snapshot else { return Ok(Vec::new()) };
        let shared = &self.guard.shared;
        let missing = || CreateError::NoSuchSnapshot(id.clone());
        let mut meta = shared.layers.meta(id).ok_or_else(missing)?;
        let describe = |driver, base: &Base| match base {
            Base::Host => format!("the host's root by the {} driver", drivers::name(driver)),
            Base::Dir(path) => format!("{} by the {} driver", path.display(), drivers::name(driver)),
        };
        if meta.driver != shared.kind || meta.base != spec.base {
            return Err(CreateError::SnapshotMismatch {
                id: id.clone(),
                found: describe(meta.driver, &meta.base),
                wanted: describe(shared.kind, &spec.base),
            });
        }
        if meta.parents.len() >= MAX_LAYERS {
            shared.merge_below(id).await;
        }
        loop {
            meta = shared.layers.meta(id).ok_or_else(missing)?;
            if meta.parents.len() >= MAX_LAYERS {
                let count = meta.parents.len() + 1;
                return Err(CreateError::Invalid(format!("it would stand on {count} snapshots")));
            }
            let mut layers = vec![id.clone()];
            layers.extend(meta.parents);
            // Otherwise some of them have just been merged, or the snapshot deleted.
            if shared.layers.hold(&layers) {
                return Ok(layers);
            }
        }
    }

    async fn foundation(&self, spec: &BoxSpec) -> Result<Foundation, CreateError> {
        if let Base::Dir(path) = &spec.base {
            let usable = std::fs::metadata(path).and_then(|status| {
                if status.is_dir() { Ok(()) } else { Err(io::Error::from_raw_os_error(libc::ENOTDIR)) }
            });
            usable.map_err(|source| CreateError::NoSuchBase { path: path.clone(), source })?;
        }
        let shared = Arc::clone(&self.guard.shared);
        let Some(skeletons) = &shared.skeletons else { return Ok(Foundation::default()) };
        if let Some(known) = skeletons.known(&spec.base, &spec.user) {
            return Ok(known);
        }
        let (base, user) = (spec.base.clone(), spec.user.clone());
        let shared = Arc::clone(&shared);
        let made = tokio::task::spawn_blocking(move || match &shared.skeletons {
            Some(skeletons) => skeletons.foundation(&base, &user),
            None => Ok(Foundation::default()),
        });
        let failed = |source| CreateError::Kernel { step: "preparing the base".into(), source };
        made.await.map_err(|error| failed(io::Error::other(error)))?.map_err(failed)
    }

    /// Whether a snapshot is there (snapshots outlive the process that took them).
    pub fn has_snapshot(&self, id: &SnapshotId) -> bool {
        self.guard.shared.layers.has(id)
    }

    /// The snapshots there are, oldest first, also those of earlier processes. The state directory is locked, so no other
    /// process that is alive can need one of them.
    pub fn snapshots(&self) -> Vec<SnapshotId> {
        self.guard.shared.layers.list()
    }

    /// Deletes a snapshot. Boxes and snapshots made from it go on to work; its disk space is freed with the last of them.
    /// An unknown id is not an error.
    ///
    /// # Errors
    /// When the state directory cannot be written.
    pub async fn delete_snapshot(&self, id: &SnapshotId) -> std::io::Result<()> {
        let (shared, id) = (Arc::clone(&self.guard.shared), id.clone());
        match tokio::task::spawn_blocking(move || shared.layers.delete(&id)).await {
            Ok(result) => result,
            Err(error) => Err(io::Error::other(error)),
        }
    }

    /// Ends every box and the helper process, and waits until they are gone.
    pub async fn close(&self) {
        let shared = &self.guard.shared;
        self.guard.watcher.abort();
        shared.layers.close();
        let boxes = shared.boxes();
        for inner in &boxes {
            inner.expect_end();
        }
        if let Some(mut child) = shared.helper.release() {
            let _ = tokio::task::spawn_blocking(move || child.wait()).await;
        }
        for inner in boxes {
            inner.swept().await;
        }
        shared.reaper.flush().await;
        drop(shared.merging.lock().await);
        shared.groups.iter().for_each(Groups::remove);
    }
}

/// Refuses specs that no driver could make sense of.
fn check(spec: &BoxSpec) -> Result<(), CreateError> {
    let user = &spec.user;
    let plain = |text: &str| {
        !text.is_empty() && !text.bytes().any(|byte| byte.is_ascii_control() || b":/ ".contains(&byte))
    };
    if !plain(&user.name) || user.name.len() > 32 {
        return Err(CreateError::Invalid(format!("{:?} is no login name", user.name)));
    }
    if user.uid >= 65_000 {
        return Err(CreateError::Invalid(format!("user id {} is above 64999", user.uid)));
    }
    let home = user.home.as_os_str().as_bytes();
    let normal = user
        .home
        .components()
        .all(|part| matches!(part, std::path::Component::RootDir | std::path::Component::Normal(_)));
    if !user.home.is_absolute()
        || !normal
        || home.iter().any(|byte| b":\n\0".contains(byte))
        || home.len() < 2
    {
        return Err(CreateError::Invalid(format!("{} is no home directory", user.home.display())));
    }
    if spec.hostname.is_empty() || spec.hostname.len() > 64 || !plain(&spec.hostname) {
        return Err(CreateError::Invalid(format!(
            "{:?} is no host name of at most 64 letters",
            spec.hostname
        )));
    }
    if spec.env.iter().any(|(key, value)| {
        let key = key.as_bytes();
        key.is_empty() || key.contains(&b'=') || key.contains(&0) || value.as_bytes().contains(&0)
    }) {
        return Err(CreateError::Invalid("an environment variable has an impossible name or value".into()));
    }
    for path in &spec.expose {
        if !path.is_absolute() || !path.exists() {
            return Err(CreateError::Invalid(format!(
                "{} cannot be exposed: it is not there",
                path.display()
            )));
        }
    }
    Ok(())
}

struct Opened {
    layers: Layers,
    driver: Driver,
    allow_weak: bool,
}

fn open_blocking(options: &SandboxOptions) -> Result<Opened, OpenError> {
    crate::sys::limits::raise_descriptors();
    let unusable = |source: io::Error| OpenError::StateDir { path: options.state_dir.clone(), source };
    let root = prepare_directory(&options.state_dir).map_err(unusable)?;
    let lock = take_lock(&root)?;
    let layers = Layers::load(&root).map_err(unusable)?;
    places::clear(layers.state()).map_err(unusable)?;
    let driver = drivers::choose(options, &root, &lock)?;
    Ok(Opened { layers, driver, allow_weak: options.allow_weak })
}

/// Makes the directories that every driver uses.
pub(crate) fn prepare_directory(path: &Path) -> io::Result<PathBuf> {
    std::fs::create_dir_all(path)?;
    let root = path.canonicalize()?;
    for name in ["ns/root", "ns/scratch", "layers"] {
        std::fs::create_dir_all(root.join(name))?;
    }
    // What a box's first process has to reach by name after it has become somebody else.
    std::fs::set_permissions(root.join("ns"), PermissionsExt::from_mode(0o711))?;
    places::prepare(&root)?;
    std::fs::set_permissions(root.join("layers"), PermissionsExt::from_mode(0o700))?;
    Ok(root)
}

/// The lock is shared with the zygote, which holds it until a dead harness's boxes are gone.
fn take_lock(root: &Path) -> Result<OwnedFd, OpenError> {
    let unusable = |source: io::Error| OpenError::StateDir { path: root.to_owned(), source };
    let file =
        File::options().create(true).truncate(false).write(true).open(root.join("lock")).map_err(unusable)?;
    let start = Instant::now();
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file.into()),
            Err(TryLockError::WouldBlock) if start.elapsed() < PREDECESSOR_PATIENCE => {
                std::thread::sleep(Duration::from_millis(20));
            }
            Err(TryLockError::WouldBlock) => return Err(OpenError::InUse { path: root.to_owned() }),
            Err(TryLockError::Error(source)) => return Err(unusable(source)),
        }
    }
}
