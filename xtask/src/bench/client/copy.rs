//! The floor of transfers: the same bytes through a bare socket.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::path::Path;
use std::time::Instant;

/// Pieces that are moved at once.
const PIECE: usize = 256 * 1024;

/// Prints the seconds of both directions.
pub(super) fn run(address: &str, path: &Path) -> Result<(), String> {
    let upload = upload(address, path).map_err(|error| format!("plain upload: {error}"))?;
    let download = download(address).map_err(|error| format!("plain download: {error}"))?;
    println!("upload {upload}\ndownload {download}");
    Ok(())
}

fn upload(address: &str, path: &Path) -> std::io::Result<f64> {
    let begun = Instant::now();
    let mut connection = TcpStream::connect(address)?;
    let mut file = std::fs::File::open(path)?;
    connection.write_all(b"u")?;
    let mut buffer = vec![0; PIECE];
    loop {
        let length = file.read(&mut buffer)?;
        if length == 0 {
            break;
        }
        connection.write_all(&buffer[..length])?;
    }
    connection.shutdown(Shutdown::Write)?;
    connection.read_exact(&mut [0])?;
    Ok(begun.elapsed().as_secs_f64())
}

fn download(address: &str) -> std::io::Result<f64> {
    let begun = Instant::now();
    let mut connection = TcpStream::connect(address)?;
    connection.write_all(b"d")?;
    let mut buffer = vec![0; PIECE];
    while connection.read(&mut buffer)? > 0 {}
    Ok(begun.elapsed().as_secs_f64())
}
