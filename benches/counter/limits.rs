//! What no counter can beat: the same numbers in bare arrays, in order, without their names.

/// The sum of all.
pub(crate) fn sum(values: &[u64]) -> u64 {
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx2") {
        #[allow(
            unsafe_code,
            reason = "the limit uses wider vectors than the build assumes; the processor has them"
        )]
        return unsafe { wide::sum(values) };
    }
    values.iter().sum()
}

/// Raises each number to the other one in its place.
pub(crate) fn raise(values: &mut [u64], others: &[u64]) {
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx2") {
        #[allow(
            unsafe_code,
            reason = "the limit uses wider vectors than the build assumes; the processor has them"
        )]
        return unsafe { wide::raise(values, others) };
    }
    each_max(values, others);
}

#[inline(always)]
fn each_max(values: &mut [u64], others: &[u64]) {
    for (value, other) in values.iter_mut().zip(others) {
        *value = (*value).max(*other);
    }
}

#[cfg(target_arch = "x86_64")]
mod wide {
    #[target_feature(enable = "avx2")]
    pub(super) fn sum(values: &[u64]) -> u64 {
        values.iter().sum()
    }

    #[target_feature(enable = "avx2")]
    pub(super) fn raise(values: &mut [u64], others: &[u64]) {
        super::each_max(values, others);
    }
}
