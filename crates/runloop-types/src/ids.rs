//! Identifiers. Opaque to clients; the prefix only helps a reader.

macro_rules! id {
    ($(#[$meta:meta])* $name:ident, $prefix:literal) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default, serde::Serialize, serde::Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// The prefix that servers put before such an id.
            pub const PREFIX: &'static str = $prefix;

            /// Wraps an id as it came; ids are not checked, they are opaque.
            pub fn new(id: impl Into<String>) -> Self {
                Self(id.into())
            }

            /// The id as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl From<&str> for $name {
            fn from(id: &str) -> Self {
                Self(id.to_owned())
            }
        }

        impl From<String> for $name {
            fn from(id: String) -> Self {
                Self(id)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }
    };
}

id!(/// Names a devbox.
    DevboxId, "dbx_");
id!(/// Names an execution: one command run in a devbox.
    ExecutionId, "exec_");
id!(/// Names a disk snapshot.
    SnapshotId, "snp_");
id!(/// Names a stored object.
    ObjectId, "obj_");
id!(/// Names a blueprint.
    BlueprintId, "bpt_");
id!(/// Names a secret; most of the API goes by the secret's name instead.
    SecretId, "sec_");
id!(/// Names a network policy.
    NetworkPolicyId, "npol_");
