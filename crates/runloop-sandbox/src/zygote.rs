//! The helper process that boxes are forked from.
//!
//! It is the same program, executed again with an empty environment and nothing open but its socket, before the
//! harness has loaded any secret: a box's first process is a copy of it, and must have nothing to tell. It has one
//! thread, so that forking is safe, and it never waits for a box.
//!
//! When the harness is gone, however it went, the socket is at its end: the zygote kills every box and removes their
//! directories before it ends itself.

use std::collections::{HashMap, HashSet};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::broker::{self, Broker, Users};
use crate::confine;
use crate::id_maps;
use crate::mount_namespaces::MountNamespaces;
use crate::namespace::{self, Identity};
use crate::places;
use crate::protocol::{
    self, Birth, Failure, Lower, MAX_PACKET, Plan, Remains, Setup, Shape, ZygoteReply, ZygoteRequest,
};
use crate::spares::{self, SpareChild, Spares, Wanted};
use crate::sys::clone::{self, Forked, Namespaces};
use crate::sys::{files, ids, limits, mount, process, socket};
use crate::tree::Owners;

/// Where the zygote of the root driver merges bases with their skeletons, in its own mount namespace.
const BASES: &str = "ns/bases";

/// What the first process of every box in namespaces is forked into.
const NAMESPACES: Namespaces = Namespaces::PID.with(Namespaces::IPC).with(Namespaces::UTS);

struct Zygote {
    control: OwnedFd,
    /// Held as long as boxes may be there.
    _lock: OwnedFd,
    setup: Setup,
    uid: u32,
    gid: u32,
    /// First processes of boxes, and one that will be: not reaped yet, so the numbers are theirs.
    boxes: HashSet<i32>,
    /// Where bases are mounted, by the skeleton that lies over them.
    bases: HashMap<PathBuf, PathBuf>,
    /// Of host root.
    mount_namespaces: Option<MountNamespaces>,
    spares: Spares,
    /// Where the boxes are, if not in the state directory: that may be gone before the zygote.
    elsewhere: Option<PathBuf>,
    /// Control groups of this sandbox, to be removed in the end.
    groups: HashSet<PathBuf>,
}

/// The life of the helper process. Standard input is the socket to the harness; the working directory is the state
/// directory.
pub(crate) fn main() -> ! {
    process::close_from(3);
    let control = process::copy_above(io::stdin().as_fd(), 3);
    let null = std::fs::File::open("/dev/null");
    let (Ok(control), Ok(null)) = (control, null) else { process::exit_now(1) };
    let _ = process::place(null.as_fd(), 0);
    drop(null);
    limits::set_name(c"runloop-zygote");
    // A session of its own: Ctrl-C on the harness's terminal is for the harness.
    let _ = process::new_session();
    process::default_signals();
    let _ = limits::adopt_orphans();
    limits::umask(0o022);
    // When the machine runs out of memory, boxes go before their harness.
    let _ = std::fs::write("/proc/self/oom_score_adj", "300");
    let failure = match Zygote::begin(control) {
        Ok(zygote) => match zygote.serve() {
            Ok(()) => process::exit_now(0),
            Err(error) => error,
        },
        Err(error) => error,
    };
    tracing::debug!(%failure, "the zygote ends");
    process::exit_now(1)
}

impl Zygote {
    fn begin(control: OwnedFd) -> io::Result<Self> {
        let mut buffer = vec![0u8; MAX_PACKET + 64];
        let received = socket::receive(control.as_fd(), &mut buffer, true)?;
        let mut fds = received.fds;
        let message = protocol::unpack::<ZygoteRequest>(&buffer[..received.length], &mut fds);
        let (Some((number, ZygoteRequest::Begin { setup })), Some(lock)) = (message, fds.pop()) else {
            return Err(io::Error::from_raw_os_error(libc::EPROTO));
        };
        let mut zygote = Self {
            control,
            _lock: lock,
            setup,
            uid: ids::effective_uid(),
            gid: ids::effective_gid(),
            boxes: HashSet::new(),
            bases: HashMap::new(),
            mount_namespaces: None,
            spares: Spares::default(),
            elsewhere: files::open_directory(Path::new("."))
                .ok()
                .and_then(|state| places::elsewhere(state.as_fd())),
            groups: HashSet::new(),
        };
        let reply = match zygote.prepare() {
            Ok(()) => ZygoteReply::Ready {},
            Err(failure) => ZygoteReply::Failed { failure },
        };
        protocol::send(zygote.control.as_fd(), number, &reply, &[])?;
        Ok(zygote)
    }

