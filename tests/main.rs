//! Tests of the whole, most of them through the real binary. One program, a module for each concern.

mod hostile;
mod house;
mod run;
mod support;
mod verdicts;
