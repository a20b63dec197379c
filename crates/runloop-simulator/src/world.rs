//! Everything there is in the simulated world.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use runloop_types::{
    BlueprintView, DevboxCreateParams, DevboxId, DevboxSnapshotView, DevboxStatus, Mount, NetworkPolicyView,
    ObjectState, ObjectView, SecretView, SnapshotId,
};

use crate::command::Disk;
use crate::counts::Counts;
use crate::devbox::{Devbox, End};
use crate::error::ApiError;
use crate::replay::Replays;
use crate::script::Script;

/// Ended devboxes that are still told of.
const MOST_ENDED: usize = 20_000;

pub(crate) type Shared = Arc<World>;

/// Everything there is.
pub(crate) struct World {
    pub(crate) script: Script,
    pub(crate) url: String,
    pub(crate) key: String,
    pub(crate) replays: Replays,
    pub(crate) requests: Mutex<HashMap<String, u64>>,
    pub(crate) things: Mutex<Things>,
    next: AtomicU64,
}

/// What has an id, by it: ids are in order of creation.
#[derive(Default)]
pub(crate) struct Things {
    pub(crate) devboxes: BTreeMap<DevboxId, Arc<Devbox>>,
    /// Oldest first.
    ended: VecDeque<DevboxId>,
    /// How many devboxes have had this name.
    named: HashMap<String, u64>,
    living: usize,
    most_living: usize,
    created: u64,
    pub(crate) snapshots: BTreeMap<String, Snapshot>,
    pub(crate) deleted_snapshots: HashSet<String>,
    pub(crate) objects: BTreeMap<String, Object>,
    pub(crate) policies: BTreeMap<String, NetworkPolicyView>,
    pub(crate) secrets: BTreeMap<String, SecretView>,
    pub(crate) blueprints: BTreeMap<String, BlueprintView>,
}

pub(crate) struct Snapshot {
    pub(crate) view: DevboxSnapshotView,
    /// The files; none while it is being taken.
    pub(crate) disk: Option<Disk>,
}

pub(crate) struct Object {
    pub(crate) view: ObjectView,
    pub(crate) content: Option<Bytes>,
}

impl World {
    pub(crate) fn new(script: Script, url: String, key: String) -> Shared {
        Arc::new(Self {
            script,
            url,
            key,
            replays: Replays::default(),
            requests: Mutex::default(),
            things: Mutex::default(),
            next: AtomicU64::new(1),
        })
    }

    /// An id that was never given before and sorts after all that were.
    pub(crate) fn id(&self, prefix: &str) -> String {
        format!("{prefix}{:016x}", self.next.fetch_add(1, Ordering::Relaxed))
    }

    pub(crate) fn things(&self) -> MutexGuard<'_, Things> {
        self.things.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn devbox(&self, id: &str) -> Result<Arc<Devbox>, ApiError> {
        let found = self.things().devboxes.get(&DevboxId::from(id)).cloned();
        found.ok_or_else(|| ApiError::not_found("devbox", id))
    }

    /// Makes a devbox, which runs after its time.
    pub(crate) fn create(self: &Arc<Self>, params: DevboxCreateParams) -> Result<Arc<Devbox>, ApiError> {
        let mut things = self.things();
        let mut disk = match &params.snapshot_id {
            Some(id) => things.files_of(id)?,
            None => Disk::new(),
        };
        for mount in params.mounts.iter().flatten() {
            match mount {
                Mount::FileMount { target, content } => {
                    disk.insert(target.clone(), Bytes::copy_from_slice(content.as_bytes()));
                }
                Mount::ObjectMount { object_id, object_path } => {
                    let content = things.content_of(object_id.as_str())?;
                    disk.insert(object_path.clone(), content);
                }
                other => {
                    return Err(ApiError::bad_request(format!("this mount is not simulated: {other:?}")));
                }
            }
        }
        if self.script.most_devboxes.is_some_and(|most| things.living >= most) {
            return Err(ApiError::too_many(format!("{} devboxes are alive", things.living)));
        }
        let seed = self.seed_of(&mut things, params.name.as_deref().unwrap_or_default());
        let id = DevboxId::new(self.id(DevboxId::PREFIX));
        let devbox = Devbox::new(id.clone(), params, disk, seed);
        things.devboxes.insert(id, Arc::clone(&devbox));
        things.living += 1;
        things.created += 1;
        things.most_living = things.most_living.max(things.living);
        drop(things);
        self.bring_up(&devbox);
        Ok(devbox)
    }

