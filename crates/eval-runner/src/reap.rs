//! Ends what lives at a target.

use eval_record::ResourceKind;
use runloop_types::{BlueprintId, DevboxId, NetworkPolicyId, ObjectId, SnapshotId};

use crate::platform::{Platform, PlatformError};

/// Ends one thing. One that is gone is no error.
pub(crate) async fn end<P: Platform>(
    platform: &P,
    kind: ResourceKind,
    id: &str,
) -> Result<(), PlatformError> {
    match kind {
        ResourceKind::Devbox => {
            let id = DevboxId::new(id);
            match platform.shutdown(&id, false).await {
                Ok(()) => Ok(()),
                // A snapshot may be under way, and a lost answer deserves a second request anyway.
                Err(_) => platform.shutdown(&id, true).await,
            }
        }
        ResourceKind::Snapshot => platform.delete_snapshot(&SnapshotId::new(id)).await,
        ResourceKind::Object => platform.delete_object(&ObjectId::new(id)).await,
        ResourceKind::Blueprint => platform.delete_blueprint(&BlueprintId::new(id)).await,
        ResourceKind::NetworkPolicy => platform.delete_network_policy(&NetworkPolicyId::new(id)).await,
    }
}
