//! Files that are written whole or not at all.

use std::fs;
#[cfg(not(target_family = "wasm"))]
use std::fs::{File, Permissions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

#[cfg(not(target_family = "wasm"))]
use tempfile::NamedTempFile;
use thiserror::Error;

/// Why a file was not written. What it held before is still there.
#[derive(Debug, Error)]
pub enum WriteError {
    #[error("its folder does not exist; create it first")]
    NoFolder,
    #[error("it is a folder")]
    IsFolder,
    #[error("it is a device or a pipe, and only a file can be replaced whole")]
    NotAFile,
    #[error("the file is read-only")]
    ReadOnly,
    /// The system's message. It never names the temporary file.
    #[error("{0}")]
    Io(io::Error),
}

impl From<io::Error> for WriteError {
    fn from(error: io::Error) -> Self {
        // `tempfile` puts the name of its file into the message; the system's own message does not.
        Self::Io(match error.raw_os_error() {
            Some(code) => io::Error::from_raw_os_error(code),
            None => io::Error::from(error.kind()),
        })
    }
}

/// The most links from one name to the next that are followed.
const MAX_LINKS: usize = 40;

/// A file of a page under construction: it becomes a download.
#[cfg(target_family = "wasm")]
#[derive(Debug)]
pub struct WholeFile {
    bytes: io::Cursor<Vec<u8>>,
    target: PathBuf,
}

#[cfg(target_family = "wasm")]
impl WholeFile {
    /// Begins a file.
    ///
    /// # Errors
    /// None here.
    pub fn create(path: &Path) -> Result<Self, WriteError> {
        Ok(Self {
            bytes: io::Cursor::default(),
            target: path.to_owned(),
        })
    }

    /// Where the content goes.
    pub fn writer(&mut self) -> &mut io::Cursor<Vec<u8>> {
        &mut self.bytes
    }

    /// Hands the complete file to the page.
    ///
    /// # Errors
    /// None here.
    pub fn finish(self) -> Result<(), WriteError> {
        crate::given::offer(self.target, self.bytes.into_inner());
        Ok(())
    }
}

impl WholeFile {
    /// Begins a file and fills it with `bytes`.
    ///
    /// # Errors
    /// See [`WriteError`].
    pub fn with_bytes(path: &Path, bytes: &[u8]) -> Result<Self, WriteError> {
        let mut file = Self::create(path)?;
        file.writer().write_all(bytes)?;
        Ok(file)
    }
}

/// A file under construction beside the one that it will replace.
#[cfg(not(target_family = "wasm"))]
#[derive(Debug)]
pub struct WholeFile {
    temporary: NamedTempFile,
    target: PathBuf,
}

#[cfg(not(target_family = "wasm"))]
impl WholeFile {
    /// Begins a file that will replace `path`, or the file that `path` links to.
    ///
    /// # Errors
    /// See [`WriteError`].
    pub fn create(path: &Path) -> Result<Self, WriteError> {
        let target = check_target(path)?;
        #[cfg_attr(
            not(unix),
            allow(unused_mut, reason = "only Unix has permissions to set")
        )]
        let mut builder = tempfile::Builder::new();
        // Temporary files are private by default. The result keeps the permissions of the file that
        // it replaces; a new file gets what the umask allows.
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        let temporary = builder.tempfile_in(folder_of(&target))?;
        if let Some(permissions) = permissions_of(&target) {
            temporary.as_file().set_permissions(permissions)?;
        }
        Ok(Self { temporary, target })
    }

    /// Where the content goes.
    pub fn writer(&mut self) -> &mut File {
        self.temporary.as_file_mut()
    }

    /// Puts the complete file in its place.
    ///
    /// # Errors
    /// See [`WriteError`].
    pub fn finish(self) -> Result<(), WriteError> {
        check_target(&self.target)?;
        self.temporary.as_file().sync_all()?;
        self.temporary
            .persist(&self.target)
            .map_err(|error| error.error)?;
        Ok(())
    }
}

/// Writes `bytes` to `path`, all of them or nothing.
///
/// # Errors
/// See [`WriteError`].
pub fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), WriteError> {
    WholeFile::with_bytes(path, bytes)?.finish()
}

/// The path without links at its end. The file need not exist.
fn followed(path: &Path) -> PathBuf {
    let mut target = path.to_owned();
    for _ in 0..MAX_LINKS {
        let Ok(link) = fs::read_link(&target) else {
            break;
        };
        // A relative link starts at the folder that holds it.
        target = folder_of(&target).join(link);
    }
    target
}

/// The folder that must exist before `path` is written: links are followed.
pub fn folder_to_write(path: &Path) -> PathBuf {
    folder_of(&followed(path)).to_owned()
}