    fn prepare(&mut self) -> Result<(), Failure> {
        if let Setup::Root { .. } = self.setup {
            clone::unshare(Namespaces::MOUNT)
                .map_err(|error| Failure::new("making a mount namespace", &error))?;
            mount::stop_propagation().map_err(|error| Failure::new("making mounts private", &error))?;
            namespace::make_device_template()?;
            let failed = |error: io::Error| Failure::new("mounting a tmpfs for bases", &error);
            std::fs::create_dir_all(BASES).map_err(failed)?;
            let attributes = mount::Attributes::NONE;
            let memory = mount::filesystem(c"tmpfs", &[(c"mode", "700"), (c"size", "64m")], attributes);
            mount::attach(memory.map_err(failed)?.as_fd(), Path::new(BASES)).map_err(failed)?;
            self.mount_namespaces = Some(MountNamespaces::new()?);
            self.stock()?;
        }
        Ok(())
    }

    fn serve(mut self) -> io::Result<()> {
        let events = process::child_events()?;
        let mut buffer = vec![0u8; MAX_PACKET + 64];
        // What cannot be made ahead is not tried again and again, but made when a box needs it, which then tells why not.
        let mut is_stocking = self.shift().is_some();
        loop {
            let wants_spare = is_stocking && self.spares.wanted().is_some();
            // Made when there is nothing better to do.
            let timeout = wants_spare.then_some(0);
            let [asked, ended] = process::wait_readable([self.control.as_fd(), events.as_fd()], timeout)?;
            if ended {
                process::drain(events.as_fd());
                self.reap();
            }
            if asked {
                let received = socket::receive(self.control.as_fd(), &mut buffer, true);
                match received {
                    Ok(received) if received.length > 0 => {
                        self.answer(&buffer[..received.length], received.fds)?;
                    }
                    _ => {
                        self.finish();
                        return Ok(());
                    }
                }
            } else if wants_spare {
                is_stocking = self.stock().is_ok();
            }
        }
    }

    /// Where the ids of boxes begin; only host root shifts them.
    fn shift(&self) -> Option<u32> {
        match self.setup {
            Setup::Root { shift } => Some(shift),
            _ => None,
        }
    }

    /// Makes one thing ahead of need.
    fn stock(&mut self) -> Result<(), Failure> {
        let (Some(wanted), Some(shift)) = (self.spares.wanted(), self.shift()) else { return Ok(()) };
        match wanted {
            Wanted::Child => {
                let (channel, end) =
                    socket::pair().map_err(|error| Failure::new("making a socket for a process", &error))?;
                match self.fork(NAMESPACES)? {
                    Forked::Child => self.wait_for_a_box(end),
                    Forked::Parent { pid, pidfd } => {
                        self.boxes.insert(pid);
                        self.spares.child = Some(SpareChild { pid, pidfd, channel });
                    }
                }
            }
            Wanted::Network => self.spares.networks.push(spares::network()?),
            Wanted::User => self.spares.users.push(id_maps::user_namespace(shift, None)?),
        }
        Ok(())
    }

    fn fork(&self, namespaces: Namespaces) -> Result<Forked, Failure> {
        clone::fork_into(namespaces).map_err(|error| Failure::new("forking", &error))
    }

    /// Forgets boxes that ended, and ends what a dead broker left to the zygote to adopt.
    fn reap(&mut self) {
        let mut adopted = false;
        while let Ok(Some((pid, _))) = process::reap(false) {
            adopted |= self.boxes.remove(&pid);
        }
        if adopted && let Setup::Process { .. } = self.setup {
            broker::kill_adopted(&self.boxes);
        }
    }

    fn answer(&mut self, packet: &[u8], mut fds: Vec<OwnedFd>) -> io::Result<()> {
        let Some((number, request)) = protocol::unpack::<ZygoteRequest>(packet, &mut fds) else {
            return Err(io::Error::from_raw_os_error(libc::EPROTO));
        };
        let mut fds = fds.into_iter();
        let (ZygoteRequest::Create { plan, kept }, Some(socket)) = (request, fds.next()) else {
            return Err(io::Error::from_raw_os_error(libc::EPROTO));
        };
        match self.create(*plan, &socket, Remains::take(&kept, &mut fds)) {
            Ok((pidfd, remains)) => {
                let along: Vec<_> = std::iter::once(pidfd.as_fd()).chain(remains.descriptors()).collect();
                let reply = ZygoteReply::Created { kept: remains.kept() };
                protocol::send(self.control.as_fd(), number, &reply, &along)
            }
            Err(failure) => {
                protocol::send(self.control.as_fd(), number, &ZygoteReply::Failed { failure }, &[])
            }
        }
    }

