use runloop_sandbox::*;
use tokio::io::AsyncReadExt;
fn main() {
    init();
    let kind = match std::env::args().nth(2).as_deref() { Some("user") => DriverKind::NamespacesUser, Some("process") => DriverKind::Process, _ => DriverKind::NamespacesRoot };
    let dir = std::env::args().nth(1).unwrap();
    tokio::runtime::Runtime::new().unwrap().block_on(async move {
        let sb = Sandbox::open(SandboxOptions { state_dir: dir.into(), driver: DriverChoice::Only(kind), allow_weak: true, helper: None }).await.unwrap();
        let spec = BoxSpec { base: Base::Host, snapshot: None, network: Network::None, hostname: "box1".into(), user: User::default(), env: vec![], limits: Limits::default(), expose: vec![] };
        let t = std::time::Instant::now();
        let b = sb.create(spec.clone()).await.unwrap();
        eprintln!("create {:?}", t.elapsed());
        for cmd in std::env::args().skip(3) {
            let t = std::time::Instant::now();
            let mut p = b.exec(ExecSpec { argv: vec!["bash".into(), "-c".into(), cmd.clone().into()], ..Default::default() }).await.unwrap();
            let (mut o, mut e) = (String::new(), String::new());
            let (mut so, mut se) = (p.stdout.take().unwrap(), p.stderr.take().unwrap());
            let _ = tokio::join!(so.read_to_string(&mut o), se.read_to_string(&mut e));
            let st = p.wait().await;
            println!("$ {cmd}\n{o}{e}=> {st:?} {:?}", t.elapsed());
        }
        let t = std::time::Instant::now();
        b.destroy().await;
        eprintln!("destroy {:?}", t.elapsed());
        let t = std::time::Instant::now();
        let b = sb.create(spec).await.unwrap();
        eprintln!("create2 {:?}", t.elapsed());
        drop(b);
        sb.close().await;
    });
}
