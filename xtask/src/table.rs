//! Tables for terminals and documents alike.

/// Prints a Markdown table with aligned columns.
pub(crate) fn print(title: &str, method: &str, header: &[&str], rows: &[Vec<String>]) {
    let width = |column: usize| {
        rows.iter()
            .map(|row| row[column].chars().count())
            .chain([header[column].chars().count()])
            .max()
            .unwrap_or(0)
    };
    let widths: Vec<usize> = (0..header.len()).map(width).collect();
    let line = |cells: &mut dyn Iterator<Item = String>| {
        let cells: Vec<String> = cells.zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        format!("| {} |", cells.join(" | "))
    };
    println!("## {title}\n\n{method}\n");
    println!("{}", line(&mut header.iter().map(|cell| (*cell).to_owned())));
    println!("{}", line(&mut widths.iter().map(|width| "-".repeat(*width))));
    for row in rows {
        println!("{}", line(&mut row.iter().cloned()));
    }
    println!();
}
