//! Keys as paths (CTR-1, CTR-4).

/// The normal form of a key (CTR-1): one leading slash, no empty or dot segments, `..` resolved.
///
/// ```
/// use concord_systems::merkle::key::norm;
/// assert_eq!(norm("LIKES//INCR/./t1/"), "/LIKES/INCR/t1");
/// assert_eq!(norm("a/../../b"), "/b");
/// assert_eq!(norm(".."), "/");
/// ```
pub fn norm(key: &str) -> String {
    let mut segments: Vec<&str> = Vec::new();
    for segment in key.split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                segments.pop();
            }
            _ => segments.push(segment),
        }
    }
    let mut normal = String::with_capacity(key.len() + 1);
    for segment in &segments {
        normal.push('/');
        normal.push_str(segment);
    }
    if normal.is_empty() {
        normal.push('/');
    }
    normal
}

/// What of `key` lies below `prefix`, both in normal form: a query for `prefix` matches `key` if
/// there is anything (CTR-4).
///
/// ```
/// use concord_systems::merkle::key::below;
/// assert_eq!(below("/a", "/a/b/c"), Some("b/c"));
/// assert_eq!(below("/a", "/ab"), None);
/// assert_eq!(below("/a", "/a"), None);
/// assert_eq!(below("/", "/a"), Some("a"));
/// ```
pub fn below<'a>(prefix: &str, key: &'a str) -> Option<&'a str> {
    let rest = match prefix {
        "/" => key.strip_prefix('/')?,
        _ => key.strip_prefix(prefix)?.strip_prefix('/')?,
    };
    (!rest.is_empty()).then_some(rest)
}

/// The least string that a key below `prefix` can be; every key below it follows without a gap.
pub fn floor(prefix: &str) -> String {
    match prefix {
        "/" => String::from("/"),
        _ => format!("{prefix}/"),
    }
}

/// Escapes an id so that it is one segment of a path: slash, percent sign and the dot segments
/// (remedy of C-6). Injective; ids without them stay as they are.
///
/// ```
/// use concord_systems::merkle::key::escape;
/// assert_eq!(escape("t1"), "t1");
/// assert_eq!(escape("a/b"), "a%2Fb");
/// assert_eq!(escape(".."), "%2E%2E");
/// ```
pub fn escape(id: &str) -> String {
    if matches!(id, "." | "..") {
        return id.replace('.', "%2E");
    }
    id.replace('%', "%25").replace('/', "%2F")
}
