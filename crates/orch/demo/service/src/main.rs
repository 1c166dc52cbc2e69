//! Serves the answers over HTTP.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

fn main() -> std::io::Result<()> {
    let port = std::env::var("PORT").unwrap_or_else(|_| "8080".to_string());
    let commit = std::env::var("COMMIT").unwrap_or_else(|_| "unknown".to_string());
    let listener = TcpListener::bind(format!("127.0.0.1:{port}"))?;
    println!("greeter {commit} listens on 127.0.0.1:{port}");
    for stream in listener.incoming().flatten() {
        let commit = commit.clone();
        std::thread::spawn(move || serve(stream, &commit));
    }
    Ok(())
}

fn serve(mut stream: TcpStream, commit: &str) -> std::io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut first = String::new();
    reader.read_line(&mut first)?;
    let mut line = String::new();
    while reader.read_line(&mut line)? > 2 {
        line.clear();
    }
    let path = first.split_whitespace().nth(1).unwrap_or("/");
    let (status, body) = greeter::answer(path, commit);
    let word = if status == 200 { "OK" } else { "Not Found" };
    write!(
        stream,
        "HTTP/1.1 {status} {word}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
}
