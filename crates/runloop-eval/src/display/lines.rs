//! Without a terminal: a line for each verdict, and nothing else.

use super::Shared;

/// Says lines until there will be no more.
pub(super) fn follow(shared: &Shared) {
    loop {
        let mut board = shared.board();
        let lines = board.lines();
        if lines.is_empty() {
            if board.is_over {
                return;
            }
            shared.wait(board, None);
            continue;
        }
        drop(board);
        for line in lines {
            say!("{line}");
        }
    }
}
