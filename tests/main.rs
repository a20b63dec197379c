//! Tests of the whole, most of them through the real binary. One program, a module for each concern.

#![expect(clippy::panic, reason = "a panic is how a test fails, also in a helper")]

mod agents;
mod beside;
mod budget;
mod ci;
mod cleanup;
mod contamination;
mod decisions;
mod faults;
mod hostile;
mod house;
mod pressure;
mod readers;
mod report;
mod resume;
mod run;
mod secrets;
#[path = "support/serving.rs"]
mod serving;
mod shipped;
mod simulator;
mod storm;
mod support;
mod verdicts;
mod view;
