//! The URLs of databases, as the commands are told them: secrets come as files, which are not seen
//! in an environment, and change while a program runs.

use std::fs;

/// What stands for the URL of a database: itself, `file:PATH` for what is in a file, or with
/// `{PATH}` in the place of what is in one.
#[derive(Clone)]
pub struct DatabaseUrl(String);

impl DatabaseUrl {
    /// The URL as it is now.
    ///
    /// # Errors
    /// A file cannot be read, or a brace is not closed.
    pub fn read(&self) -> Result<String, String> {
        let Self(setting) = self;
        if let Some(path) = setting.strip_prefix("file:") {
            return content(path);
        }
        let Some((before, rest)) = setting.split_once('{') else { return Ok(setting.clone()) };
        let (path, after) = rest.split_once('}').ok_or("a { has no } after it")?;
        Ok(format!("{before}{}{after}", encoded(&content(path)?)))
    }
}

impl From<String> for DatabaseUrl {
    fn from(setting: String) -> Self {
        Self(setting)
    }
}

fn content(path: &str) -> Result<String, String> {
    let read = fs::read_to_string(path).map_err(|why| format!("{path} cannot be read: {why}"))?;
    Ok(read.trim_end_matches(['\r', '\n']).to_owned())
}

/// Text as a part of a URL, whatever is in it.
fn encoded(text: &str) -> String {
    use std::fmt::Write as _;
    let mut encoded = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(byte.into());
        } else {
            // Text takes whatever is written to it.
            let _written = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(setting: &str) -> Result<String, String> {
        DatabaseUrl::from(setting.to_owned()).read()
    }

    fn file(name: &str, text: &str) -> String {
        let path = std::env::temp_dir().join(format!("{name}-{}", std::process::id()));
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }

    #[test]
    fn a_url_stands_for_itself() {
        let plain = "postgresql://a:b@host/db?sslmode=verify-full";
        assert_eq!(url(plain).unwrap(), plain);
    }

    #[test]
    fn a_url_is_read_from_a_file_without_its_line_end() {
        let path = file("url", "postgresql://a:b@host/db\n");
        assert_eq!(url(&format!("file:{path}")).unwrap(), "postgresql://a:b@host/db");
        fs::remove_file(&path).unwrap();
    }

    #[test]
    fn a_file_that_changes_is_read_anew() {
        let path = file("changed", "postgresql://a:b@host/db");
        let told = DatabaseUrl::from(format!("file:{path}"));
        fs::write(&path, "postgresql://a:c@host/db").unwrap();
        assert_eq!(told.read().unwrap(), "postgresql://a:c@host/db");
        fs::remove_file(&path).unwrap();
        assert!(told.read().unwrap_err().contains("cannot be read"));
    }

    #[test]
    fn a_password_is_read_from_a_file_and_may_have_any_sign() {
        let path = file("password", "a@b:c/d {é}%");
        assert_eq!(
            url(&format!("postgresql://u:{{{path}}}@host/db")).unwrap(),
            "postgresql://u:a%40b%3Ac%2Fd%20%7B%C3%A9%7D%25@host/db"
        );
        fs::remove_file(&path).unwrap();
    }

    #[test]
    fn a_file_that_is_not_there_is_named() {
        for setting in ["file:/nowhere/uri", "postgresql://u:{/nowhere/uri}@host/db"] {
            let why = url(setting).unwrap_err();
            assert!(why.starts_with("/nowhere/uri cannot be read"), "{why}");
        }
        assert_eq!(url("postgresql://u:{/nowhere@host").unwrap_err(), "a { has no } after it");
    }
}
