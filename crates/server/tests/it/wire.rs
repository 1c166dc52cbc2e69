//! How are real connections held?

use std::net::SocketAddr;
use std::time::Duration;

use orch_server::{Listener, Patience, serve};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio::task::JoinHandle;

use crate::house::{House, TOKEN};
use crate::sample::sample;

const BRIEF: Patience =
    Patience { headers: Duration::from_millis(100), connections: 8, grace: Duration::from_secs(5) };

/// A house with one door on loopback: where that is, and who serves there until the house stops.
async fn open(patience: Patience) -> (House, SocketAddr, JoinHandle<()>) {
    let house = House::open(sample());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let served = serve(vec![Listener::Tcp(listener)], house.front.clone(), patience, house.stop.clone());
    (house, address, tokio::spawn(served))
}

async fn read_all(stream: &mut (impl tokio::io::AsyncRead + Unpin)) -> String {
    let mut all = Vec::new();
    // A reset is an end too.
    let _ = stream.read_to_end(&mut all).await;
    String::from_utf8_lossy(&all).into_owned()
}

/// The same; it does not take for ever.
async fn ended(stream: &mut (impl tokio::io::AsyncRead + Unpin)) -> String {
    tokio::time::timeout(Duration::from_secs(10), read_all(stream)).await.expect("the server ends it")
}

/// Proves that a client that sends its headers by drops is cut off, and that others are served meanwhile.
#[tokio::test]
async fn a_slow_client_is_cut_off() {
    let (house, address, served) = open(BRIEF).await;
    let mut slow = TcpStream::connect(address).await.unwrap();
    slow.write_all(b"GET /health HTTP/1.1\r\nHost: loc").await.unwrap();
    let mut quick = TcpStream::connect(address).await.unwrap();
    quick.write_all(b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").await.unwrap();
    assert!(read_all(&mut quick).await.starts_with("HTTP/1.1 200"));
    // Ends only because the server ends it: the client waits for ever.
    let cut = ended(&mut slow).await;
    assert!(!cut.starts_with("HTTP/1.1 200"), "{cut}");
    house.stop.cancel();
    served.await.unwrap();
}

/// A delivery of which the server waits for the body.
async fn half_a_delivery(address: SocketAddr) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let head = "POST /webhook/orch/site HTTP/1.1\r\nHost: localhost\r\nOrch-Signature: right\r\nContent-Length: 11\r\nExpect: 100-continue\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut goes_on = [0; b"HTTP/1.1 100 Continue\r\n\r\n".len()];
    stream.read_exact(&mut goes_on).await.unwrap();
    assert!(goes_on.starts_with(b"HTTP/1.1 100"), "{}", String::from_utf8_lossy(&goes_on));
    stream
}

/// Proves that a stop ends a connection on which nothing happens, lets an answer under way end, and then ends the server.
#[tokio::test]
async fn a_stop_lets_answers_end() {
    const LONG: Patience =
        Patience { headers: Duration::from_secs(60), connections: 8, grace: Duration::from_secs(60) };
    let (house, address, served) = open(LONG).await;
    let mut idle = TcpStream::connect(address).await.unwrap();
    idle.write_all(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    // Its answer has begun: it has been accepted.
    idle.read_u8().await.unwrap();
    let mut under_way = half_a_delivery(address).await;
    house.stop.cancel();
    assert!(ended(&mut idle).await.starts_with("TTP/1.1 200"));
    assert!(!served.is_finished(), "an answer is under way");
    under_way.write_all(br#"{"issue":1}"#).await.unwrap();
    assert!(ended(&mut under_way).await.starts_with("HTTP/1.1 202"));
    tokio::time::timeout(Duration::from_secs(10), served).await.expect("nothing is under way").unwrap();
}

/// Proves that an answer which does not end holds a stop up for no longer than the grace.
#[tokio::test]
async fn a_stop_waits_no_longer_than_its_grace() {
    const SHORT: Patience =
        Patience { headers: Duration::from_secs(60), connections: 8, grace: Duration::from_millis(1) };
    let (house, address, served) = open(SHORT).await;
    // Its body never comes.
    let _under_way = half_a_delivery(address).await;
    house.stop.cancel();
    tokio::time::timeout(Duration::from_secs(10), served).await.expect("the grace is over").unwrap();
}

/// Proves that a body over the limit is refused, both when it is announced and when it only turns out to be.
#[tokio::test]
async fn a_body_over_the_limit_is_refused() {
    let (house, address, _served) = open(BRIEF).await;
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

/// Proves that who takes up every connection of the address that browsers use keeps the next one there waiting until a
/// place is free, and does not close the socket of the command line.
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
    held.read_u8().await.unwrap();
    let mut next = TcpStream::connect(address).await.unwrap();
    next.write_all(b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").await.unwrap();
    // The server has had time for it, many times over.
    for _ in 0..20 {
        let mut stream = UnixStream::connect(&path).await.unwrap();
        stream.write_all(b"GET /health HTTP/1.1\r\nHost: orch\r\nConnection: close\r\n\r\n").await.unwrap();
        assert!(ended(&mut stream).await.starts_with("HTTP/1.1 200"));
    }
    let early = next.try_read(&mut [0]).map_err(|e| e.kind());
    assert_eq!(early, Err(std::io::ErrorKind::WouldBlock), "there is no place for it");
    drop(held);
    assert!(ended(&mut next).await.starts_with("HTTP/1.1 200"));
    house.stop.cancel();
}
