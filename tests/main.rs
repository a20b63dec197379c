//! Tests of the whole, most of them through the real binary. One program, a module for each concern.

mod house;
mod support;
mod verdicts;
