//! Runs trials: preparation, agents, reaping, scoring, concurrency
