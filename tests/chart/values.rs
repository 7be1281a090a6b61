//! The values of the chart as values.yaml documents them: a key with a comment above it is one.

/// A documented value.
pub(crate) struct Documented {
    /// Where it is, such as `image.tag`.
    pub(crate) path: String,
    /// The comment above it.
    pub(crate) comment: String,
}

/// Reads the comments of a values.yaml.
///
/// # Errors
/// A leaf has no comment, neither of its own nor of a key above it.
pub(crate) fn documented(text: &str) -> Result<Vec<Documented>, String> {
    let (mut values, mut above, mut comment) =
        (Vec::new(), Vec::<(usize, String, bool)>::new(), String::new());
    for line in text.lines() {
        let trimmed = line.trim_start();
        let depth = line.len() - trimmed.len();
        if let Some(said) = trimmed.strip_prefix("# ") {
            said.clone_into(&mut comment);
            continue;
        }
        let Some((key, default)) = trimmed.split_once(':') else {
            comment.clear();
            continue;
        };
        above.retain(|(outer, ..)| *outer < depth);
        let inside = above.iter().any(|(_, _, documented)| *documented);
        let outer: Vec<&str> = above.iter().map(|(_, key, _)| key.as_str()).collect();
        let path = outer.into_iter().chain([key]).collect::<Vec<_>>().join(".");
        above.push((depth, key.to_owned(), !comment.is_empty()));
        if !comment.is_empty() {
            values.push(Documented { path, comment: std::mem::take(&mut comment) });
        } else if !inside && !default.trim().is_empty() {
            return Err(format!("{path} has no comment above it"));
        }
    }
    Ok(values)
}