/// The file that writing to `path` replaces: links are followed, to a file that need not exist yet.
///
/// # Errors
/// A target that cannot be replaced, or whose folder does not exist.
#[cfg(not(target_family = "wasm"))]
fn check_target(path: &Path) -> Result<PathBuf, WriteError> {
    let target = followed(path);
    match fs::metadata(&target) {
        Ok(found) if found.is_dir() => return Err(WriteError::IsFolder),
        Ok(found) if !found.is_file() => return Err(WriteError::NotAFile),
        Ok(found) if found.permissions().readonly() => return Err(WriteError::ReadOnly),
        Ok(_) | Err(_) => {}
    }
    if !folder_of(&target).is_dir() {
        return Err(WriteError::NoFolder);
    }
    Ok(target)
}

/// Checks that `path` can be written, by beginning a file in its folder.
///
/// # Errors
/// See [`WriteError`].
pub fn check_writable(path: &Path) -> Result<(), WriteError> {
    WholeFile::create(path).map(drop)
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

#[cfg(not(target_family = "wasm"))]
fn permissions_of(target: &Path) -> Option<Permissions> {
    fs::metadata(target).ok().map(|found| found.permissions())
}

/// Whether two paths are the same file, through links too. Files that do not exist yet are the same
/// if their folder and name are.
pub fn is_same_file(a: &Path, b: &Path) -> bool {
    // To compare two files opens both, which waits for ever on a pipe.
    let is_file = |path: &Path| fs::metadata(path).is_ok_and(|found| found.is_file());
    if is_file(a)
        && is_file(b)
        && let Ok(same) = same_file::is_same_file(a, b)
    {
        return same;
    }
    let [a, b] = [a, b].map(|path| place(&followed(path)));
    // There, names that differ in case alone name one file.
    if cfg!(any(windows, target_os = "macos")) {
        let lower = |path: &Path| path.to_string_lossy().to_lowercase();
        return lower(&a) == lower(&b);
    }
    a == b
}

/// The path from the root, through the folders that exist and by its words through those that do not.
fn place(path: &Path) -> PathBuf {
    let (Some(name), folder) = (path.file_name(), folder_of(path)) else {
        // It ends in `..`, or it is the root.
        return fs::canonicalize(path)
            .ok()
            .or_else(|| Some(place(path.parent()?).parent()?.to_owned()))
            .unwrap_or_else(|| path.to_owned());
    };
    match fs::canonicalize(folder) {
        Ok(folder) => folder.join(name),
        Err(_) => place(folder).join(name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_never_names_the_temporary_file() {
        let folder = tempfile::tempdir().unwrap();
        let named = io::Error::new(io::ErrorKind::StorageFull, "at \"/x/.tmpAbCd\"");
        assert!(!WriteError::from(named).to_string().contains(".tmp"));
        let missing = WholeFile::create(&folder.path().join("no/such/file.csv")).unwrap_err();
        assert!(matches!(missing, WriteError::NoFolder));
        let is_folder = write_whole(folder.path(), b"x").unwrap_err();
        assert!(matches!(is_folder, WriteError::IsFolder));
    }

    #[cfg(unix)]
    #[test]
    fn links_are_followed_and_permissions_kept() {
        use std::os::unix::fs::{PermissionsExt as _, symlink};
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::write(at("real.csv"), "old").unwrap();
        fs::set_permissions(at("real.csv"), Permissions::from_mode(0o600)).unwrap();
        symlink("real.csv", at("link.csv")).unwrap();
        write_whole(&at("link.csv"), b"new").unwrap();
        assert!(fs::symlink_metadata(at("link.csv")).unwrap().is_symlink());
        assert_eq!(fs::read(at("real.csv")).unwrap(), b"new");
        let mode = fs::metadata(at("real.csv")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        // A link to a file that does not exist yet makes that file.
        symlink("later.csv", at("early.csv")).unwrap();
        write_whole(&at("early.csv"), b"new").unwrap();
        assert_eq!(fs::read(at("later.csv")).unwrap(), b"new");
        assert!(fs::symlink_metadata(at("early.csv")).unwrap().is_symlink());
    }

    #[cfg(unix)]
    #[test]
    fn one_file_by_two_names_is_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::write(at("a"), "x").unwrap();
        fs::hard_link(at("a"), at("b")).unwrap();
        std::os::unix::fs::symlink("a", at("c")).unwrap();
        assert!(is_same_file(&at("a"), &at("b")) && is_same_file(&at("a"), &at("c")));
        assert!(is_same_file(&at("new"), &at("./new")));
        assert!(is_same_file(&at("no/new"), &at("no/./other/../new")));
        assert!(!is_same_file(&at("no/new"), &at("new")));
        std::os::unix::fs::symlink("no/new", at("d")).unwrap();
        assert!(is_same_file(&at("d"), &at("no/new")));
        assert_eq!(folder_to_write(&at("d")), at("no"));
        assert!(!is_same_file(&at("new"), &at("other")) && !is_same_file(&at("a"), &at("new")));
    }
}
