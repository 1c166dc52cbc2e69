//! How are real connections held?

use std::time::Duration;

use orch_server::{Listener, Patience, serve};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};

use crate::house::{House, TOKEN};
use crate::sample::sample;

const BRIEF: Patience =
    Patience { headers: Duration::from_millis(100), connections: 8, grace: Duration::from_secs(5) };

async fn read_all(stream: &mut (impl tokio::io::AsyncRead + Unpin)) -> String {
    let mut all = Vec::new();
    // A reset is an end too.
    let _ = stream.read_to_end(&mut all).await;
    String::from_utf8_lossy(&all).into_owned()
}

/// Proves that a client that sends its headers by drops is cut off, that others are served meanwhile, and that a stop
/// ends it all.
#[tokio::test]
async fn a_slow_client_is_cut_off() {
    let house = House::open(sample());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let served =
        tokio::spawn(serve(vec![Listener::Tcp(listener)], house.front.clone(), BRIEF, house.stop.clone()));
    let mut slow = TcpStream::connect(address).await.unwrap();
    slow.write_all(b"GET /health HTTP/1.1\r\nHost: loc").await.unwrap();
    let mut quick = TcpStream::connect(address).await.unwrap();
    quick.write_all(b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").await.unwrap();
    assert!(read_all(&mut quick).await.starts_with("HTTP/1.1 200"));
    // Ends only because the server ends it: the client waits for ever.
    let cut = tokio::time::timeout(Duration::from_secs(20), read_all(&mut slow)).await.unwrap();
    assert!(!cut.starts_with("HTTP/1.1 200"), "{cut}");
    house.stop.cancel();
    served.await.unwrap();
}

/// Proves that a body over the limit is refused, both when it is announced and when it only turns out to be.
#[tokio::test]
async fn a_body_over_the_limit_is_refused() {
    let house = House::open(sample());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(serve(vec![Listener::Tcp(listener)], house.front.clone(), BRIEF, house.stop.clone()));
    let head = format!(
        "POST /api/v1/issues HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {TOKEN}\r\nContent-Type: application/json\r\nConnection: close\r\n"
    );
    let mut announced = TcpStream::connect(address).await.unwrap();
    announced.write_all(format!("{head}Content-Length: 99999999\r\n\r\n").as_bytes()).await.unwrap();
    assert!(read_all(&mut announced).await.starts_with("HTTP/1.1 413"));

    let mut silent = TcpStream::connect(address).await.unwrap();
    silent.write_all(format!("{head}Transfer-Encoding: chunked\r\n\r\n").as_bytes()).await.unwrap();
    let (mut from, mut to) = silent.split();
    let send = async {
        for _ in 0..40 {
            let chunk = format!("{:x}\r\n{}\r\n", 65_536, " ".repeat(65_536));
            if to.write_all(chunk.as_bytes()).await.is_err() {
                break;
            }
        }
    };
    let (_, answer) = tokio::join!(send, read_all(&mut from));
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    house.stop.cancel();
}

/// Proves that the socket in the data folder needs the token even for reading: a sandboxed program may reach it.
#[tokio::test]
async fn the_socket_needs_the_token() {
    let house = House::open(sample());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("orch.sock");
    let listener = UnixListener::bind(&path).unwrap();
    tokio::spawn(serve(vec![Listener::Unix(listener)], house.front.clone(), BRIEF, house.stop.clone()));
    let ask = async |more: &str| {
        let mut stream = UnixStream::connect(&path).await.unwrap();
        let text = format!("GET /api/v1/tasks HTTP/1.1\r\nHost: orch\r\n{more}Connection: close\r\n\r\n");
        stream.write_all(text.as_bytes()).await.unwrap();
        read_all(&mut stream).await
    };
    assert!(ask("").await.starts_with("HTTP/1.1 401"));
    assert!(ask(&format!("Authorization: Bearer {TOKEN}\r\n")).await.starts_with("HTTP/1.1 200"));
    house.stop.cancel();
}

/// Proves that who takes up every connection of the address that browsers use does not close the socket of the command
/// line.
#[tokio::test]
async fn the_socket_has_its_own_room() {
    const ONE: Patience =
        Patience { headers: Duration::from_secs(60), connections: 1, grace: Duration::from_millis(1) };
    let house = House::open(sample());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("orch.sock");
    let tcp = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = tcp.local_addr().unwrap();
    let listeners = vec![Listener::Tcp(tcp), Listener::Unix(UnixListener::bind(&path).unwrap())];
    tokio::spawn(serve(listeners, house.front.clone(), ONE, house.stop.clone()));
    let mut held = TcpStream::connect(address).await.unwrap();
    let kept = "GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n";
    held.write_all(kept.as_bytes()).await.unwrap();
    // Its answer has begun: it has the one place of its listener.
    tokio::io::AsyncReadExt::read_u8(&mut held).await.unwrap();
    let mut stream = UnixStream::connect(&path).await.unwrap();
    stream.write_all(b"GET /health HTTP/1.1\r\nHost: orch\r\nConnection: close\r\n\r\n").await.unwrap();
    assert!(read_all(&mut stream).await.starts_with("HTTP/1.1 200"));
    house.stop.cancel();
}
