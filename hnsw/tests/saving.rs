//! What saving does to what is there: files of others, links, rights, names.

use std::fs;
use std::path::Path;

use nearfield_hnsw::{Index, Metric, Params, Vectors, file::SaveError};

fn index(points: u32) -> Index<u32, Vectors<f32>> {
    let vectors = Vectors::new(1, Metric::L2Squared).unwrap();
    let index = Index::new(vectors, Params::default()).unwrap();
    (0..points).for_each(|key| _ = index.insert(key, &[key as f32]).unwrap());
    index
}

fn len(path: &Path) -> usize {
    Index::<u32, Vectors<f32>>::load(path).unwrap().len()
}

fn files(folder: &Path) -> usize {
    fs::read_dir(folder).unwrap().count()
}

#[test]
fn what_a_killed_process_left_is_in_nobodys_way() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("index");
    // Files of versions before had the number of the process in their names, which is always 1 in a
    // container.
    let left = |number: u32| format!(".index.{}-{number}.new", std::process::id());
    for number in 0..100 {
        fs::write(folder.path().join(left(number)), b"half a file").unwrap();
    }
    index(3).save(&path).unwrap();
    index(4).save(&path).unwrap();
    assert_eq!((len(&path), files(folder.path())), (4, 101));
}

#[test]
fn names_are_as_long_as_the_system_has_them() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["n".repeat(255), "ä".repeat(127), "n".repeat(241)] {
        let path = folder.path().join(name);
        index(3).save(&path).unwrap();
        assert_eq!(len(&path), 3);
    }
    let error = index(3).save(folder.path().join("n".repeat(256))).unwrap_err().to_string();
    assert!(error.contains("cannot look up") && error.contains("too long"), "{error}");
    assert_eq!(files(folder.path()), 3, "leftovers");
}

#[test]
fn a_folder_is_not_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let inner = folder.path().join("inner");
    fs::create_dir(&inner).unwrap();
    for path in [&inner, &folder.path().join("inner/.."), Path::new("/")] {
        let error = index(3).save(path).unwrap_err();
        assert!(matches!(error, SaveError::NotAFile { found: "a folder", .. }), "{error}");
    }
    assert!(inner.is_dir() && files(folder.path()) == 1);
}

#[test]
fn errors_name_the_path_that_was_given() {
    let path = Path::new("no such folder/index");
    let error = index(3).save(path).unwrap_err();
    assert!(matches!(&error, SaveError::Io { path: named, .. } if named == path));
    let message = error.to_string();
    assert!(message.starts_with("cannot create a file beside no such folder/index:"), "{message}");
}

#[cfg(unix)]
mod on_unix {
    use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

    use super::*;

    #[test]
    fn rights_stay_as_they_were() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("index");
        index(3).save(&path).unwrap();
        for mode in [0o600, 0o640, 0o664, 0o444, 0o777] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            let inode = fs::metadata(&path).unwrap().ino();
            index(4).save(&path).unwrap();
            let new = fs::metadata(&path).unwrap();
            assert_eq!(new.mode() & 0o7777, mode, "{:o}", new.mode());
            assert_ne!(new.ino(), inode, "the file was not replaced");
        }
    }

    #[test]
    fn the_owner_stays_where_the_process_may_say_so() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("index");
        index(3).save(&path).unwrap();
        if std::os::unix::fs::chown(&path, Some(12), Some(34)).is_err() {
            return; // only root may
        }
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        index(4).save(&path).unwrap();
        let new = fs::metadata(&path).unwrap();
        assert_eq!((new.uid(), new.gid(), new.mode() & 0o7777), (12, 34, 0o640));
    }

    #[test]
    fn links_are_followed() {
        let folder = tempfile::tempdir().unwrap();
        let [target, link] = ["target", "link"].map(|name| folder.path().join(name));
        let other = folder.path().join("other");
        fs::create_dir(&other).unwrap();
        index(3).save(&target).unwrap();
        // By an absolute name, by a relative one, by way of another link, to nothing yet.
        let chain = other.join("chain");
        symlink(&link, &chain).unwrap();
        for (points, to) in [(4, &*target), (5, Path::new("target"))] {
            symlink(to, &link).unwrap();
            index(points).save(&link).unwrap();
            assert_eq!(len(&target), points as usize);
            index(points + 2).save(&chain).unwrap();
            assert_eq!(len(&target), points as usize + 2);
            for link in [&link, &chain] {
                assert!(fs::symlink_metadata(link).unwrap().is_symlink());
            }
            fs::remove_file(&link).unwrap();
        }
        symlink("other/none", &link).unwrap();
        index(6).save(&link).unwrap();
        assert_eq!(len(&other.join("none")), 6);
        assert_eq!((files(folder.path()), files(&other)), (3, 2), "leftovers");

        fs::remove_file(&link).unwrap();
        symlink(&link, &link).unwrap();
        let error = index(6).save(&link).unwrap_err().to_string();
        assert!(error.contains("cannot look up") && error.contains("symbolic links"), "{error}");
    }

    #[test]
    fn what_is_no_file_stays_what_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("socket");
        let _socket = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        let link = folder.path().join("link");
        symlink("/dev/null", &link).unwrap();
        for (path, kind) in [(&*socket, "a socket"), (&link, "a device")] {
            let error = index(3).save(path).unwrap_err();
            assert!(matches!(error, SaveError::NotAFile { found, .. } if found == kind), "{error}");
            assert!(error.to_string().ends_with("save to the name of a file"), "{error}");
        }
        assert_eq!(files(folder.path()), 2);
    }
}