    /// Forks the first process of a box and returns a handle on it, with what another start can use.
    fn create(
        &mut self,
        mut plan: Plan,
        socket: &OwnedFd,
        mut remains: Remains,
    ) -> Result<(OwnedFd, Remains), Failure> {
        self.groups.extend(plan.group_roots.iter().cloned());
        if let (Some(shift), Shape::Namespaces { trees, .. }) = (self.shift(), &mut plan.shape) {
            for lower in trees.iter_mut().flat_map(|tree| &mut tree.lowers) {
                if let Lower::Base { skeleton, host, stranger } = lower {
                    let path = self.base(shift, skeleton, host, *stranger)?;
                    *lower = Lower::Layer { path };
                }
            }
            if remains.user.is_none() {
                let spare = self.spares.users.pop();
                remains.user = Some(spare.map_or_else(|| id_maps::user_namespace(shift, None), Ok)?);
            }
            if plan.offline && remains.network.is_none() {
                remains.network = Some(self.spares.networks.pop().map_or_else(spares::network, Ok)?);
            }
            remains.mounts = self.mount_namespaces.as_ref().map(MountNamespaces::another).transpose()?;
        }
        let mut namespaces = Namespaces::NONE;
        if !matches!(self.setup, Setup::Process { .. }) {
            namespaces = NAMESPACES;
        }
        if let Setup::User {} = self.setup {
            namespaces = namespaces.with(Namespaces::USER).with(Namespaces::MOUNT);
            if plan.offline {
                namespaces = namespaces.with(Namespaces::NET);
            }
        }
        let birth = Birth { plan, kept: remains.kept() };
        let along: Vec<_> = std::iter::once(socket.as_fd()).chain(remains.descriptors()).collect();
        let spare = self.spares.child.take().and_then(|child| child.become_box(&birth, &along));
        let (pid, pidfd) = match spare {
            Some(started) => started,
            None => match self.fork(namespaces)? {
                Forked::Child => self.become_broker(birth.plan, socket, remains),
                Forked::Parent { pid, pidfd } => {
                    self.boxes.insert(pid);
                    (pid, pidfd)
                }
            },
        };
        remains.root = None;
        if let Setup::User {} = self.setup {
            remains.mounts = namespace_of(pid, "mnt");
        }
        Ok((pidfd, remains))
    }

