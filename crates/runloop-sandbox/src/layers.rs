//! The state directory: snapshots as layers, who needs which, and the places of boxes.
//!
//! ```text
//! lock                    held by the harness and its zygote
//! layers/<id>/meta.json   what the layer stands on
//! layers/<id>/tree/...    its files, one directory per tree of a box
//! layers/<id>/deleted     the snapshot is deleted, other layers still stand on it
//! boxes/<id>/...          gone with the harness
//! skeletons/<digest>/...  what every box over a base has: accounts, home, hidden directories
//! ```

use std::collections::HashMap;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use crate::guarantees::DriverKind;
use crate::spec::{Base, SnapshotId};
use crate::sys::files;
use crate::tree;

/// Version of `meta.json`.
const VERSION: u32 = 1;

/// More layers than this are not stacked: the kernel stops at 500.
pub(crate) const MAX_LAYERS: usize = 400;

/// What a layer was taken over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Meta {
    version: u32,
    /// Layers of different drivers differ in owners and marks.
    pub(crate) driver: DriverKind,
    pub(crate) base: Base,
    /// Layers below it, the uppermost first.
    pub(crate) parents: Vec<SnapshotId>,
}

impl Meta {
    pub(crate) fn new(driver: DriverKind, base: Base, parents: Vec<SnapshotId>) -> Self {
        Self { version: VERSION, driver, base, parents }
    }
}

#[derive(Debug)]
struct Layer {
    meta: Meta,
    deleted: bool,
    /// Boxes that stand on it.
    boxes: usize,
}

/// The layers of one state directory.
#[derive(Debug)]
pub(crate) struct Layers {
    root: PathBuf,
    state: OwnedFd,
    layers: Mutex<HashMap<SnapshotId, Layer>>,
}

