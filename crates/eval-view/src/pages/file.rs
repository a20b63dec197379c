//! What is in the directory of a run: lists of files, and files as text.

use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

use eval_report::html::Document;
use eval_report::html::{DirectoryLogs, Html, Logs as _, count, size};

use super::Failure;
use super::frame::{document, ways};
use super::link::{file_link, run_link};
use crate::discover::Found;

/// Bytes of a file that are sent: its beginning and its end.
const SENT: (usize, usize) = (4 << 20, 12 << 20);

/// Names of a directory that are listed.
const LISTED: usize = 5_000;

/// What a path leads to.
#[derive(Debug)]
pub(crate) enum File {
    /// A file: whatever it holds, it is text.
    Text(Vec<u8>),
    /// A directory.
    Directory(Document),
}

/// What is there. Nothing outside of the run's directory is, wherever a path or a link may lead.
pub(crate) fn file(found: &Found, path: &str) -> Result<File, Failure> {
    let path = path.trim_end_matches('/');
    let failed = |error: io::Error| Failure::unreadable(&error);
    let place = place(&found.path, path).map_err(failed)?;
    if fs::metadata(&place).map_err(failed)?.is_dir() {
        return Ok(File::Directory(listing(found, path, &place).map_err(failed)?));
    }
    let log =
        DirectoryLogs::open(&found.path).and_then(|logs| logs.read(path, SENT.0, SENT.1)).map_err(failed)?;
    let mut text = log.head;
    if !log.tail.is_empty() {
        let missing = log.size.saturating_sub((text.len() + log.tail.len()) as u64);
        let place = place.display();
        text.extend_from_slice(
            format!("\n[... {missing} bytes left out; the whole is in {place} ...]\n").as_bytes(),
        );
        text.extend_from_slice(&log.tail);
    }
    Ok(File::Text(text))
}

fn place(root: &Path, path: &str) -> io::Result<PathBuf> {
    let outside = || io::Error::new(io::ErrorKind::PermissionDenied, "it is outside of the run directory");
    if !Path::new(path).components().all(|part| matches!(part, Component::Normal(_))) {
        return Err(outside());
    }
    let root = fs::canonicalize(root)?;
    let place = fs::canonicalize(root.join(path))?;
    if place.starts_with(&root) { Ok(place) } else { Err(outside()) }
}

fn listing(found: &Found, path: &str, place: &Path) -> io::Result<Document> {
    let mut names: Vec<(bool, String, u64)> = Vec::new();
    let mut cut = false;
    for entry in fs::read_dir(place)? {
        let entry = entry?;
        // A link is not followed, and so not offered.
        let Ok(metadata) = entry.metadata() else { continue };
        if names.len() == LISTED {
            cut = true;
            break;
        }
        if metadata.is_dir() || metadata.is_file() {
            names.push((
                metadata.is_file(),
                entry.file_name().to_string_lossy().into_owned(),
                metadata.len(),
            ));
        }
    }
    names.sort();
    let above = ways(|html| {
        html.raw("<li><a").attribute("href", run_link(&found.key)).raw(">Report</a></li>");
        html.raw("<li class=\"here\"><code>").name(&found.label).raw("</code></li>");
    });
    let mut header = Html::default();
    header.raw("<p class=\"kind\">Files</p>\n<h1 class=\"path\">");
    header.name(if path.is_empty() { &found.label } else { path }).raw("</h1>\n<p class=\"lead\">");
    header.text(count(names.len() as u64, "name"));
    header.raw(if cut { ", and more that are left out here</p>\n" } else { "</p>\n" });
    let mut main = Html::default();
    main.raw("<section id=\"files\" aria-label=\"Files\">\n<table>\n<caption class=\"hidden\">Files</caption>\n<thead><tr>");
    main.raw("<th scope=\"col\">Name</th><th scope=\"col\" class=\"n\">Size</th></tr></thead>\n<tbody>\n");
    if let Some((parent, _)) = path.rsplit_once('/').or_else(|| (!path.is_empty()).then_some(("", ""))) {
        main.raw("<tr><th scope=\"row\"><a").attribute("href", file_link(&found.key, parent));
        main.raw(">the directory above</a></th><td></td></tr>\n");
    }
    for (is_file, name, bytes) in &names {
        let below = if path.is_empty() { name.clone() } else { format!("{path}/{name}") };
        main.raw("<tr><th scope=\"row\"><a")
            .attribute("href", file_link(&found.key, &below))
            .raw(">")
            .name(name);
        main.raw(if *is_file { "" } else { "/" }).raw("</a></th><td class=\"n\">");
        if *is_file {
            main.text(size(*bytes));
        }
        main.raw("</td></tr>\n");
    }
    main.raw("</tbody>\n</table>\n</section>\n");
    let title = if path.is_empty() { found.label.clone() } else { path.to_owned() };
    Ok(document(title, false, &above, &header, &main))
}

#[cfg(test)]
mod tests {
    use axum::http::StatusCode;

    use super::*;

    fn found(path: &Path) -> Found {
        Found { key: "k".into(), label: "runs/a".into(), path: path.to_path_buf() }
    }

    fn text(found: &Found, path: &str) -> String {
        match file(found, path).unwrap() {
            File::Text(text) => String::from_utf8(text).unwrap(),
            File::Directory(document) => document.html().as_str().to_owned(),
        }
    }

    #[test]
    fn nothing_leads_out_of_the_directory() {
        let directory = tempfile::tempdir().unwrap();
        let run = directory.path().join("run");
        fs::create_dir_all(run.join("trials")).unwrap();
        fs::write(directory.path().join("secret"), "x").unwrap();
        std::os::unix::fs::symlink(directory.path(), run.join("out")).unwrap();
        std::os::unix::fs::symlink("../../secret", run.join("trials/link")).unwrap();
        let run = found(&run);
        for path in
            ["../secret", "trials/../../secret", "/etc/passwd", "out", "out/secret", "trials/link", "..", "."]
        {
            let failure = file(&run, path).unwrap_err();
            assert_eq!(failure.status, StatusCode::FORBIDDEN, "{path}: {failure:?}");
        }
        assert_eq!(file(&run, "trials/absent").unwrap_err().status, StatusCode::NOT_FOUND);
        assert!(!text(&run, "").contains("files/out"), "links are not offered");
    }

    #[test]
    fn directories_are_listed_and_files_are_text() {
        let directory = tempfile::tempdir().unwrap();
        fs::create_dir_all(directory.path().join("trials/a")).unwrap();
        fs::write(directory.path().join("trials/<b>"), "<script>").unwrap();
        let run = found(directory.path());
        let listing = text(&run, "trials/");
        assert!(listing.contains("href=\"/runs/k/files/trials/a\">a/</a>"), "{listing}");
        assert!(listing.contains("href=\"/runs/k/files/trials/%3Cb%3E\">&lt;b&gt;</a>"), "{listing}");
        assert!(listing.contains("href=\"/runs/k/files/\">the directory above"), "{listing}");
        assert_eq!(text(&run, "trials/<b>"), "<script>");
    }

    #[test]
    fn of_a_huge_file_both_ends_are_sent() {
        let directory = tempfile::tempdir().unwrap();
        let content = [b"begin".to_vec(), vec![b'x'; SENT.0 + SENT.1], b"end".to_vec()].concat();
        fs::write(directory.path().join("log"), &content).unwrap();
        let text = text(&found(directory.path()), "log");
        assert!(text.starts_with("begin") && text.ends_with("end") && text.len() < content.len() + 200);
        assert!(text.contains("[... 8 bytes left out; the whole is in "));
    }
}
