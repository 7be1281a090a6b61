//! A look at the text before the YAML library sees it, which expands what refers to itself.
//!
//! It follows the library from token to token through a part of YAML in which there is no doubt
//! where a quote, a comment or a block of text begins and ends, and refuses what lies outside of
//! it. So an anchor cannot hide in what only looks like a quote. A test with random texts holds it
//! against the library.

use crate::domain::reason::Reason;

/// How many brackets may be open at once.
const DEPTH_MAX: usize = 16;
/// How far a list or a mapping may be indented, in columns: each level takes one or more.
const COLUMN_MAX: usize = 64;

/// Looks for anchors, aliases, tags, directives and a second document.
///
/// # Errors
/// One is there, or the text is written in a way that leaves a doubt. Nothing else is promised of a
/// text that passes: it may be no YAML at all.
pub(super) fn check(text: &str) -> Result<(), Reason> {
    let mut scan = Scan { depth: 0, began: false, open: Open::Nothing };
    for (number, line) in text.lines().enumerate() {
        // A bare carriage return is a line of its own, and counts for nothing otherwise.
        for part in line.split('\r') {
            let chars: Vec<char> = part.chars().collect();
            scan.line(&chars).map_err(|finding| finding.reason(number + 1))?;
        }
    }
    Ok(())
}

/// Why a line is not let through.
enum Finding {
    /// It has an anchor, an alias, a tag, or what makes tags.
    Alias,
    /// It is written in a way that we do not follow.
    Odd(&'static str),
}

use Finding::{Alias, Odd};

impl Finding {
    fn reason(self, line: usize) -> Reason {
        match self {
            Alias => Reason::KubeconfigHasAliases {},
            Odd(why) => Reason::KubeconfigUnreadable { why: format!("line {line} {why}") },
        }
    }
}

/// What the last line that says anything left open.
#[derive(Clone, Copy)]
enum Open {
    Nothing,
    /// A value without quotes. A line that is indented more than the mapping or list around it
    /// would continue the value; none is known where that began on an earlier line.
    Plain {
        around: Option<usize>,
    },
    /// A block of text, whose own column its first line says.
    Block {
        around: usize,
        column: Option<usize>,
    },
}

struct Scan {
    /// Brackets that are open.
    depth: usize,
    /// Whether anything was said before.
    began: bool,
    open: Open,
}

/// Where we are in a line outside of brackets, in columns.
#[derive(Default)]
struct Place {
    /// The innermost mapping or list that began on the line.
    around: Option<usize>,
    /// The last value, which may turn out to be a key.
    value: Option<usize>,
}

/// The character there, and NUL behind the end, which is nowhere in the text.
fn at(line: &[char], index: usize) -> char {
    line.get(index).copied().unwrap_or('\0')
}

fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\0')
}

/// Whether the line begins with that marker of documents.
fn has_marker(line: &[char], marker: char) -> bool {
    (0..3).all(|index| at(line, index) == marker) && is_blank(at(line, 3))
}

impl Scan {
    fn line(&mut self, line: &[char]) -> Result<(), Finding> {
        let Some(first) = line.iter().position(|c| !is_blank(*c)) else {
            let is_inside = matches!(self.open, Open::Block { .. }) && !line.is_empty();
            // Its blanks may say how far the block is indented.
            return if is_inside { Err(Odd("has nothing but blanks in a block")) } else { Ok(()) };
        };
        if self.goes_on(line, first)? {
            return Ok(());
        }
        if has_marker(line, '.') || (has_marker(line, '-') && (self.began || self.depth > 0)) {
            return Err(Odd("ends the document, or begins another one"));
        }
        let start = if has_marker(line, '-') { 3 } else { first };
        self.open = Open::Nothing;
        self.tokens(line, start)
    }

    /// Whether the line belongs to what the last one left open.
    fn goes_on(&mut self, line: &[char], first: usize) -> Result<bool, Finding> {
        match self.open {
            Open::Nothing => Ok(false),
            Open::Plain { around } => {
                let c = at(line, first);
                let is_over = match around {
                    _ if self.depth > 0 => matches!(c, ',' | ']' | '}'),
                    Some(around) => first <= around,
                    None => false,
                };
                match (c, is_over) {
                    ('#', _) => Ok(true),
                    (_, true) => Ok(false),
                    (_, false) => Err(Odd("continues a value: write it in one line")),
                }
            }
            Open::Block { around, column } => {
                if line.iter().take(first).any(|c| *c == '\t') {
                    return Err(Odd("is indented with a tab"));
                }
                let is_inside = column.map_or(first > around, |column| first >= column);
                if is_inside && column.is_none() {
                    self.open = Open::Block { around, column: Some(first) };
                }
                Ok(is_inside)
            }
        }
    }

