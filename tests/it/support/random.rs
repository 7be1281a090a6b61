//! Numbers that are the same in every run and scattered enough, and how many of them a run takes.

/// `SplitMix64`.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below an end.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    /// The same, in the type that something is counted in.
    pub(crate) fn count<T: TryFrom<u64, Error: std::fmt::Debug>>(&mut self, end: u64) -> T {
        T::try_from(self.below(end)).expect("it is small")
    }

    /// The same, to choose from a list.
    pub(crate) fn index(&mut self, end: usize) -> usize {
        self.count(end as u64)
    }

    /// Whether something of this many in a hundred happens.
    pub(crate) fn percent(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }
}

/// How much a test tries: as much as the environment says, or what `make test` has time for.
pub(crate) fn effort(variable: &str, default: u64) -> u64 {
    let said = std::env::var(variable).ok();
    said.map_or(default, |text| text.parse().unwrap_or_else(|why| panic!("{variable}: {why}")))
}
