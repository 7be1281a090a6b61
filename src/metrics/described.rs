//! One list of metrics, from which they are made, registered and documented.

use prometheus_client::metrics::{
    counter::Counter,
    family::Family,
    gauge::Gauge,
    histogram::{Histogram, exponential_buckets},
};

/// What people may rely on of one metric.
pub struct Described {
    /// Its name as it is served, but for what a histogram adds.
    pub name: &'static str,
    /// `counter`, `gauge` or `histogram`.
    pub kind: &'static str,
    /// The names of its labels.
    pub labels: &'static [&'static str],
    /// What is counted.
    pub unit: &'static str,
    /// What it says.
    pub meaning: &'static str,
}

/// A set of labels that can name them.
pub(super) trait Labelled {
    /// Their names.
    const NAMES: &'static [&'static str];
}

/// A kind of metric.
pub(super) trait Shape {
    /// What Prometheus calls it.
    const KIND: &'static str;
    /// The names of its labels.
    const LABELS: &'static [&'static str];

    /// One that has counted nothing.
    fn empty() -> Self;
}

impl Shape for Gauge {
    const KIND: &'static str = "gauge";
    const LABELS: &'static [&'static str] = &[];

    fn empty() -> Self {
        Self::default()
    }
}

impl<L: Labelled + Clone + std::hash::Hash + Eq> Shape for Family<L, Gauge> {
    const KIND: &'static str = "gauge";
    const LABELS: &'static [&'static str] = L::NAMES;

    fn empty() -> Self {
        Self::default()
    }
}

impl<L: Labelled + Clone + std::hash::Hash + Eq> Shape for Family<L, Counter> {
    const KIND: &'static str = "counter";
    const LABELS: &'static [&'static str] = L::NAMES;

    fn empty() -> Self {
        Self::default()
    }
}

impl<L: Labelled + Clone + std::hash::Hash + Eq> Shape for Family<L, Histogram> {
    const KIND: &'static str = "histogram";
    const LABELS: &'static [&'static str] = L::NAMES;

    fn empty() -> Self {
        Self::new_with_constructor(|| Histogram::new(exponential_buckets(0.002, 2.0, 14)))
    }
}

/// Sets of labels.
macro_rules! labels {
    ($($name:ident { $($label:ident: $type:ty),* })*) => {
        $(
            #[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
            struct $name {
                $($label: $type),*
            }

            impl Labelled for $name {
                const NAMES: &'static [&'static str] = &[$(stringify!($label)),*];
            }
        )*
    };
}

/// All metrics of a process: field, kind, name, unit, meaning.
macro_rules! metrics {
    ($($field:ident: $shape:ty = $name:literal, $unit:literal, $meaning:literal;)*) => {
        /// All metrics of a process.
        #[derive(Clone)]
        pub struct Metrics {
            registry: Arc<Registry>,
            board: Arc<Mutex<Board>>,
            $($field: $shape),*
        }

        impl Default for Metrics {
            fn default() -> Self {
                let mut metrics = Self {
                    registry: Arc::default(),
                    board: Arc::default(),
                    $($field: Shape::empty()),*
                };
                let mut registry = Registry::with_prefix(PREFIX);
                $(registry.register($name, $meaning, metrics.$field.clone());)*
                metrics.registry = Arc::new(registry);
                metrics
            }
        }

        impl Metrics {
            /// Every metric there is.
            pub const ALL: &'static [Described] = &[$(Described {
                name: $name,
                kind: <$shape as Shape>::KIND,
                labels: <$shape as Shape>::LABELS,
                unit: $unit,
                meaning: $meaning,
            }),*];
        }
    };
}

pub(super) use {labels, metrics};