    /// The same for the same name and number of devboxes of that name, in whatever order they come.
    fn seed_of(&self, things: &mut Things, name: &str) -> u64 {
        let nth = things.named.entry(name.to_owned()).or_default();
        *nth += 1;
        let mut hasher = DefaultHasher::new();
        (self.script.seed, name, *nth).hash(&mut hasher);
        hasher.finish()
    }

    fn bring_up(self: &Arc<Self>, devbox: &Arc<Devbox>) {
        {
            let (world, devbox) = (Arc::clone(self), Arc::clone(devbox));
            tokio::spawn(async move {
                if devbox.forgotten().await {
                    world.end(&devbox, End::Forgotten);
                }
            });
        }
        let time = devbox.draw(self.script.times.create);
        if devbox.chance(self.script.deaths) {
            let (world, devbox) = (Arc::clone(self), Arc::clone(devbox));
            let life = devbox.draw(self.script.times.life);
            tokio::spawn(async move {
                tokio::time::sleep(life).await;
                world.end(&devbox, End::Broken);
            });
        }
        self.after(devbox, time, DevboxStatus::Provisioning, DevboxStatus::Running);
    }

    /// Takes a devbox from one state to the next when the time has come.
    pub(crate) fn after(
        &self,
        devbox: &Arc<Devbox>,
        time: std::time::Duration,
        from: DevboxStatus,
        to: DevboxStatus,
    ) {
        if time.is_zero() {
            devbox.enter(&[from], to);
            return;
        }
        let devbox = Arc::clone(devbox);
        tokio::spawn(async move {
            tokio::time::sleep(time).await;
            devbox.enter(&[from], to);
        });
    }

    /// Ends a devbox, and forgets the one that ended longest ago when there are many.
    pub(crate) fn end(&self, devbox: &Devbox, end: End) {
        if !devbox.end(end) {
            return;
        }
        let mut things = self.things();
        things.living -= 1;
        things.ended.push_back(devbox.id.clone());
        if things.ended.len() > MOST_ENDED
            && let Some(oldest) = things.ended.pop_front()
        {
            things.devboxes.remove(&oldest);
        }
    }

    /// All devboxes that are known, newest first.
    pub(crate) fn devboxes(&self) -> Vec<Arc<Devbox>> {
        self.things().devboxes.values().rev().cloned().collect()
    }

    /// What was asked and what is alive.
    pub(crate) fn counts(&self) -> Counts {
        let by_route: BTreeMap<String, u64> = {
            let requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
            requests.iter().map(|(route, count)| (route.clone(), *count)).collect()
        };
        let things = self.things();
        Counts {
            requests: by_route.values().sum(),
            by_route,
            devboxes_created: things.created,
            devboxes: things.living,
            most_devboxes: things.most_living,
            snapshots: things.snapshots.len(),
            objects: things
                .objects
                .values()
                .filter(|object| object.view.state != ObjectState::Deleted)
                .count(),
            blueprints: things.blueprints.len(),
            policies: things.policies.len(),
        }
    }

    pub(crate) fn count(&self, route: &str) {
        let mut requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        match requests.get_mut(route) {
            Some(count) => *count += 1,
            None => drop(requests.insert(route.to_owned(), 1)),
        }
    }
}

impl Things {
    fn files_of(&self, id: &SnapshotId) -> Result<Disk, ApiError> {
        let gone = || ApiError::bad_request(format!("there is no snapshot `{id}`"));
        self.snapshots
            .get(id.as_str())
            .ok_or_else(gone)?
            .disk
            .clone()
            .ok_or_else(|| ApiError::bad_request(format!("snapshot `{id}` is still being taken")))
    }

    fn content_of(&self, id: &str) -> Result<Bytes, ApiError> {
        let gone = || ApiError::bad_request(format!("there is no object `{id}`"));
        let object = self.objects.get(id).ok_or_else(gone)?;
        match (&object.content, &object.view.state) {
            (Some(content), ObjectState::ReadOnly) => Ok(content.clone()),
            (_, state) => Err(ApiError::bad_request(format!("object `{id}` is {state}"))),
        }
    }
}

/// The time in Unix milliseconds.
pub(crate) fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
