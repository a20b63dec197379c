//! The state directory: snapshots as layers, who needs which, and the places of boxes.
//!
//! ```text
//! lock                    held by the harness and its zygote
//! layers/<id>/meta.json   what the layer stands on
//! layers/<id>/tree/...    its files, one directory per tree of a box
//! layers/<id>/deleted     the snapshot is deleted (or never was one, but is made of several), others still stand on it
//! boxes/<id>/...          gone with the harness
//! skeletons/<digest>/...  what every box over a base has: accounts, home, hidden directories
//! ```

use std::collections::HashMap;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
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

/// From as many layers below a snapshot on, some of them are merged into one.
const MERGE_AT: usize = 64;

/// What a layer was taken over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Meta {
    version: u32,
    /// Layers of different drivers differ in owners and marks.
    pub(crate) driver: DriverKind,
    pub(crate) base: Base,
    /// Layers below it, the uppermost first.
    pub(crate) parents: Vec<SnapshotId>,
    /// Not a snapshot, but made of several to take their place below others.
    #[serde(default)]
    merged: bool,
}

impl Meta {
    pub(crate) fn new(driver: DriverKind, base: Base, parents: Vec<SnapshotId>) -> Self {
        Self { version: VERSION, driver, base, parents, merged: false }
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
    /// Mergings that failed: the more, the longer chains get before the next is tried.
    failures: AtomicU32,
    /// Merging is to be given up.
    closing: AtomicBool,
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
        let this = Self {
            root: root.to_owned(),
            state,
            layers: Mutex::new(layers),
            failures: AtomicU32::new(0),
            closing: AtomicBool::new(false),
        };
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

    /// What a box stands on that stood on these layers, now that some of them may have been merged: the same files in
    /// fewer layers. Holds the one chain instead of the other.
    pub(crate) fn hold_shorter(&self, held: &[SnapshotId]) -> Vec<SnapshotId> {
        let chain = {
            let mut layers = self.lock();
            let Some(top) = held.first() else { return Vec::new() };
            let Some(layer) = layers.get(top) else { return held.to_vec() };
            let mut chain = vec![top.clone()];
            chain.extend(layer.meta.parents.iter().cloned());
            // A merged layer is there as long as another stands on it.
            for id in &chain {
                if let Some(layer) = layers.get_mut(id) {
                    layer.boxes += 1;
                }
            }
            chain
        };
        self.release(held);
        chain
    }

    /// Makes a layer out of a directory that `fill` puts at the path it is given (relative to the state directory).
    pub(crate) fn add(
        &self,
        meta: Meta,
        fill: impl FnOnce(&Path) -> io::Result<()>,
    ) -> io::Result<SnapshotId> {
        self.make(Layer { meta, deleted: false, boxes: 0 }, fill)
    }

    fn make(&self, layer: Layer, fill: impl FnOnce(&Path) -> io::Result<()>) -> io::Result<SnapshotId> {
        let id = SnapshotId(unique_name("snp"));
        let directory = Path::new("layers").join(id.as_str());
        std::fs::create_dir(self.root.join(&directory))?;
        let made = fill(&directory.join("tree")).and_then(|()| {
            if layer.deleted {
                std::fs::write(self.root.join(&directory).join("deleted"), "")?;
            }
            // Last: a layer with metadata is a whole one.
            self.write_meta(&id, &layer.meta)
        });
        if let Err(error) = made {
            let _ = tree::remove(self.state.as_fd(), &directory);
            return Err(error);
        }
        self.lock().insert(id.clone(), layer);
        Ok(id)
    }

    /// By renaming, so that there is always either the old or the new.
    fn write_meta(&self, id: &SnapshotId, meta: &Meta) -> io::Result<()> {
        let directory = self.root.join("layers").join(id.as_str());
        std::fs::write(directory.join("meta.tmp"), serde_json::to_vec(meta)?)?;
        std::fs::rename(directory.join("meta.tmp"), directory.join("meta.json"))
    }

    /// The layers below a snapshot that had better be one, the uppermost first, if there are that many.
    ///
    /// Those that no merging has touched yet, as long as they are the most of them: then every file is copied but a few
    /// times, however long a chain gets.
    fn to_merge(&self, id: &SnapshotId) -> Option<Vec<SnapshotId>> {
        let layers = self.lock();
        let parents = &layers.get(id)?.meta.parents;
        let limit = MERGE_AT << self.failures.load(Ordering::Relaxed).min(2);
        if parents.len() < limit {
            return None;
        }
        let is_merged = |id: &SnapshotId| layers.get(id).is_some_and(|layer| layer.meta.merged);
        let fresh = parents.iter().take_while(|id| !is_merged(id)).count();
        let count = if fresh * 2 >= parents.len() { fresh } else { parents.len() };
        Some(parents[..count].to_vec())
    }

    /// Whether [`Layers::merge_below`] has something to do.
    pub(crate) fn are_many_below(&self, id: &SnapshotId) -> bool {
        !self.closing.load(Ordering::Relaxed) && self.to_merge(id).is_some()
    }

    /// Merges layers below a snapshot, and below whatever else stands on the same ones, if they have become many. What
    /// the snapshot shows stays what it is. Blocks for as long as copying takes.
    pub(crate) fn merge_below(&self, id: &SnapshotId) -> io::Result<()> {
        while let Some(run) = self.to_merge(id) {
            if !self.hold(&run) {
                return Ok(());
            }
            let merged = self.merge(&run);
            self.release(&run);
            if let Err(error) = merged {
                self.failures.fetch_add(1, Ordering::Relaxed);
                return Err(error);
            }
        }
        Ok(())
    }

    fn merge(&self, run: &[SnapshotId]) -> io::Result<()> {
        let meta = run.last().and_then(|last| self.lock().get(last).map(|layer| layer.meta.clone()));
        let Some(lowest) = meta else { return Ok(()) };
        let opaque = match lowest.driver {
            DriverKind::NamespacesRoot => c"trusted.overlay.opaque",
            _ => c"user.overlay.opaque",
        };
        let trees: Vec<_> = run.iter().map(|id| Path::new("layers").join(id.as_str()).join("tree")).collect();
        // Held until others stand on it; no snapshot from the start, so that it goes with the last of them.
        let layer = Layer { meta: Meta { merged: true, ..lowest }, deleted: true, boxes: 1 };
        let merged =
            self.make(layer, |to| tree::merge(self.state.as_fd(), &trees, to, opaque, &self.closing))?;
        let replaced = self.replace(run, &merged);
        self.release(std::slice::from_ref(&merged));
        replaced
    }

    /// Puts one layer in the place of several, wherever these lie one upon the other.
    fn replace(&self, run: &[SnapshotId], merged: &SnapshotId) -> io::Result<()> {
        let mut layers = self.lock();
        for (id, layer) in layers.iter_mut() {
            let parents = &layer.meta.parents;
            let Some(start) = parents.windows(run.len()).position(|window| window == run) else { continue };
            let mut meta = layer.meta.clone();
            meta.parents.splice(start..start + run.len(), [merged.clone()]);
            self.write_meta(id, &meta)?;
            layer.meta = meta;
        }
        Ok(())
    }

    /// Has a merging that is under way given up.
    pub(crate) fn close(&self) {
        self.closing.store(true, Ordering::Relaxed);
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
                    layers.values().flat_map(|layer| &layer.meta.parents).collect();
                let free: Vec<_> = layers
                    .iter()
                    .filter(|(id, layer)| layer.deleted && layer.boxes == 0 && !needed.contains(id))
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
    use std::sync::atomic::AtomicU64;
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

    /// A chain of this many snapshots, each with a file of its own and one that all have; the newest first.
    fn chain(layers: &Layers, count: usize) -> Vec<SnapshotId> {
        let mut ids = Vec::new();
        for _ in 0..count {
            grow(layers, &mut ids);
        }
        ids
    }

    fn grow(layers: &Layers, ids: &mut Vec<SnapshotId>) {
        let parents = ids.first().map_or(Vec::new(), |top| {
            let below = layers.meta(top).unwrap().parents;
            std::iter::once(top.clone()).chain(below).collect()
        });
        let id = add(layers, &parents.iter().collect::<Vec<_>>());
        let tree = layers.root().join(Layers::tree(&id, "root"));
        std::fs::write(tree.join(format!("only-{}", ids.len())), "").unwrap();
        std::fs::write(tree.join("all"), format!("{}", ids.len())).unwrap();
        ids.insert(0, id);
    }

    #[test]
    fn a_chain_of_any_length_stays_short_and_shows_the_same() {
        let (directory, layers) = layers();
        let mut ids = Vec::new();
        for count in 0..140 {
            grow(&layers, &mut ids);
            layers.merge_below(&ids[0]).unwrap();
            assert!(layers.meta(&ids[0]).unwrap().parents.len() < MERGE_AT, "after {count}");
        }
        let newest = ids.remove(0);
        let below = layers.meta(&newest).unwrap().parents;
        let files = below
            .iter()
            .flat_map(|id| std::fs::read_dir(layers.root().join(Layers::tree(id, "root"))).unwrap());
        let names: std::collections::HashSet<_> = files.map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names.len(), 140, "the own file of each of 139, and the one that all have");
        let seen = layers.root().join(Layers::tree(&below[0], "root")).join("all");
        assert_eq!(std::fs::read_to_string(seen).unwrap(), "138");
        // Merged layers are no snapshots, and those that are go on to be.
        assert_eq!(layers.list().len(), 140);
        assert!(layers.has(&ids[70]) && !layers.has(below.last().unwrap()));
        // The last snapshot keeps what it stands on, and no more, also after a restart.
        for id in &ids {
            layers.delete(id).unwrap();
        }
        drop(layers);
        let layers = Layers::load(directory.path()).unwrap();
        assert_eq!(std::fs::read_dir(directory.path().join("layers")).unwrap().count(), below.len() + 1);
        assert_eq!(layers.meta(&newest).unwrap().parents, below);
        layers.delete(&newest).unwrap();
        assert_eq!(std::fs::read_dir(directory.path().join("layers")).unwrap().count(), 0);
    }

    #[test]
    fn a_box_keeps_the_layers_it_has_mounted_until_it_takes_the_merged_ones() {
        let (_directory, layers) = layers();
        let ids = chain(&layers, MERGE_AT + 1);
        assert!(layers.hold(&ids) && layers.are_many_below(&ids[0]));
        layers.merge_below(&ids[0]).unwrap();
        assert!(!layers.are_many_below(&ids[0]));
        for id in &ids[1..] {
            layers.delete(id).unwrap();
        }
        assert!(ids.iter().all(|id| on_disk(&layers, id)));
        let shorter = layers.hold_shorter(&ids);
        assert_eq!((shorter.len(), &shorter[0]), (2, &ids[0]));
        assert!(on_disk(&layers, &shorter[1]) && !on_disk(&layers, &ids[1]));
        layers.delete(&ids[0]).unwrap();
        assert!(on_disk(&layers, &ids[0]));
        layers.release(&shorter);
        assert!(shorter.iter().all(|id| !on_disk(&layers, id)));
    }

    #[test]
    fn a_merging_that_fails_changes_nothing_and_is_not_tried_every_time() {
        let (_directory, layers) = layers();
        let ids = chain(&layers, MERGE_AT + 1);
        layers.close();
        assert!(layers.merge_below(&ids[0]).is_err());
        assert_eq!(layers.meta(&ids[0]).unwrap().parents, ids[1..]);
        assert_eq!(layers.to_merge(&ids[0]), None);
        assert_eq!(std::fs::read_dir(layers.root().join("layers")).unwrap().count(), ids.len());
    }

    #[test]
    fn deleting_what_is_not_there_is_no_error() {
        let (_directory, layers) = layers();
        layers.delete(&SnapshotId("snp-none".into())).unwrap();
    }
}