    /// In a child made ahead of need: waits for its box. Never comes back to the zygote's code.
    fn wait_for_a_box(&self, channel: OwnedFd) -> ! {
        let run = || -> Option<std::convert::Infallible> {
            limits::set_name(c"runloop-spare");
            let channel = process::keep_only(&[channel.as_fd()]).ok()?.pop()?;
            let mut buffer = vec![0u8; MAX_PACKET + 64];
            // At its end when the zygote is gone or has no use for this process any more.
            let received = socket::receive(channel.as_fd(), &mut buffer, true).ok()?;
            let mut fds = received.fds;
            let (_, Birth { plan, kept }) = protocol::unpack(&buffer[..received.length], &mut fds)?;
            let mut fds = fds.into_iter();
            let socket = fds.next()?;
            self.become_broker(plan, &socket, Remains::take(&kept, &mut fds))
        };
        let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(run));
        process::exit_now(0)
    }

    /// In the child: never comes back to the zygote's code.
    fn become_broker(&self, plan: Plan, socket: &OwnedFd, remains: Remains) -> ! {
        let run = || -> Result<std::convert::Infallible, (OwnedFd, Failure)> {
            process::unblock_signals();
            limits::set_name(c"runloop-box");
            let wanted: Vec<_> = std::iter::once(socket.as_fd()).chain(remains.descriptors()).collect();
            let Ok(kept) = process::keep_only(&wanted) else { process::exit_now(1) };
            let mut kept = kept.into_iter();
            let Some(socket) = kept.next() else { process::exit_now(1) };
            let kept = Remains::take(&remains.kept(), &mut kept);
            // Its numbers are those of the others now.
            std::mem::forget(remains);
            match self.settle(&plan, kept) {
                Ok((users, root)) => {
                    let copy = socket.try_clone();
                    match (Broker::new(socket, plan, users), copy) {
                        (Ok(broker), copy) => {
                            drop(copy);
                            broker.serve(root)
                        }
                        (Err(failure), Ok(copy)) => Err((copy, failure)),
                        _ => process::exit_now(1),
                    }
                }
                Err(failure) => Err((socket, failure)),
            }
        };
        // A panic must not unwind into the zygote's loop, of which this is a copy.
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(run));
        if let Ok(Err((socket, failure))) = result {
            let _ = protocol::send(socket.as_fd(), 0, &protocol::Reply::Failed { failure }, &[]);
        }
        process::exit_now(1)
    }

    /// In the child: moves into the box. Returns its root too, where that can be used again.
    fn settle(&self, plan: &Plan, kept: Remains) -> Result<(Users, Option<OwnedFd>), Failure> {
        for group in &plan.groups {
            std::fs::write(group, "0")
                .map_err(|error| Failure::new(format!("joining {}", group.display()), &error))?;
        }
        match &plan.shape {
            Shape::Namespaces { trees, shown, resolver, fake_owners } => {
                let identity = match (&self.setup, kept.user, kept.mounts) {
                    (Setup::Root { shift }, Some(user_namespace), Some(mounts)) => {
                        Identity::Shifted { user_namespace, mounts, shift: *shift }
                    }
                    _ => {
                        namespace::map_single_user(plan.uid, self.uid, self.gid)?;
                        Identity::Single
                    }
                };
                if let Some(network) = kept.network {
                    namespace::enter_network(network.as_fd())?;
                }
                let users =
                    if matches!(identity, Identity::Shifted { .. }) { Users::Any } else { Users::Same };
                let root = namespace::enter(plan, trees, shown, resolver.as_deref(), identity, kept.root)?;
                if *fake_owners {
                    confine::fake_owner_changes()
                        .map_err(|error| Failure::new("installing a seccomp filter", &error))?;
                }
                Ok((users, root))
            }
            Shape::Directory { path, uid, readable } => {
                let landlock = matches!(self.setup, Setup::Process { confine: true });
                confine::enter_directory(path, *uid, readable, plan.offline, landlock)?;
                Ok((uid.map_or(Users::Same, Users::Only), None))
            }
        }
    }

    /// The place where a skeleton over a host directory with shifted owners is mounted, read-only.
    ///
    /// The kernel refuses to stack a directory over one that contains it, and the host's root contains our layers. So
    /// the skeleton is copied into memory and the two are merged here, once; boxes stack their layers over the result.
    fn base(
        &mut self,
        shift: u32,
        skeleton: &Path,
        host: &Path,
        stranger: Option<u32>,
    ) -> Result<PathBuf, Failure> {
        if let Some(place) = self.bases.get(skeleton) {
            return Ok(place.clone());
        }
        let step = format!("preparing {} as a base", host.display());
        let failed = |error: io::Error| Failure::new(step.clone(), &error);
        let place = |name: &str| PathBuf::from(format!("{BASES}/{name}{}", self.bases.len()));
        let (shown, copy, merged) = (place("host"), place("skeleton"), place("base"));
        for path in [&shown, &merged] {
            std::fs::create_dir_all(path).map_err(failed)?;
        }
        let tree = mount::clone_tree(host, false).map_err(failed)?;
        let map = id_maps::user_namespace(shift, stranger)?;
        mount::map_owners(tree.as_fd(), map.as_fd()).map_err(failed)?;
        mount::attach(tree.as_fd(), &shown).map_err(failed)?;
        let state = files::open_directory(Path::new(".")).map_err(failed)?;
        crate::tree::copy(state.as_fd(), skeleton, &copy, Owners::Keep, 1).map_err(failed)?;
        let base = mount::merged(&[&copy, &shown]).map_err(failed)?;
        mount::attach(base.as_fd(), &merged).map_err(failed)?;
        self.bases.insert(skeleton.to_owned(), merged.clone());
        Ok(merged)
    }

    /// The harness is gone: so is everything that ran for it.
    fn finish(&mut self) {
        for pid in &self.boxes {
            let _ = process::kill(*pid, libc::SIGKILL);
        }
        if let Setup::Process { .. } = self.setup {
            broker::kill_descendants();
        }
        while process::reap(true).is_ok() {}
        for group in &self.groups {
            crate::groups::remove_group(group);
        }
        let remains = files::open_directory(Path::new("."));
        if let Ok(state) = remains {
            let _ = places::clear(state.as_fd());
        }
        if let Some(path) = &self.elsewhere {
            let _ = places::remove(path);
        }
    }
}

/// A namespace of a process that was just forked; `None` if it is gone already.
fn namespace_of(pid: i32, kind: &str) -> Option<OwnedFd> {
    std::fs::File::open(format!("/proc/{pid}/ns/{kind}")).ok().map(OwnedFd::from)
}

/// Whether a program's first argument makes it the zygote.
pub(crate) fn is_asked_for(argument: Option<&std::ffi::OsStr>) -> bool {
    argument.is_some_and(|text| text.as_bytes() == protocol::ZYGOTE_ARGUMENT.as_bytes())
}
