//! Types that wait for their Rust type. Must end up empty.

pub(crate) const NOT_YET: &[&str] = &[];