impl Layers {
    /// Reads what is there. Layers without complete metadata are remains of a snapshot that was never finished: nobody
    /// was told their id, and they are removed.
    pub(crate) fn load(root: &Path) -> io::Result<Self> {
        let state = files::open_directory(root)?;
        std::fs::create_dir_all(root.join("layers"))?;
        let mut layers = HashMap::new();
        for entry in std::fs::read_dir(root.join("layers"))? {
            let entry = entry?;
            let known = entry.file_name().to_str().and_then(SnapshotId::parse).and_then(|id| {
                let meta: Meta =
                    serde_json::from_slice(&std::fs::read(entry.path().join("meta.json")).ok()?).ok()?;
                let whole = entry.path().join("tree").is_dir();
                whole.then_some((id, meta))
            });
            match known {
                Some((id, meta)) if meta.version == VERSION => {
                    let deleted = entry.path().join("deleted").exists();
                    layers.insert(id, Layer { meta, deleted, boxes: 0 });
                }
                // Of a newer version of ours: neither usable nor ours to remove.
                Some(_) => {}
                None => {
                    let path = Path::new("layers").join(entry.file_name());
                    tree::remove(state.as_fd(), &path)?;
                }
            }
        }
        let this = Self { root: root.to_owned(), state, layers: Mutex::new(layers) };
        this.sweep()?;
        Ok(this)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<SnapshotId, Layer>> {
        self.layers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where the files of a layer's tree are, relative to the state directory.
    pub(crate) fn tree(id: &SnapshotId, name: &str) -> PathBuf {
        Path::new("layers").join(id.as_str()).join("tree").join(name)
    }

    pub(crate) fn has(&self, id: &SnapshotId) -> bool {
        self.lock().get(id).is_some_and(|layer| !layer.deleted)
    }

    /// The snapshots there are, oldest first.
    pub(crate) fn list(&self) -> Vec<SnapshotId> {
        let layers = self.lock();
        let mut ids: Vec<_> =
            layers.iter().filter(|(_, layer)| !layer.deleted).map(|(id, _)| id.clone()).collect();
        // Their names begin with the time.
        ids.sort();
        ids
    }

    /// What a snapshot stands on, if it is there.
    pub(crate) fn meta(&self, id: &SnapshotId) -> Option<Meta> {
        self.lock().get(id).filter(|layer| !layer.deleted).map(|layer| layer.meta.clone())
    }

    /// Whether a layer has files for this tree.
    pub(crate) fn has_tree(&self, id: &SnapshotId, name: &str) -> bool {
        self.root.join(Self::tree(id, name)).is_dir()
    }

    /// A box begins to stand on these layers; false if one of them is gone meanwhile.
    pub(crate) fn hold(&self, ids: &[SnapshotId]) -> bool {
        let mut layers = self.lock();
        if !ids.iter().all(|id| layers.contains_key(id)) {
            return false;
        }
        for id in ids {
            if let Some(layer) = layers.get_mut(id) {
                layer.boxes += 1;
            }
        }
        true
    }

    /// A box no longer stands on these layers.
    pub(crate) fn release(&self, ids: &[SnapshotId]) {
        {
            let mut layers = self.lock();
            for id in ids {
                if let Some(layer) = layers.get_mut(id) {
                    layer.boxes = layer.boxes.saturating_sub(1);
                }
            }
        }
        if let Err(error) = self.sweep() {
            tracing::warn!(%error, "a deleted snapshot could not be removed from disk");
        }
    }

    /// Makes a layer out of a directory that `fill` puts at the path it is given (relative to the state directory).
    pub(crate) fn add(
        &self,
        meta: Meta,
        fill: impl FnOnce(&Path) -> io::Result<()>,
    ) -> io::Result<SnapshotId> {
        let id = SnapshotId(unique_name("snp"));
        let directory = Path::new("layers").join(id.as_str());
        std::fs::create_dir(self.root.join(&directory))?;
        let made = fill(&directory.join("tree")).and_then(|()| {
            // Last and by renaming: a layer with metadata is a whole one.
            let text = serde_json::to_vec(&meta)?;
            std::fs::write(self.root.join(&directory).join("meta.tmp"), text)?;
            std::fs::rename(
                self.root.join(&directory).join("meta.tmp"),
                self.root.join(&directory).join("meta.json"),
            )
        });
        if let Err(error) = made {
            let _ = tree::remove(self.state.as_fd(), &directory);
            return Err(error);
        }
        self.lock().insert(id.clone(), Layer { meta, deleted: false, boxes: 0 });
        Ok(id)
    }

    /// Marks a snapshot as deleted and removes what nothing stands on.
    pub(crate) fn delete(&self, id: &SnapshotId) -> io::Result<()> {
        {
            let mut layers = self.lock();
            let Some(layer) = layers.get_mut(id) else { return Ok(()) };
            std::fs::write(self.root.join("layers").join(id.as_str()).join("deleted"), "")?;
            layer.deleted = true;
        }
        self.sweep()
    }

    /// Removes deleted layers that neither a box nor a layer needs.
    fn sweep(&self) -> io::Result<()> {
        loop {
            let free: Vec<SnapshotId> = {
                let mut layers = self.lock();
                let needed: std::collections::HashSet<_> =
                    layers.values().flat_map(|layer| layer.meta.parents.iter().cloned()).collect();
                let free: Vec<_> = layers
                    .iter()
                    .filter(|(id, layer)| layer.deleted && layer.boxes == 0 && !needed.contains(*id))
                    .map(|(id, _)| id.clone())
                    .collect();
                for id in &free {
                    layers.remove(id);
                }
                free
            };
            if free.is_empty() {
                return Ok(());
            }
            for id in free {
                // The metadata goes first: what is left after a crash is then known to be nothing.
                let directory = Path::new("layers").join(id.as_str());
                let _ = std::fs::remove_file(self.root.join(&directory).join("meta.json"));
                tree::remove(self.state.as_fd(), &directory)?;
            }
        }
    }

    /// The state directory, for calls relative to it.
    pub(crate) fn state(&self) -> std::os::fd::BorrowedFd<'_> {
        self.state.as_fd()
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }
}

/// A name that no other file here has: time, process and a counter.
pub(crate) fn unique_name(prefix: &str) -> String {
    use std::sync::atomic::{AtomicU64, Ordering};
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    let count = COUNTER.fetch_add(1, Ordering::Relaxed);
    format!("{prefix}-{:x}-{:x}-{count:x}", now.as_micros(), std::process::id())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layers() -> (tempfile::TempDir, Layers) {
        let directory = tempfile::tempdir().unwrap();
        let layers = Layers::load(directory.path()).unwrap();
        (directory, layers)
    }

    fn add(layers: &Layers, parents: &[&SnapshotId]) -> SnapshotId {
        let parents = parents.iter().map(|id| (*id).clone()).collect();
        let root = layers.root().to_owned();
        layers
            .add(Meta::new(DriverKind::NamespacesUser, Base::Host, parents), |path| {
                std::fs::create_dir_all(root.join(path).join("root"))
            })
            .unwrap()
    }

    fn on_disk(layers: &Layers, id: &SnapshotId) -> bool {
        layers.root().join("layers").join(id.as_str()).exists()
    }

    #[test]
    fn a_deleted_layer_stays_on_disk_while_another_stands_on_it() {
        let (_directory, layers) = layers();
        let below = add(&layers, &[]);
        let above = add(&layers, &[&below]);
        layers.delete(&below).unwrap();
        assert!(!layers.has(&below) && on_disk(&layers, &below));
        layers.delete(&above).unwrap();
        assert!(!on_disk(&layers, &below) && !on_disk(&layers, &above));
    }

    #[test]
    fn a_deleted_layer_stays_on_disk_while_a_box_stands_on_it() {
        let (_directory, layers) = layers();
        let id = add(&layers, &[]);
        assert!(layers.hold(std::slice::from_ref(&id)));
        layers.delete(&id).unwrap();
        assert!(on_disk(&layers, &id));
        layers.release(std::slice::from_ref(&id));
        assert!(!on_disk(&layers, &id));
        assert!(!layers.hold(&[id]));
    }

    #[test]
    fn snapshots_and_deletions_outlive_the_process() {
        let (directory, layers) = layers();
        let below = add(&layers, &[]);
        let above = add(&layers, &[&below]);
        layers.delete(&below).unwrap();
        let again = Layers::load(directory.path()).unwrap();
        assert!(again.has(&above) && !again.has(&below));
        assert_eq!(again.list(), std::slice::from_ref(&above));
        assert_eq!(again.meta(&above).unwrap().parents, [below]);
    }

    #[test]
    fn a_layer_that_was_never_finished_is_removed() {
        let (directory, layers) = layers();
        drop(layers);
        std::fs::create_dir_all(directory.path().join("layers/snp-x/tree")).unwrap();
        Layers::load(directory.path()).unwrap();
        assert!(!directory.path().join("layers/snp-x").exists());
    }

    #[test]
    fn deleting_what_is_not_there_is_no_error() {
        let (_directory, layers) = layers();
        layers.delete(&SnapshotId("snp-none".into())).unwrap();
    }
}