    /// The tokens of a line from a place on where one begins.
    fn tokens(&mut self, line: &[char], start: usize) -> Result<(), Finding> {
        let (mut index, mut place) = (start, Place::default());
        loop {
            let c = at(line, index);
            if c == '\0' || c == '#' {
                return Ok(());
            }
            let ends = is_blank(at(line, index + 1));
            index = match c {
                ' ' | '\t' => index + 1,
                '&' | '*' | '!' | '%' => return Err(Alias),
                '"' | '\'' => self.quoted(line, index, &mut place)?,
                '[' | '{' | ']' | '}' | ',' => self.bracket(c, index, &mut place)?,
                '-' if ends => self.entry(index, &mut place)?,
                '?' if ends || self.depth > 0 => return Err(Odd("has a key after `?`")),
                ':' if ends || self.depth > 0 => self.colon(index, &mut place)?,
                '|' | '>' => return self.block(line, index, &place),
                _ => match self.plain(line, index, &mut place)? {
                    Some(next) => next,
                    None => return Ok(()),
                },
            };
            self.began |= !is_blank(c);
        }
    }

    /// A value in quotes, which must end on its line.
    fn quoted(&self, line: &[char], start: usize, place: &mut Place) -> Result<usize, Finding> {
        let quote = at(line, start);
        self.begin(start, place);
        let mut index = start + 1;
        loop {
            index += match at(line, index) {
                '\0' => return Err(Odd("does not end the quote that it begins")),
                '\\' if quote == '"' => 2,
                '\'' if quote == '\'' && at(line, index + 1) == '\'' => 2,
                c if c == quote => return Ok(index + 1),
                _ => 1,
            };
        }
    }

    /// Remembers where a value begins that may be a key.
    fn begin(&self, index: usize, place: &mut Place) {
        if self.depth == 0 {
            place.value = Some(index);
        }
    }

    fn bracket(&mut self, c: char, index: usize, place: &mut Place) -> Result<usize, Finding> {
        match c {
            '[' | '{' => {
                self.begin(index, place);
                self.depth += 1;
            }
            ',' => {}
            _ => match self.depth.checked_sub(1) {
                Some(depth) => self.depth = depth,
                None => return Err(Odd("closes what was not opened")),
            },
        }
        if self.depth > DEPTH_MAX { Err(Odd("is nested too deeply")) } else { Ok(index + 1) }
    }

    /// A hyphen that begins an entry of a list.
    fn entry(&self, index: usize, place: &mut Place) -> Result<usize, Finding> {
        if self.depth == 0 {
            *place = Place { around: Some(index), value: None };
        }
        if index > COLUMN_MAX { Err(Odd("is nested too deeply")) } else { Ok(index + 1) }
    }

    /// A colon after a key.
    fn colon(&self, index: usize, place: &mut Place) -> Result<usize, Finding> {
        if self.depth == 0 {
            let Some(key) = place.value else { return Err(Odd("has no key before `:`")) };
            if key > COLUMN_MAX {
                return Err(Odd("is nested too deeply"));
            }
            *place = Place { around: Some(key), value: None };
        }
        Ok(index + 1)
    }

    /// The head of a block of text: `|` or `>`, with what becomes of its last line end.
    fn block(&mut self, line: &[char], index: usize, place: &Place) -> Result<(), Finding> {
        let Some(around) = place.around.filter(|_| place.value.is_none() && self.depth == 0) else {
            return Err(Odd("begins a block of text where none is expected"));
        };
        let rest = index + 1 + usize::from(matches!(at(line, index + 1), '-' | '+'));
        let words: String = line.iter().skip(rest).collect();
        if !(words.trim().is_empty() || words.trim_start_matches([' ', '\t']).starts_with('#')) {
            return Err(Odd("says how far its block is indented, or what follows `|` is unclear"));
        }
        self.open = Open::Block { around, column: None };
        self.began = true;
        Ok(())
    }

    /// A value without quotes: where it ends, or none if that may be on a later line.
    fn plain(
        &mut self,
        line: &[char],
        start: usize,
        place: &mut Place,
    ) -> Result<Option<usize>, Finding> {
        self.begin(start, place);
        let mut before = '\0';
        for (index, c) in line.iter().copied().enumerate().skip(start) {
            match c {
                ':' if is_blank(at(line, index + 1)) => return Ok(Some(index)),
                ',' | '[' | ']' | '{' | '}' if self.depth > 0 => return Ok(Some(index)),
                '#' if is_blank(before) => break,
                '&' | '*' | '!' if is_blank(before) => return Err(Alias),
                '"' | '\'' => return Err(Odd("has a quote inside of a value: quote all of it")),
                _ => before = c,
            }
        }
        self.open = Open::Plain { around: place.around };
        self.began = true;
        Ok(None)
    }
}
