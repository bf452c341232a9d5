//! Time that processors spent on this program. Other work on the machine lengthens it far less than
//! it lengthens the time on the wall, which here is mostly spent waiting for a core.

use std::time::Duration;

use criterion::measurement::{Measurement, ValueFormatter, WallTime};
use rustix::time::{ClockId, clock_gettime};

/// A clock that runs only while the calling thread, or any thread of this process, has a core.
#[derive(Clone, Copy)]
pub(crate) struct CpuTime(pub(crate) ClockId);

impl CpuTime {
    pub(crate) fn now(self) -> Duration {
        let time = clock_gettime(self.0);
        Duration::try_from(time).expect("the time since the start is not negative")
    }
}

impl Measurement for CpuTime {
    type Intermediate = Duration;
    type Value = Duration;

    fn start(&self) -> Duration {
        self.now()
    }

    fn end(&self, start: Duration) -> Duration {
        self.now() - start
    }

    fn add(&self, left: &Duration, right: &Duration) -> Duration {
        *left + *right
    }

    fn zero(&self) -> Duration {
        Duration::ZERO
    }

    fn to_f64(&self, value: &Duration) -> f64 {
        value.as_nanos() as f64
    }

    fn formatter(&self) -> &dyn ValueFormatter {
        WallTime.formatter()
    }
}
