//! Files are kept whole, found again, and cannot leave their folder.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{fs, path::Path};

use bytes::Bytes;
use domain::ports::Blobs;
use tempfile::TempDir;
use tertulia_media::Disk;

fn disk(home: &TempDir) -> Disk {
    Disk::open(home.path().join("media")).unwrap()
}

/// Every file below `folder`, temporary ones too.
fn files(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path.file_name().unwrap().to_string_lossy().into_owned());
        }
    }
    found
}

#[tokio::test]
async fn what_was_put_is_there_after_opening_again() {
    let home = TempDir::new().unwrap();
    disk(&home).put("attachments/0f/a.png", Bytes::from_static(b"hello")).await.unwrap();
    let again = disk(&home);
    assert_eq!(again.size("attachments/0f/a.png").await.unwrap(), Some(5));
    assert_eq!(again.read("attachments/0f/a.png", 0..5).await.unwrap().unwrap(), "hello");
    assert_eq!(files(home.path()), ["a.png"], "no temporary file is left");
}

#[tokio::test]
async fn a_second_put_replaces_the_first() {
    let home = TempDir::new().unwrap();
    let disk = disk(&home);
    disk.put("a", Bytes::from_static(b"the first, longer")).await.unwrap();
    disk.put("a", Bytes::from_static(b"second")).await.unwrap();
    assert_eq!(disk.read("a", 0..100).await.unwrap().unwrap(), "second");
}

#[tokio::test]
async fn a_range_is_cut_to_the_file() {
    let home = TempDir::new().unwrap();
    let disk = disk(&home);
    disk.put("digits", Bytes::from_static(b"0123456789")).await.unwrap();
    for (range, expected) in [
        (0..10, "0123456789"),
        (3..6, "345"),
        (9..10, "9"),
        (5..5, ""),
        (8..99, "89"),
        (10..20, ""),
        (50..u64::MAX, ""),
    ] {
        assert_eq!(disk.read("digits", range.clone()).await.unwrap().unwrap(), expected, "{range:?}");
    }
}

#[tokio::test]
async fn a_removed_file_is_gone_and_removing_it_again_is_no_error() {
    let home = TempDir::new().unwrap();
    let disk = disk(&home);
    disk.put("a/b", Bytes::from_static(b"x")).await.unwrap();
    disk.delete("a/b").await.unwrap();
    disk.delete("a/b").await.unwrap();
    assert_eq!(disk.size("a/b").await.unwrap(), None);
    assert!(disk.read("a/b", 0..1).await.unwrap().is_none());
    assert_eq!(files(home.path()), [""; 0]);
}

#[tokio::test]
async fn what_is_no_key_and_what_is_no_file_is_not_found() {
    let home = TempDir::new().unwrap();
    fs::write(home.path().join("secret"), "s").unwrap();
    let disk = disk(&home);
    disk.put("folder/file", Bytes::from_static(b"x")).await.unwrap();
    let secret = home.path().join("secret").to_str().unwrap().to_owned();
    for key in
        ["../secret", &secret, "", "folder", "folder/", "folder/file/below", "none", "folder/../folder/file"]
    {
        assert_eq!(disk.size(key).await.unwrap(), None, "{key}");
        assert!(disk.read(key, 0..1).await.unwrap().is_none(), "{key}");
        disk.delete(key).await.unwrap();
    }
    assert!(disk.put("../new", Bytes::new()).await.is_err());
    assert!(home.path().join("secret").exists());
    assert!(!home.path().join("new").exists());
}

#[tokio::test]
async fn a_symbolic_link_out_of_the_folder_is_not_followed() {
    let home = TempDir::new().unwrap();
    let disk = disk(&home);
    fs::create_dir(home.path().join("outside")).unwrap();
    fs::write(home.path().join("outside/secret"), "s").unwrap();
    let root = home.path().join("media");
    std::os::unix::fs::symlink(home.path().join("outside"), root.join("folder")).unwrap();
    std::os::unix::fs::symlink(home.path().join("outside/secret"), root.join("file")).unwrap();
    for key in ["file", "folder/secret"] {
        assert_eq!(disk.size(key).await.unwrap(), None, "{key}");
        assert!(disk.read(key, 0..1).await.unwrap().is_none(), "{key}");
        disk.delete(key).await.unwrap();
    }
    for key in ["folder/new", "folder/new/deep/file"] {
        assert!(disk.put(key, Bytes::from_static(b"x")).await.is_err(), "{key}");
    }
    assert!(!home.path().join("outside/new").exists());
    assert_eq!(files(&home.path().join("outside")), ["secret"]);
    disk.put("file", Bytes::from_static(b"new")).await.unwrap();
    assert_eq!(fs::read(home.path().join("outside/secret")).unwrap(), b"s", "a put replaces the link itself");
    assert_eq!(disk.read("file", 0..3).await.unwrap().unwrap(), "new");
}

#[tokio::test]
async fn a_dead_process_temporary_file_is_in_nobodys_way() {
    let home = TempDir::new().unwrap();
    let disk = disk(&home);
    let left = home.path().join(format!("media/.tmp-{}-0", std::process::id()));
    fs::write(&left, "half").unwrap();
    disk.put("a", Bytes::from_static(b"whole")).await.unwrap();
    assert_eq!(disk.read("a", 0..5).await.unwrap().unwrap(), "whole");
    assert_eq!(fs::read(left).unwrap(), b"half");
}

#[tokio::test(flavor = "multi_thread")]
async fn readers_see_one_of_two_files_never_a_mixture() {
    let home = TempDir::new().unwrap();
    let disk = disk(&home);
    disk.put("a/b/c", Bytes::from(vec![1; 100_000])).await.unwrap();
    let writer = {
        let disk = disk.clone();
        tokio::spawn(async move {
            for round in 0..40 {
                disk.put("a/b/c", Bytes::from(vec![1 + round % 2; 100_000])).await.unwrap();
            }
        })
    };
    while !writer.is_finished() {
        let seen = disk.read("a/b/c", 0..100_000).await.unwrap().unwrap();
        assert_eq!(seen.len(), 100_000);
        assert!(seen.iter().all(|byte| *byte == seen[0]));
    }
    writer.await.unwrap();
}
