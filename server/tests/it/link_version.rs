//! Which version of MQTT a link speaks.

use std::time::{Duration, Instant};

use domain::live::LinkState;
use server::mqtt::link::Protocol;
use server::tasks::Tasks;

use crate::link_fake::{fake_broker, told};
use crate::link_rig::{Rig, settings};

#[tokio::test]
async fn a_broker_of_mqtt_3_1_1_is_found_and_remembered() {
    // As brokers answer: with the return code of their own version, by closing, and with the reason code of MQTT 5.
    for answer in [&[0x20, 2, 0, 1][..], &[], &[0x20, 3, 0, 0x84, 0]] {
        let tasks = Tasks::default();
        let (tell, mut levels) = told();
        let (kick, kicked) = tokio::sync::watch::channel(());
        let port = fake_broker(&tasks, move |mut connection| {
            let (tell, mut kicked) = (tell.clone(), kicked.clone());
            async move {
                // Only a kick from now on counts.
                kicked.mark_unchanged();
                tell.send(connection.level).expect("the test listens");
                if connection.level == 5 {
                    if let Some((first, rest)) = answer.split_first() {
                        connection.write(*first, &rest[1..]).await;
                    }
                    return;
                }
                tokio::select! {
                    () = connection.serve() => {}
                    _ = kicked.changed() => {}
                }
            }
        })
        .await;
        let started = Instant::now();
        let mut rig = Rig::start(settings(port, "link", Protocol::Auto));
        rig.state(LinkState::Up).await;
        assert!(started.elapsed() < Duration::from_secs(5), "{answer:?}: {:?}", started.elapsed());
        while levels.try_recv().is_ok() {}
        kick.send(()).expect("the broker listens");
        rig.state(LinkState::Down).await;
        rig.state(LinkState::Up).await;
        while let Ok(level) = levels.try_recv() {
            assert_eq!(level, 4, "{answer:?}: the version is remembered");
        }
        rig.stop().await;
        tasks.stop().await;
    }
}

#[tokio::test]
async fn auto_speaks_mqtt_5_to_a_broker_that_does() {
    let tasks = Tasks::default();
    let (tell, mut levels) = told();
    let port = fake_broker(&tasks, move |connection| {
        tell.send(connection.level).expect("the test listens");
        connection.serve()
    })
    .await;
    Rig::up(settings(port, "link", Protocol::Auto)).await.stop().await;
    assert_eq!((levels.try_recv(), levels.try_recv()), (Ok(5), Ok(5)));
    tasks.stop().await;
}
